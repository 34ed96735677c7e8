import { createHash } from "node:crypto";
import { packTar } from "modern-tar";

export interface ImageFile {
  /** Relative to the image's root, without a leading slash. */
  readonly path: string;
  readonly content:
    | { readonly type: "file"; readonly body: Uint8Array; readonly mode: number }
    | { readonly type: "directory"; readonly mode: number }
    | { readonly type: "symlink"; readonly target: string };
}

export interface ImageRecipe {
  /** The full name, as containerd keeps it: `localhost/name:tag`. */
  readonly name: string;
  /** As Go names it: amd64, arm64. */
  readonly architecture: string;
  readonly files: readonly ImageFile[];
  /** The `config` of the OCI image: Entrypoint, Cmd, Env, User, … */
  readonly config: Readonly<Record<string, unknown>>;
}

interface Blob {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** An image of one layer as an OCI archive. The same recipe gives the same bytes, so the same digest. */
export async function packOciArchive(recipe: ImageRecipe): Promise<Uint8Array> {
  const layer = blobOf(await packTar(recipe.files.map(layerEntry)));
  const config = jsonBlob({
    architecture: recipe.architecture,
    os: "linux",
    config: recipe.config,
    rootfs: { type: "layers", diff_ids: [layer.digest] },
    history: [{ created_by: "mini8s" }],
  });
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        ...descriptor("application/vnd.oci.image.manifest.v1+json", manifest),
        annotations: { "io.containerd.image.name": recipe.name },
        platform: { architecture: recipe.architecture, os: "linux" },
      },
    ],
  };
  return await packTar([
    fileEntry("oci-layout", jsonBytes({ imageLayoutVersion: "1.0.0" }), 0o644),
    fileEntry("index.json", jsonBytes(index), 0o644),
    ...[layer, config, manifest].map((blob) =>
      fileEntry(`blobs/${blob.digest.replace(":", "/")}`, blob.bytes, 0o644),
    ),
  ]);
}

type TarEntry = Parameters<typeof packTar>[0][number];

/** Fixed, so that the digest depends on the content alone. */
const modified = new Date(0);

function fileEntry(name: string, body: Uint8Array, mode: number): TarEntry {
  return {
    header: { name, type: "file", size: body.length, mode, mtime: modified },
    body: Uint8Array.from(body),
  };
}

function layerEntry({ path, content }: ImageFile): TarEntry {
  switch (content.type) {
    case "file":
      return fileEntry(path, content.body, content.mode);
    case "directory":
      return {
        header: {
          name: `${path}/`,
          type: "directory",
          size: 0,
          mode: content.mode,
          mtime: modified,
        },
      };
    case "symlink":
      return {
        header: {
          name: path,
          type: "symlink",
          linkname: content.target,
          size: 0,
          mode: 0o777,
          mtime: modified,
        },
      };
  }
}

function descriptor(mediaType: string, blob: Blob) {
  return { mediaType, digest: blob.digest, size: blob.bytes.length };
}

function jsonBlob(value: unknown): Blob {
  return blobOf(jsonBytes(value));
}

function blobOf(bytes: Uint8Array): Blob {
  return { digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, bytes };
}

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
