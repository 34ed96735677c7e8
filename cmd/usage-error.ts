import { MendableError } from "../pkg/base/mendable-error.ts";

/** A flag, a key of the config file or an environment variable that cannot be right. */
export class UsageError extends MendableError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UsageError";
  }
}
