/** `registry/path:tag@digest` in its parts; `digest` and `tag` are absent where the name has none. */
export interface ImageName {
  readonly registry: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

const defaultRegistry = "docker.io";
const pathPart = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const registryPart =
  "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\\[[a-fA-F0-9:]+\\]";
const pattern = new RegExp(
  `^(?:((?:${registryPart})(?::[0-9]+)?)/)?(${pathPart}(?:/${pathPart})*)(?::(\\w[\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);
/** Longer ones are refused before they are matched: no registry takes them. */
const nameCharsMax = 1_024;

/** Undefined where `text` is no name of an image, by the grammar of the distribution project. */
export function parseImageName(text: string): ImageName | undefined {
  if (text.length > nameCharsMax) return undefined;
  const [first, ...rest] = text.split("/");
  const namesRegistry =
    rest.length > 0 && first !== undefined && (/[.:]/.test(first) || first === "localhost");
  // Without this a first part that only looks like a path would be taken for a registry.
  const full = namesRegistry ? text : `${defaultRegistry}/${text}`;
  const [, registry, path, tag, digest] = pattern.exec(full) ?? [];
  if (registry === undefined || path === undefined) return undefined;
  return {
    registry,
    path: registry === defaultRegistry && !path.includes("/") ? `library/${path}` : path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The full name that runtimes keep the image under: registry, path, and the tag `latest` where none is given. */
export function normalizeImageName(text: string): string {
  const name = parseImageName(text);
  if (name === undefined) throw new Error(`${JSON.stringify(text)} is no image name`);
  const tag = name.tag ?? (name.digest === undefined ? "latest" : undefined);
  return `${name.registry}/${name.path}${tag === undefined ? "" : `:${tag}`}${name.digest === undefined ? "" : `@${name.digest}`}`;
}
