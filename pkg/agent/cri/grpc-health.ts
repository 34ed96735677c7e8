import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { Client, credentials, status as grpcStatus, type ServiceError } from "@grpc/grpc-js";

export type HealthAnswer =
  | { readonly outcome: "serving" }
  | { readonly outcome: "failed"; readonly message: string };

const serving = 1;

/** Asks `grpc.health.v1.Health/Check` of a server without TLS, as a pod's grpc probe does. */
export function checkGrpcHealth(
  target: { readonly host: string; readonly port: number; readonly service: string },
  timeoutMs: number,
): Promise<HealthAnswer> {
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  const address = `${host}:${target.port}`;
  const client = new Client(address, credentials.createInsecure(), {
    "grpc.enable_http_proxy": 0,
    "grpc.primary_user_agent": "kube-probe/1.36",
  });
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/grpc.health.v1.Health/Check",
      (service: string) => Buffer.from(new BinaryWriter().tag(1, 2).string(service).finish()),
      readStatus,
      target.service,
      { deadline: Date.now() + timeoutMs },
      (error: ServiceError | null, status) => {
        client.close();
        if (error === null && status === serving) resolve({ outcome: "serving" });
        else resolve({ outcome: "failed", message: explain(error, status, address, timeoutMs) });
      },
    );
  });
}

function readStatus(bytes: Buffer): number {
  const reader = new BinaryReader(bytes);
  let status = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) status = reader.int32();
    else reader.skip(wireType);
  }
  return status;
}

function explain(
  error: ServiceError | null,
  status: number | undefined,
  address: string,
  timeoutMs: number,
): string {
  if (error === null)
    return `service unhealthy (responded with "${status === 2 ? "NOT_SERVING" : "UNKNOWN"}")`;
  switch (error.code) {
    case grpcStatus.UNIMPLEMENTED:
      return "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)";
    case grpcStatus.DEADLINE_EXCEEDED:
    case grpcStatus.UNAVAILABLE:
      return `timeout: failed to connect service "${address}" within ${timeoutMs / 1000}s: ${error.details}`;
    default:
      return `error: health rpc probe failed: ${error.message}`;
  }
}
