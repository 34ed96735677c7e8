import { invalid } from "../field-error.ts";
import type { TokenRequest } from "../generated/authentication-v1.generated.ts";
import type { Draft } from "../object.ts";
import type { FieldError } from "../resource.ts";

const secondsDefault = 3_600;
const secondsMin = 600;
const secondsMax = 2 ** 32;

/** The body of `serviceaccounts/token`: fills in how long the token shall hold. */
export function defaultTokenRequest({ spec }: Draft<TokenRequest>): void {
  spec.expirationSeconds ??= secondsDefault;
}

export function validateTokenRequest({ spec }: TokenRequest): readonly FieldError[] {
  const seconds = spec.expirationSeconds ?? secondsDefault;
  const path = "spec.expirationSeconds";
  if (seconds < secondsMin) {
    return [invalid(path, seconds, "may not specify a duration less than 10 minutes")];
  }
  if (seconds > secondsMax) {
    return [invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")];
  }
  return [];
}
