import { expect, test } from "vitest";
import {
  type Container,
  ContainerState,
  type ContainerStatus,
  type PodSandbox,
  PodSandboxState,
} from "../cri/generated/cri-v1.generated.ts";
import { createObserver } from "./observe.ts";
import { names } from "./runtime-names.ts";

test("after the clock was set back, the newest is still the one that was made last", async () => {
  const second = 1_000_000_000n;
  const made = (attempt: number, createdAt: bigint) => ({
    id: `c${attempt}`,
    state: ContainerState.CONTAINER_RUNNING,
    podSandboxId: `s${attempt}`,
    labels: { [names.containerName]: "app" },
    annotations: { [names.restartCount]: String(attempt) },
    createdAt,
    startedAt: createdAt,
    finishedAt: 0n,
    exitCode: 0,
    reason: "",
    message: "",
    mounts: [],
  });
  const containers = [made(0, 7_200n * second), made(1, 3_600n * second)];
  const sandboxes = [0, 1].map((attempt) => ({
    id: `s${attempt}`,
    metadata: { attempt },
    state: PodSandboxState.SANDBOX_NOTREADY,
    createdAt: BigInt(7_200 - attempt * 3_600) * second,
  }));
  const observer = createObserver({
    listPodSandboxes: () => Promise.resolve(sandboxes as unknown as PodSandbox[]),
    podSandboxStatus: () => Promise.resolve(undefined),
    listContainers: () => Promise.resolve(containers as unknown as Container[]),
    containerStatus: (id) =>
      Promise.resolve(
        containers.find((container) => container.id === id) as unknown as ContainerStatus,
      ),
  });
  const pod = { uid: "u", namespace: "shop", name: "web" };
  const seen = await observer.look(pod, new AbortController().signal);
  expect(seen.containers.map(({ id }) => id)).toEqual(["c1", "c0"]);
  expect(seen.sandboxes.map(({ id }) => id)).toEqual(["s1", "s0"]);
});
