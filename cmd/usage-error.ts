/** What the person who runs mini8s can mend: printed as its one sentence, exit code 1, no stack trace. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UsageError";
  }
}
