import type { Logger } from "../../base/log.ts";
import type { Revision } from "../../datastore/datastore.ts";
import type { HubEvent, HubWatcher } from "./hub.ts";

interface Registration {
  readonly watcher: HubWatcher;
  /** It has been told of everything up to here. */
  toldUpTo: Revision;
}

/**
 * Who watches what, by prefix: an event finds its watchers by the few prefixes of its own key, so a thousand
 * watches of other namespaces cost it nothing. Watchers of one prefix are handed the same list of events.
 */
export class HubWatches {
  readonly #byPrefix = new Map<string, Set<Registration>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Returns the way to stop. `prefix` ends with a slash, or is a whole key, or empty for everything. */
  add(prefix: string, toldUpTo: Revision, watcher: HubWatcher): () => void {
    const registration = { watcher, toldUpTo };
    const registrations = this.#byPrefix.get(prefix) ?? new Set();
    registrations.add(registration);
    this.#byPrefix.set(prefix, registrations);
    return () => this.#remove(prefix, registration);
  }

  /** How many watch under exactly this prefix. */
  count(prefix: string): number {
    return this.#byPrefix.get(prefix)?.size ?? 0;
  }

  tell(events: readonly HubEvent[], upTo: Revision): void {
    for (const [prefix, group] of this.#grouped(events)) {
      // A copy, because whoever is told may begin or end watches.
      for (const registration of [...(this.#byPrefix.get(prefix) ?? [])])
        this.#tellOne(prefix, registration, group, upTo);
    }
  }

  /** Ends every watch. */
  expireAll(): void {
    for (const [prefix, registrations] of [...this.#byPrefix]) {
      for (const registration of [...registrations]) this.#end(prefix, registration);
    }
  }

  /** The events of each prefix that somebody watches. */
  #grouped(events: readonly HubEvent[]): Map<string, HubEvent[]> {
    const groups = new Map<string, HubEvent[]>();
    for (const event of events) {
      for (const prefix of prefixesOf(event.current.key)) {
        if (!this.#byPrefix.has(prefix)) continue;
        const group = groups.get(prefix);
        if (group === undefined) groups.set(prefix, [event]);
        else group.push(event);
      }
    }
    return groups;
  }

  #tellOne(
    prefix: string,
    registration: Registration,
    group: readonly HubEvent[],
    upTo: Revision,
  ): void {
    const { toldUpTo } = registration;
    const first = group[0];
    const events =
      first === undefined || first.revision > toldUpTo
        ? group
        : group.filter((event) => event.revision > toldUpTo);
    if (events.length === 0 || !this.#byPrefix.get(prefix)?.has(registration)) return;
    registration.toldUpTo = upTo;
    try {
      registration.watcher.onEvents(events, upTo);
    } catch (error) {
      this.#logger.error("a watcher failed on its events and is ended", { prefix, error });
      this.#end(prefix, registration);
    }
  }

  #end(prefix: string, registration: Registration): void {
    this.#remove(prefix, registration);
    try {
      registration.watcher.onExpired();
    } catch (error) {
      this.#logger.error("a watcher failed on being ended", { prefix, error });
    }
  }

  #remove(prefix: string, registration: Registration): void {
    const registrations = this.#byPrefix.get(prefix);
    registrations?.delete(registration);
    if (registrations?.size === 0) this.#byPrefix.delete(prefix);
  }
}

/** Every prefix under which `key` may be watched: "", `pods/`, `pods/default/`, and the key itself. */
function* prefixesOf(key: string): Generator<string> {
  yield "";
  for (let slash = key.indexOf("/"); slash >= 0; slash = key.indexOf("/", slash + 1))
    yield key.slice(0, slash + 1);
  yield key;
}
