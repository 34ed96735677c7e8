/** A refusal of the node's endpoint, with its HTTP status code. */
export class EndpointError extends Error {
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EndpointError";
    this.code = code;
  }

  static from(thrown: unknown): EndpointError {
    if (thrown instanceof EndpointError) return thrown;
    return new EndpointError(500, thrown instanceof Error ? thrown.message : String(thrown), {
      cause: thrown,
    });
  }
}
