import type { Pod, Secret } from "../../api/generated/core-v1.generated.ts";
import { orAborted } from "../../base/abort.ts";
import { type BackoffPolicy, backoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { RpcError } from "../cri/connect.ts";
import type { Image } from "../cri/generated/cri-v1.generated.ts";
import type { ImageService, RegistryLogin } from "../cri/images.ts";
import type { SandboxConfig } from "../cri/runtime.ts";
import type { ContainerSpec } from "./container-specs.ts";
import { normalizeImageName, parseImageName } from "./image-name.ts";

/** A container cannot be started: what its status says, and when it may be tried again. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly reason: string;
  readonly retryAtMs: number;

  constructor(
    message: string,
    options: ErrorOptions & { readonly reason: string; readonly retryAtMs: number },
  ) {
    super(message, options);
    this.reason = options.reason;
    this.retryAtMs = options.retryAtMs;
  }
}

/** Says what happened to a container, as an Event. */
export type Tell = (type: "Normal" | "Warning", reason: string, message: string) => void;

export interface ImagesDeps {
  readonly images: Pick<ImageService, "status" | "pull">;
  /** Resolves once no image archive waits to be imported: what is missing may be in one. */
  importsDone(signal: AbortSignal): Promise<void>;
  readonly clock: Clock;
}

interface PullRequest {
  readonly pod: Pod;
  readonly container: ContainerSpec;
  readonly sandbox: SandboxConfig;
  /** The pod's `imagePullSecrets` that exist. */
  readonly pullSecrets: readonly Secret[];
  readonly tell: Tell;
}

/** Brings a container's image onto the machine, as its pull policy says. Failures are `StartError`s. */
export interface Images {
  ensure(request: PullRequest, signal: AbortSignal): Promise<Image>;
  /** Forgets what failed for a pod that is gone. */
  forget(podUid: string): void;
  /** Forgets all that failed: images have come by another way. */
  forgetFailures(): void;
}

const pullBackoff: BackoffPolicy = { firstMs: 10_000, maxMs: 300_000 };
/** So long `ErrImagePull` is shown with its message, before the status becomes ImagePullBackOff. */
const showFailureMs = 2_000;
/** What only a change of the pod or of the machine mends is looked at again so often. */
const retryMs = 10_000;

interface Failure {
  failures: number;
  untilMs: number;
  message: string;
}

export function createImages({ images, importsDone, clock }: ImagesDeps): Images {
  const failed = new Map<string, Failure>();
  const pulling = new Map<string, Promise<void>>();

  async function pull(request: PullRequest, name: string, signal: AbortSignal): Promise<Image> {
    const { pod, container, tell } = request;
    const shown = container.spec.image ?? "";
    const key = `${pod.metadata.uid}/${name}`;
    const before = failed.get(key);
    if (before !== undefined && before.untilMs > clock.now()) {
      tell("Normal", "BackOff", `Back-off pulling image "${shown}": ${before.message}`);
      throw new StartError(`Back-off pulling image "${shown}": ErrImagePull: ${before.message}`, {
        reason: "ImagePullBackOff",
        retryAtMs: before.untilMs,
      });
    }
    tell("Normal", "Pulling", `Pulling image "${shown}"`);
    const since = clock.monotonic();
    try {
      await pullWithLogins(request, name, signal);
      const image = await images.status(name, { signal });
      if (image === undefined)
        throw new Error(`image "${shown}" is gone right after it was pulled`);
      failed.delete(key);
      const took = goDuration(clock.monotonic() - since);
      tell(
        "Normal",
        "Pulled",
        `Successfully pulled image "${shown}" in ${took} (${took} including waiting). Image size: ${image.size} bytes.`,
      );
      return image;
    } catch (caught) {
      signal.throwIfAborted();
      const message = caught instanceof Error ? caught.message : String(caught);
      const failures = (before?.failures ?? 0) + 1;
      const untilMs = clock.now() + backoffMs(pullBackoff, failures);
      failed.set(key, { failures, untilMs, message });
      tell("Warning", "Failed", `Failed to pull image "${shown}": ${message}`);
      const retryAtMs = clock.now() + showFailureMs;
      throw new StartError(message, { reason: "ErrImagePull", retryAtMs, cause: caught });
    }
  }

  /** Tries each login that fits, then without one; the pods that wait for one image share a pull. */
  async function pullWithLogins(
    { pullSecrets, sandbox }: PullRequest,
    name: string,
    signal: AbortSignal,
  ): Promise<void> {
    const logins = loginsFor(name, pullSecrets);
    if (logins.length === 0) {
      let shared = pulling.get(name);
      if (shared === undefined) {
        // Not of this caller alone: the pull goes on when this pod is deleted while another waits for it.
        shared = images
          .pull(name, undefined, sandbox, { signal: new AbortController().signal })
          .then(() => {})
          .finally(() => pulling.delete(name));
        shared.catch(() => {});
        pulling.set(name, shared);
      }
      await orAborted(shared, signal);
      return;
    }
    let failure: unknown;
    for (const login of logins) {
      try {
        await images.pull(name, login, sandbox, { signal });
        return;
      } catch (caught) {
        signal.throwIfAborted();
        failure = caught;
      }
    }
    throw failure;
  }

  return {
    async ensure(request, signal) {
      const { container, tell } = request;
      const shown = container.spec.image ?? "";
      if (parseImageName(shown) === undefined) {
        const message = `Failed to apply default image tag "${shown}": couldn't parse image name "${shown}": invalid reference format`;
        tell("Warning", "InspectFailed", message);
        throw new StartError(message, {
          reason: "InvalidImageName",
          retryAtMs: clock.now() + retryMs,
        });
      }
      const name = normalizeImageName(shown);
      const policy = container.spec.imagePullPolicy ?? "IfNotPresent";
      if (policy === "Always") return await pull(request, name, signal);
      const image = await inspect(name, signal);
      if (image !== undefined) {
        tell(
          "Normal",
          "Pulled",
          `Container image "${shown}" already present on machine and can be accessed by the pod`,
        );
        return image;
      }
      if (policy === "Never") {
        const message = `Container image "${shown}" is not present with pull policy of Never`;
        tell("Warning", "ErrImageNeverPull", message);
        throw new StartError(message, {
          reason: "ErrImageNeverPull",
          retryAtMs: clock.now() + retryMs,
        });
      }
      return await pull(request, name, signal);
    },
    forgetFailures: () => failed.clear(),
    forget(podUid) {
      for (const key of failed.keys()) if (key.startsWith(`${podUid}/`)) failed.delete(key);
    },
  };

  async function inspect(name: string, signal: AbortSignal): Promise<Image | undefined> {
    try {
      const found = await images.status(name, { signal });
      if (found !== undefined) return found;
      await importsDone(signal);
      return await images.status(name, { signal });
    } catch (caught) {
      if (!(caught instanceof RpcError)) throw caught;
      throw new StartError(`Failed to inspect image "${name}": ${caught.message}`, {
        reason: "ImageInspectError",
        retryAtMs: clock.now() + retryMs,
        cause: caught,
      });
    }
  }
}

/** The logins in these Secrets for the registry and path of `image`, the most exact first. */
export function loginsFor(image: string, secrets: readonly Secret[]): readonly RegistryLogin[] {
  const name = parseImageName(image);
  if (name === undefined) return [];
  const target = `${name.registry}/${name.path}`;
  const matches: { readonly length: number; readonly login: RegistryLogin }[] = [];
  for (const secret of secrets) {
    for (const [registry, entry] of Object.entries(authsOf(secret))) {
      const prefix = registry
        .replace(/^https?:\/\//, "")
        .replace(/\/v[12]\/?$/, "")
        .replace(/^index\.docker\.io/, "docker.io")
        .replace(/\/$/, "");
      const fits = target === prefix || target.startsWith(`${prefix}/`);
      const login = loginOf(entry);
      if (fits && login !== undefined) matches.push({ length: prefix.length, login });
    }
  }
  return matches.sort((one, other) => other.length - one.length).map(({ login }) => login);
}

interface AuthEntry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
}

function authsOf(secret: Secret): Readonly<Record<string, AuthEntry>> {
  const modern = secret.data?.[".dockerconfigjson"];
  const legacy = secret.data?.[".dockercfg"];
  const encoded = modern ?? legacy;
  if (encoded === undefined) return {};
  try {
    const parsed = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
    return (modern === undefined ? parsed : parsed.auths) ?? {};
  } catch {
    // Validation lets only well-formed ones in; a broken one is as good as none, and the pull says what is missing.
    return {};
  }
}

function loginOf({ username, password, auth }: AuthEntry): RegistryLogin | undefined {
  if (auth !== undefined && auth !== "") {
    const [, user, secret] =
      /^([^:]*):([\s\S]*)$/.exec(Buffer.from(auth, "base64").toString()) ?? [];
    if (user !== undefined && secret !== undefined) return { username: user, password: secret };
  }
  return username === undefined ? undefined : { username, password: password ?? "" };
}

/** As Go prints a duration in events: `1.234s`, `87ms`. */
function goDuration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : `${(Math.round(ms) / 1000).toString()}s`;
}
