/**
 * What the person who runs mini8s can mend: the message is one sentence that says what is wrong and what to do.
 * `mini8s` prints it without a stack trace, and exits with 1.
 */
export class MendableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MendableError";
  }
}
