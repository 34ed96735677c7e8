import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { type Hub, storagePrefix } from "../hub.ts";

/** Keeps an index of one kind current. `current` is undefined after a delete, `previous` before a create. */
export type FeedHandler<T extends KubernetesObject> = (
  current: T | undefined,
  previous: T | undefined,
) => void;

/** Where indexes learn of every object of a kind: first of those that are there, then of each change. */
export interface ObjectFeed {
  /** Returns the way to end the subscription. `handler` must not throw. */
  subscribe<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    handler: FeedHandler<T>,
  ): () => void;
}

/** A feed from the hub: an index is current as soon as the write that changes it is visible. */
export function createObjectFeed(hub: Hub): ObjectFeed {
  return {
    subscribe(resource, handler) {
      const subscription = new Subscription(hub, storagePrefix(resource), (current, previous) =>
        handler(current as never, previous as never),
      );
      subscription.start();
      return () => subscription.stop();
    },
  };
}

class Subscription {
  readonly #hub: Hub;
  readonly #prefix: string;
  readonly #handler: FeedHandler<KubernetesObject>;
  /** What the handler was last told of each key: the pairs it gets are always consistent. */
  readonly #told = new Map<string, KubernetesObject>();
  #unwatch: () => void = () => {};

  constructor(hub: Hub, prefix: string, handler: FeedHandler<KubernetesObject>) {
    this.#hub = hub;
    this.#prefix = prefix;
    this.#handler = handler;
  }

  start(): void {
    const listed = this.#hub.list({ prefix: this.#prefix });
    if (listed.outcome !== "listed") throw new Error("a list of the present cannot be expired");
    const present = new Map(listed.objects.map((object) => [object.key, object.value]));
    for (const key of [...this.#told.keys()]) if (!present.has(key)) this.#tell(key, undefined);
    for (const [key, value] of present) this.#tell(key, value);
    this.#unwatch = this.#hub.watch(this.#prefix, listed.revision, {
      onEvents: (events) => {
        for (const event of events) {
          const { key, value } = event.current;
          this.#tell(key, event.type === "deleted" ? undefined : value);
        }
      },
      onExpired: () => this.start(),
    });
  }

  stop(): void {
    this.#unwatch();
  }

  #tell(key: string, current: KubernetesObject | undefined): void {
    const previous = this.#told.get(key);
    if (current === previous) return;
    if (current === undefined) this.#told.delete(key);
    else this.#told.set(key, current);
    this.#handler(current, previous);
  }
}
