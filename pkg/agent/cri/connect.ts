import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  Client,
  credentials,
  status as grpcStatus,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Default: {@link callTimeoutMs}. */
  readonly timeoutMs?: number;
}

/** A failed call: `code` is gRPC's, `message` is the runtime's own sentence. */
export class RpcError extends Error {
  readonly code: keyof typeof grpcStatus;

  constructor(code: keyof typeof grpcStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RpcError";
    this.code = code;
  }
}

/** The one connection to a socket; it connects, and connects again, by itself. */
export interface RpcConnection extends Disposable {
  /** Resolves once the server can be reached. */
  connected(signal: AbortSignal): Promise<void>;
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<MessageShape<O>>;
  /** Ends when the server ends it or `signal` aborts; rejects when the connection breaks. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
    options: { readonly signal: AbortSignal; readonly metadata?: Readonly<Record<string, string>> },
  ): AsyncIterable<MessageShape<O>>;
}

/** As upstream's kubelet waits for a call that is not a pull or an exec. */
const callTimeoutMs = 120_000;
const connectTimeoutMs = 10_000;

/** Containers' lists and statuses can be large; the runtime allows as much. */
const messageBytesMax = 16 * 1024 * 1024;

/** Connects to `unix:///path`, or to a path. Nothing is sent before the first call. */
export function connectRpc(endpoint: string): RpcConnection {
  const path = endpoint.replace(/^unix:\/\//, "");
  const client = new Client(`unix://${path}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": messageBytesMax,
    "grpc.max_send_message_length": messageBytesMax,
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 1_000,
    "grpc.enable_http_proxy": 0,
    // The runtime's gRPC server refuses the percent-encoded path that would be sent otherwise.
    "grpc.default_authority": "localhost",
  });
  return {
    connected(signal) {
      return new Promise((resolve, reject) => {
        const stop = () => reject(signal.reason);
        if (signal.aborted) stop();
        signal.addEventListener("abort", stop, { once: true });
        const wait = () =>
          client.waitForReady(Date.now() + connectTimeoutMs, (error) => {
            if (signal.aborted) return;
            if (error !== undefined) {
              wait();
              return;
            }
            signal.removeEventListener("abort", stop);
            resolve();
          });
        wait();
      });
    },
    call(method, input, { signal, timeoutMs }) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const call = client.makeUnaryRequest(
          pathOf(method),
          (message: MessageShape<typeof method.input>) =>
            Buffer.from(toBinary(method.input, message)),
          (bytes: Buffer) => fromBinary(method.output, bytes),
          create(method.input, input),
          { deadline: Date.now() + (timeoutMs ?? callTimeoutMs) },
          (error: ServiceError | null, response) => {
            signal.removeEventListener("abort", cancel);
            if (signal.aborted) reject(signal.reason);
            else if (error !== null) reject(rpcError(error));
            else if (response === undefined)
              reject(new RpcError("INTERNAL", `${method.name} was answered with nothing`));
            else resolve(response);
          },
        );
        const cancel = () => call.cancel();
        signal.addEventListener("abort", cancel, { once: true });
      });
    },
    async *stream(method, input, { signal, metadata }) {
      signal.throwIfAborted();
      const headers = new Metadata();
      for (const [name, value] of Object.entries(metadata ?? {})) headers.set(name, value);
      const call = client.makeServerStreamRequest(
        pathOf(method),
        (message: MessageShape<typeof method.input>) =>
          Buffer.from(toBinary(method.input, message)),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        create(method.input, input),
        headers,
      );
      const cancel = () => call.cancel();
      signal.addEventListener("abort", cancel, { once: true });
      try {
        for await (const message of call) yield message;
      } catch (caught) {
        signal.throwIfAborted();
        throw isServiceError(caught) ? rpcError(caught) : caught;
      } finally {
        signal.removeEventListener("abort", cancel);
        call.cancel();
      }
    },
    [Symbol.dispose]: () => client.close(),
  };
}

function pathOf(method: { readonly parent: { readonly typeName: string }; readonly name: string }) {
  return `/${method.parent.typeName}/${method.name}`;
}

function isServiceError(caught: unknown): caught is ServiceError {
  return caught instanceof Error && "code" in caught && "details" in caught;
}

function rpcError(error: ServiceError): RpcError {
  const code = (grpcStatus[error.code] ?? "UNKNOWN") as keyof typeof grpcStatus;
  return new RpcError(code, error.details || error.message, { cause: error });
}
