import { shownErrorsMax } from "./field-error.ts";
import type { Status, StatusCause, StatusDetails } from "./generated/meta-v1.generated.ts";
import { type FieldError, groupResourceOf } from "./resource.ts";

interface Named {
  readonly group: string;
  readonly plural: string;
}

/** The reasons of `metav1.StatusReason` and the HTTP code that goes with each. */
const codes = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  Conflict: 409,
  AlreadyExists: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 500,
} as const;

export type StatusReason = keyof typeof codes;

/** An answer that is a failure: everything the API refuses travels as one of these, in process and on the wire. */
export class ApiError extends Error {
  readonly reason: StatusReason | "";
  /** The HTTP status code. */
  readonly code: number;
  readonly details: StatusDetails | undefined;
  /** Where a list that has expired may go on, at the price of consistency. */
  readonly continue: string | undefined;

  constructor(
    reason: StatusReason | "",
    message: string,
    options: ErrorOptions & {
      readonly details?: StatusDetails;
      readonly code?: number;
      readonly continue?: string;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ApiError";
    this.reason = reason;
    this.code = options.code ?? (reason === "" ? 500 : codes[reason]);
    this.details = options.details;
    this.continue = options.continue;
  }

  /** Any thrown thing as an answer: what is no `ApiError` becomes an InternalError that hides nothing. */
  static from(thrown: unknown): ApiError {
    if (thrown instanceof ApiError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new ApiError("InternalError", `Internal error occurred: ${message}`, {
      cause: thrown,
      details: { causes: [{ message }] },
    });
  }

  /** The error that a `Status` received from a server stands for. */
  static fromStatus(status: Partial<Status>, code: number): ApiError {
    const reason =
      status.reason !== undefined && status.reason in codes ? (status.reason as StatusReason) : "";
    return new ApiError(reason, status.message ?? `the server answered ${code}`, {
      code: status.code ?? code,
      ...(status.details === undefined ? {} : { details: status.details }),
    });
  }

  static notFound(resource: Named, name: string): ApiError {
    return new ApiError("NotFound", `${groupResourceOf(resource)} ${quote(name)} not found`, {
      details: detailsOf(resource, name),
    });
  }

  static alreadyExists(resource: Named, name: string): ApiError {
    return new ApiError(
      "AlreadyExists",
      `${groupResourceOf(resource)} ${quote(name)} already exists`,
      {
        details: detailsOf(resource, name),
      },
    );
  }

  static conflict(resource: Named, name: string, why: string): ApiError {
    return new ApiError(
      "Conflict",
      `Operation cannot be fulfilled on ${groupResourceOf(resource)} ${quote(name)}: ${why}`,
      { details: detailsOf(resource, name) },
    );
  }

  static forbidden(resource: Named, name: string, why: string): ApiError {
    const what =
      name === "" ? groupResourceOf(resource) : `${groupResourceOf(resource)} ${quote(name)}`;
    return new ApiError("Forbidden", `${what} is forbidden: ${why}`, {
      details: detailsOf(resource, name),
    });
  }

  static badRequest(message: string): ApiError {
    return new ApiError("BadRequest", message);
  }

  static invalid(
    kind: { readonly group: string; readonly kind: string },
    name: string,
    errors: readonly FieldError[],
  ): ApiError {
    const what = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
    const shown = errors.slice(0, shownErrorsMax);
    const causes: StatusCause[] = shown.map((error) => ({
      reason: causeReasons[error.type],
      message: errorBody(error),
      field: error.path,
    }));
    const text = printFieldErrors(shown);
    return new ApiError("Invalid", `${what} ${quote(name)} is invalid: ${text}`, {
      details: {
        ...(name === "" ? {} : { name }),
        ...(kind.group === "" ? {} : { group: kind.group }),
        ...(kind.kind === "" ? {} : { kind: kind.kind }),
        causes,
      },
    });
  }

  toStatus(): Status & { readonly kind: "Status"; readonly apiVersion: "v1" } {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: this.continue === undefined ? {} : { continue: this.continue },
      status: "Failure",
      message: this.message,
      ...(this.reason === "" ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

function detailsOf(resource: Named, name: string): StatusDetails {
  return {
    ...(name === "" ? {} : { name }),
    ...(resource.group === "" ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

const causeReasons: Readonly<Record<FieldError["type"], string>> = {
  "Required value": "FieldValueRequired",
  "Invalid value": "FieldValueInvalid",
  "Not found": "FieldValueNotFound",
  "Duplicate value": "FieldValueDuplicate",
  Forbidden: "FieldValueForbidden",
  "Too long": "FieldValueTooLong",
  "Too many": "FieldValueTooMany",
  "Unsupported value": "FieldValueNotSupported",
  "Internal error": "InternalError",
  "Type invalid": "FieldValueTypeInvalid",
};

/** Several errors in one sentence, each told once. */
export function printFieldErrors(errors: readonly FieldError[]): string {
  const lines = [...new Set(errors.map((error) => `${error.path}: ${errorBody(error)}`))];
  return lines.length === 1 ? (lines[0] ?? "") : `[${lines.join(", ")}]`;
}

/** Prints as `field.Error.ErrorBody` does: the type, the value where it helps, the detail. */
function errorBody(error: FieldError): string {
  const valueless =
    ["Required value", "Forbidden", "Too long", "Internal error"].includes(error.type) ||
    !("value" in error);
  // A value of another type has a reason of its own, but no other words.
  const what = error.type === "Type invalid" ? "Invalid value" : error.type;
  const head = valueless ? what : `${what}: ${printValue(error.value)}`;
  return error.detail === "" ? head : `${head}: ${error.detail}`;
}

function printValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (value === undefined || value === null) return "null";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
