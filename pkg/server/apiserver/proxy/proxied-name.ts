/** What `[scheme:]name[:port]` in a proxy's path names. */
export interface ProxiedName {
  /** "" where none is said. */
  readonly scheme: "" | "http" | "https";
  readonly name: string;
  /** A number or a port's name; "" where none is said. */
  readonly port: string;
}

/** Reads `name`, `name:port` or `scheme:name:port`; undefined where it is none of these. */
export function parseProxiedName(id: string): ProxiedName | undefined {
  const parts = id.split(":");
  if (parts.length > 3) return undefined;
  const [scheme = "", name = "", port = ""] = parts.length === 3 ? parts : ["", ...parts];
  if (name === "") return undefined;
  if (scheme !== "" && scheme !== "http" && scheme !== "https") return undefined;
  return { scheme, name, port };
}
