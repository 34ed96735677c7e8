import type { CallOptions, RpcConnection } from "./connect.ts";
import {
  type FilesystemUsage,
  type Image,
  ImageService as ImageServiceDescriptor,
} from "./generated/cri-v1.generated.ts";
import type { SandboxConfig } from "./runtime.ts";

export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
}

/** The verbs of CRI's ImageService that a node needs. */
export interface ImageService {
  list(options: CallOptions): Promise<readonly Image[]>;
  /** Undefined where the image is not on this machine. */
  status(image: string, options: CallOptions): Promise<Image | undefined>;
  /** Fetches the image; returns its reference, by digest. */
  pull(
    image: string,
    login: RegistryLogin | undefined,
    sandbox: SandboxConfig | undefined,
    options: CallOptions,
  ): Promise<string>;
  remove(image: string, options: CallOptions): Promise<void>;
  filesystems(options: CallOptions): Promise<readonly FilesystemUsage[]>;
}

/** A large image over a slow line takes its time; what hangs for longer is given up. */
const pullTimeoutMs = 3_600_000;

export function createImageService(connection: RpcConnection): ImageService {
  const { method } = ImageServiceDescriptor;
  return {
    async list(options) {
      return (await connection.call(method.listImages, {}, options)).images;
    },
    async status(image, options) {
      return (await connection.call(method.imageStatus, { image: { image } }, options)).image;
    },
    async pull(image, auth, sandboxConfig, options) {
      const input = {
        image: { image },
        ...(auth === undefined ? {} : { auth }),
        ...(sandboxConfig === undefined ? {} : { sandboxConfig }),
      };
      const answer = await connection.call(method.pullImage, input, {
        timeoutMs: pullTimeoutMs,
        ...options,
      });
      return answer.imageRef;
    },
    async remove(image, options) {
      await connection.call(method.removeImage, { image: { image } }, options);
    },
    async filesystems(options) {
      return (await connection.call(method.imageFsInfo, {}, options)).imageFilesystems;
    },
  };
}
