import { fromBinary } from "@bufbuild/protobuf";
import { type RpcConnection, RpcError } from "./connect.ts";
import { RuntimeService } from "./generated/cri-v1.generated.ts";
import { Events, TaskEventSchema, TaskExitSchema } from "./generated/events-v1.generated.ts";

/** Something happened to this container or sandbox: look at it. */
export interface ContainerEvent {
  readonly id: string;
  readonly type: "created" | "started" | "stopped" | "deleted" | "oom";
}

const criTypes = ["created", "started", "stopped", "deleted"] as const;

/** containerd's topics. */
const topics: Readonly<Record<string, ContainerEvent["type"]>> = {
  "/tasks/create": "created",
  "/tasks/start": "started",
  "/tasks/exit": "stopped",
  "/tasks/oom": "oom",
  "/tasks/delete": "deleted",
};

/**
 * Tells of each change of a container, from CRI's own event stream where the runtime has one, else from containerd's.
 * Ends when the connection does; what happened meanwhile is not told, so look at everything once after each start.
 */
export async function* containerEvents(
  connection: RpcConnection,
  signal: AbortSignal,
): AsyncGenerator<ContainerEvent> {
  try {
    for await (const event of connection.stream(
      RuntimeService.method.getContainerEvents,
      {},
      { signal },
    )) {
      yield { id: event.containerId, type: criTypes[event.containerEventType] ?? "created" };
    }
    return;
  } catch (caught) {
    if (!(caught instanceof RpcError && caught.code === "UNIMPLEMENTED")) throw caught;
  }
  const filters = ['namespace==k8s.io,topic~="^/tasks/(create|start|exit|oom|delete)$"'];
  for await (const envelope of connection.stream(
    Events.method.subscribe,
    { filters },
    { signal },
  )) {
    const type = topics[envelope.topic];
    if (type === undefined || envelope.event === undefined) continue;
    if (type === "stopped") {
      const exit = fromBinary(TaskExitSchema, envelope.event.value);
      if (exit.id === exit.containerId) yield { id: exit.containerId, type };
      continue;
    }
    const event = fromBinary(TaskEventSchema, envelope.event.value);
    yield { id: event.containerId, type };
  }
}
