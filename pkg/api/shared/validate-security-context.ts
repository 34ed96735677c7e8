import { addAll } from "../../base/add-all.ts";
import { invalid, invalidEach, notSupported, required, tooLong } from "../field-error.ts";
import type {
  AppArmorProfile,
  SeccompProfile,
  SecurityContext,
} from "../generated/core-v1.generated.ts";
import { checkDnsSubdomain, inclusiveRange } from "../names.ts";
import type { FieldError } from "../resource.ts";
import { validateDescendingPath } from "./validate-paths.ts";

const idMax = 2 ** 31 - 1;

/** A user or group id. */
export function validateId(id: number | undefined, path: string, errors: FieldError[]): void {
  if (id !== undefined && (id < 0 || id > idMax)) {
    errors.push(invalid(path, id, inclusiveRange(0, idMax)));
  }
}

export function validateSeccompProfile(
  profile: SeccompProfile | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (profile === undefined) return;
  const file = profile.localhostProfile;
  switch (profile.type) {
    case "Localhost":
      if (file === undefined || file === "") {
        errors.push(
          required(`${path}.localhostProfile`, "must be set when seccomp type is Localhost"),
        );
      } else validateDescendingPath(file, `${path}.localhostProfile`, errors);
      break;
    case "RuntimeDefault":
    case "Unconfined":
      if (file !== undefined) {
        errors.push(
          invalid(
            `${path}.localhostProfile`,
            file,
            "can only be set when seccomp type is Localhost",
          ),
        );
      }
      break;
    default:
      errors.push(
        notSupported(`${path}.type`, profile.type, ["Localhost", "RuntimeDefault", "Unconfined"]),
      );
  }
}

const appArmorProfileBytesMax = 4_095;

export function validateAppArmorProfile(
  profile: AppArmorProfile | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (profile === undefined) return;
  const file = profile.localhostProfile;
  const at = `${path}.localhostProfile`;
  const needed = "must be set when AppArmor type is Localhost";
  switch (profile.type as string) {
    case "Localhost":
      if (file === undefined) {
        errors.push(required(at, needed));
        return;
      }
      if (file !== file.trim()) {
        errors.push(invalid(at, file, "must not be padded with whitespace"));
      } else if (file === "") errors.push(required(at, needed));
      if (Buffer.byteLength(file) > appArmorProfileBytesMax) {
        errors.push(tooLong(at, appArmorProfileBytesMax));
      }
      break;
    case "RuntimeDefault":
    case "Unconfined":
      if (file === undefined) return;
      errors.push(invalid(at, file, "can only be set when AppArmor type is Localhost"));
      break;
    case "":
      errors.push(required(`${path}.type`, "type is required when appArmorProfile is set"));
      break;
    default:
      errors.push(
        notSupported(`${path}.type`, profile.type, ["Localhost", "RuntimeDefault", "Unconfined"]),
      );
  }
}

/** What a container may do; `hostUsers` is false in a pod with users of its own. */
export function validateSecurityContext(
  context: SecurityContext,
  hostUsers: boolean,
  path: string,
  errors: FieldError[],
): void {
  validateId(context.runAsUser, `${path}.runAsUser`, errors);
  validateId(context.runAsGroup, `${path}.runAsGroup`, errors);
  if (context.procMount !== undefined) {
    const at = `${path}.procMount`;
    if (!["Default", "Unmasked"].includes(context.procMount)) {
      errors.push(notSupported(at, context.procMount, ["Default", "Unmasked"]));
    }
    if (hostUsers && context.procMount === "Unmasked") {
      const detail = "`hostUsers` must be false to use `Unmasked`";
      errors.push(invalid(at, context.procMount, detail));
    }
  }
  validateSeccompProfile(context.seccompProfile, `${path}.seccompProfile`, errors);
  validateEscalation(context, path, errors);
  validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`, errors);
  validateAppArmorProfile(context.appArmorProfile, `${path}.appArmorProfile`, errors);
}

function validateEscalation(context: SecurityContext, path: string, errors: FieldError[]): void {
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged === true) {
    errors.push(
      invalid(
        path,
        context,
        "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
      ),
    );
  }
  for (const capability of context.capabilities?.add ?? []) {
    if (capability === "CAP_SYS_ADMIN") {
      errors.push(
        invalid(
          path,
          context,
          "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN",
        ),
      );
    }
  }
}

const credentialSpecKibMax = 64;
const windowsDomainCharactersMax = 256;
const windowsUserCharactersMax = 104;
const netBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const windowsLabel = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const windowsDomain = new RegExp(`^${windowsLabel}(?:\\.${windowsLabel})*$`);
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that are refused
const controlCharacters = /[\u0000-\u001f\u007f]/;

export function validateWindowsOptions(
  options: SecurityContext["windowsOptions"],
  path: string,
  errors: FieldError[],
): void {
  if (options === undefined) return;
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  if (name !== undefined) {
    addAll(errors, invalidEach(`${path}.gmsaCredentialSpecName`, name, checkDnsSubdomain(name)));
  }
  const at = `${path}.gmsaCredentialSpec`;
  if (spec === "") errors.push(invalid(at, spec, "gmsaCredentialSpec cannot be an empty string"));
  else if (spec !== undefined && Buffer.byteLength(spec) > credentialSpecKibMax * 1024) {
    const detail = `gmsaCredentialSpec size must be under ${credentialSpecKibMax} KiB`;
    errors.push(invalid(at, spec, detail));
  }
  if (user === undefined) return;
  addAll(errors, invalidEach(`${path}.runAsUserName`, user, checkWindowsUser(user)));
}

function checkWindowsUser(name: string): readonly string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  if (controlCharacters.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const user = parts.at(-1) ?? "";
  const domain = parts.length === 2 ? (parts[0] ?? "") : undefined;
  const found: string[] = [];
  if (domain !== undefined && domain.length >= windowsDomainCharactersMax) {
    found.push(
      `runAsUserName's Domain length must be under ${windowsDomainCharactersMax} characters`,
    );
  }
  if (domain !== undefined && !netBios.test(domain) && !windowsDomain.test(domain)) {
    found.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === "") found.push("runAsUserName's User cannot be empty");
  else if (user.length > windowsUserCharactersMax) {
    found.push(
      `runAsUserName's User length must not be longer than ${windowsUserCharactersMax} characters`,
    );
  }
  if (/^[. ]+$/.test(user)) {
    found.push("runAsUserName's User cannot contain only periods or spaces");
  }
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    found.push(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`);
  }
  return found;
}
