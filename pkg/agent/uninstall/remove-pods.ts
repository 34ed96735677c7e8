import type { RuntimeService } from "../cri/runtime.ts";

const atOnce = 8;

/** Stops and removes the sandboxes of our pods, with their containers; returns the pods' uids. */
export async function removePods(
  runtime: RuntimeService,
  isOurs: (uid: string) => boolean,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const sandboxes = (await runtime.listPodSandboxes({}, { signal })).filter(({ metadata }) =>
    isOurs(metadata?.uid ?? ""),
  );
  if (sandboxes.length > 0) say(`removing ${sandboxes.length} pods`);
  const waiting = [...sandboxes];
  const failures: unknown[] = [];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        try {
          await runtime.stopPodSandbox(next.id, { signal });
          await runtime.removePodSandbox(next.id, { signal });
        } catch (caught) {
          signal.throwIfAborted();
          failures.push(caught);
        }
      }
    }),
  );
  const [failure] = failures;
  if (failure !== undefined)
    say(`${failures.length} pods are taken away by force: ${String(failure)}`);
  return sandboxes.map(({ metadata }) => metadata?.uid ?? "");
}
