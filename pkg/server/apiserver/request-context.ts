import type { UserInfo } from "./authn/authenticator.ts";

/** Who asks, how long they wait, and what they should be warned of: all a verb needs to know of its caller. */
export interface RequestContext {
  readonly user: UserInfo;
  readonly signal: AbortSignal;
  /** Owns the fields a write sets, where the write names no field manager itself. */
  readonly fieldManager: string;
  /** Sentences for the `Warning` header; verbs and admission add to it. */
  readonly warnings: string[];
  /** Where what was sent is large: others are answered meanwhile. To be awaited between two steps of the work. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** The field manager of a client that names none: the first word of its User-Agent, as Kubernetes takes it. */
export function fieldManagerOf(userAgent: string | undefined): string {
  const product = (userAgent ?? "").split("/", 1)[0] ?? "";
  const printable = [...product].filter((character) => /^[^\p{C}\p{Zl}\p{Zp}]$/u.test(character));
  return printable.slice(0, 128).join("") || "unknown";
}
