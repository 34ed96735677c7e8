import type { ClientHttp2Session } from "node:http2";
import type { Answer, ApiWorld } from "../server/api-world.ts";
import type { Random } from "./random.ts";
import type {
  Moment,
  ReadMode,
  Recorded,
  RecordedWatch,
  RecordedWrite,
  SeenState,
} from "./recorded.ts";

const namespace = "history";
const path = `/api/v1/namespaces/${namespace}/configmaps`;
/** What the store's keys of these objects begin with. */
const prefix = `configmaps/${namespace}/`;
const names = ["a", "b", "c", "d", "e", "f"];
const colors = ["red", "blue"];
const lastName = "z";
/** Enough for a client that does not read to be felt. */
const padding = "x".repeat(2_000);

interface ServedConfigMap {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: { readonly color: string };
  };
  readonly data: { readonly value: string };
}

/** Clients that do all they can to the ConfigMaps of one namespace over the wire, and note what they are told. */
export class ApiClients {
  readonly history: Recorded[] = [];
  /** What has no place in a history, and must not be. */
  readonly violations: string[] = [];
  readonly #world: ApiWorld;
  readonly #random: Random;
  readonly #uids = new Map<string, string>();
  readonly #versions: string[] = [];
  #moment: Moment = 0;
  #values = 0;

  constructor(world: ApiWorld, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  async prepare(): Promise<void> {
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
    await this.#world.request("POST", "/api/v1/namespaces", { body });
    this.#versions.push((await this.#world.request("GET", path)).json.metadata.resourceVersion);
  }

  /** One client, for so many requests. */
  async work(requests: number): Promise<void> {
    for (let request = 0; request < requests; request++) {
      const action = this.#random.weighted({ write: 6, unconditional: 1, nothing: 1, list: 3 });
      if (action === "write") await this.#write();
      else if (action === "unconditional") await this.#patch();
      else if (action === "nothing") await this.#changeNothing();
      else await this.#list();
    }
  }

  /** The last change of all: who has been told of it has been told of everything. */
  async finish(): Promise<string> {
    const body = this.#object(lastName, "red");
    const began = this.#moment++;
    const answer = await this.#world.request("POST", path, { body });
    this.#noteWrite("create", lastName, undefined, body.data.value, began, answer);
    return answer.json.metadata.resourceVersion;
  }

  /** A watch from a version somebody has seen, by a client that reads at once, or not before `read` is called. */
  watch(session: ClientHttp2Session, reads: "at once" | "late"): HistoryWatch {
    const after = this.#random.pick(this.#versions);
    const color = this.#random.chance(0.5) ? this.#random.pick(colors) : undefined;
    const selects =
      color === undefined ? undefined : (value: string) => value.endsWith(` ${color}`);
    const recorded: RecordedWatch = {
      ...{ what: "watch", view: "the API", prefix, after: Number(after), steps: [] },
      selects,
    };
    this.history.push(recorded);
    const query = color === undefined ? "" : `&labelSelector=color%3D${color}`;
    const url = `${path}?watch=1&allowWatchBookmarks=true&resourceVersion=${after}${query}`;
    return new HistoryWatch(session, url, recorded, () => this.#moment++, reads);
  }

  async #write(): Promise<void> {
    const name = this.#random.pick(names);
    const began = this.#moment++;
    const seen = await this.#world.request("GET", `${path}/${name}`);
    if (seen.status === 404) {
      const body = this.#object(name, this.#random.pick(colors));
      const answer = await this.#world.request("POST", path, { body });
      if (answer.status === 201) this.#noteUid(answer.json);
      this.#noteWrite("create", name, undefined, body.data.value, began, answer);
      return;
    }
    const { resourceVersion } = (seen.json as ServedConfigMap).metadata;
    if (this.#random.chance(0.3)) {
      const body = { preconditions: { resourceVersion } };
      const answer = await this.#world.request("DELETE", `${path}/${name}`, { body });
      // What a delete answers does not tell its version.
      if (answer.status !== 200) return;
      const write = this.#record("delete", name, Number(resourceVersion), "", began);
      write.ended = this.#moment++;
      return;
    }
    const body = this.#object(name, this.#random.pick(colors), resourceVersion);
    const answer = await this.#world.request("PUT", `${path}/${name}`, { body });
    this.#noteWrite("update", name, Number(resourceVersion), body.data.value, began, answer);
  }

  async #patch(): Promise<void> {
    const name = this.#random.pick(names);
    const { data, metadata } = this.#object(name, this.#random.pick(colors));
    const began = this.#moment++;
    const answer = await this.#world.request("PATCH", `${path}/${name}`, {
      body: { data, metadata: { labels: metadata.labels } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    if (answer.status === 200)
      this.#noteWrite("update", name, undefined, data.value, began, answer);
  }

  async #changeNothing(): Promise<void> {
    const name = this.#random.pick(names);
    const seen = await this.#world.request("GET", `${path}/${name}`);
    if (seen.status !== 200) return;
    const answer = await this.#world.request("PUT", `${path}/${name}`, { body: seen.json });
    if (answer.status !== 200) return;
    const [before, after] = [seen.json, answer.json].map((one) => one.metadata.resourceVersion);
    if (before !== after)
      this.violations.push(`an update of ${name} that changes nothing took ${before} to ${after}`);
  }

  async #list(): Promise<void> {
    const began = this.#moment++;
    const version = this.#random.pick(this.#versions);
    const [query, mode] = this.#random.pick<readonly [string, ReadMode]>([
      ["", { type: "consistent" }],
      ["?limit=2", { type: "consistent" }],
      ["?resourceVersion=0", { type: "any" }],
      [`?resourceVersion=${version}`, { type: "not older", than: Number(version) }],
      [
        `?resourceVersion=${version}&resourceVersionMatch=Exact`,
        { type: "exact", at: Number(version) },
      ],
    ]);
    const first = await this.#world.request("GET", `${path}${query}`);
    const ended = this.#moment++;
    if (first.status === 410) {
      this.#noteExpired(first);

      this.history.push({
        ...{ what: "read", view: "the API", prefix, mode, began, ended, outcome: "expired" },
      });
      return;
    }
    const { resourceVersion } = first.json.metadata;
    const states: SeenState[] = first.json.items.map(seen);
    let token: string | undefined = first.json.metadata.continue;
    while (token !== undefined && token !== "") {
      const page = await this.#world.request("GET", `${path}?limit=2&continue=${token}`);
      if (page.status === 410) {
        this.#noteExpired(page);
        return;
      }

      if (page.json.metadata.resourceVersion !== resourceVersion)
        this.violations.push("a page of a list is at another version than the first");
      states.push(...page.json.items.map(seen));
      token = page.json.metadata.continue;
    }
    this.#versions.push(resourceVersion);
    const outcome = { revision: Number(resourceVersion), states };
    this.history.push({ what: "read", view: "the API", prefix, mode, began, ended, outcome });
  }

  #noteExpired({ json }: Answer): void {
    if (json.reason !== "Expired" || json.code !== 410)
      this.violations.push(`a past that is forgotten is answered with ${JSON.stringify(json)}`);
  }

  #object(name: string, color: string, resourceVersion?: string) {
    return {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name,
        labels: { color },
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      data: { value: `w${this.#values++} ${color}`, padding },
    };
  }

  #record(
    did: RecordedWrite["did"],
    name: string,
    expected: number | undefined,
    value: string,
    began: Moment,
  ): RecordedWrite {
    const ended = Number.POSITIVE_INFINITY;
    const write: RecordedWrite = {
      ...{ what: "write", did, key: prefix + name, expected, value, began, ended },
      outcome: "unknown",
    };
    this.history.push(write);
    return write;
  }

  #noteWrite(
    did: RecordedWrite["did"],
    name: string,
    expected: number | undefined,
    value: string,
    began: Moment,
    answer: Answer,
  ): void {
    if (answer.status === 404) return;
    const write = this.#record(did, name, expected, value, began);
    write.ended = this.#moment++;
    if (answer.status === 200 || answer.status === 201) {
      write.outcome = { written: seen(answer.json) };
      this.#versions.push(answer.json.metadata.resourceVersion);
    } else if (answer.status === 409) write.outcome = "refused";
    else this.violations.push(`a ${did} was answered with ${answer.status}: ${answer.text}`);
  }

  #noteUid({ metadata: { name, uid } }: ServedConfigMap): void {
    const other = this.#uids.get(uid);
    if (other !== undefined) this.violations.push(`${other} and a new ${name} have the uid ${uid}`);
    this.#uids.set(uid, name);
  }
}

/** A watch over the wire that notes what it is told. */
export class HistoryWatch {
  readonly #recorded: RecordedWatch;
  readonly #now: () => Moment;
  readonly #stream: ReturnType<ClientHttp2Session["request"]>;
  #text = "";
  #reached = 0;
  #wake = () => {};

  constructor(
    session: ClientHttp2Session,
    url: string,
    recorded: RecordedWatch,
    now: () => Moment,
    reads: "at once" | "late",
  ) {
    this.#recorded = recorded;
    this.#now = now;
    this.#stream = session.request({ ":path": url });
    this.#stream.setEncoding("utf8");
    this.#stream.on("data", (chunk: string) => this.#read(chunk));
    this.#stream.on("error", () => {});
    this.#stream.on("close", () => this.#wake());
    if (reads === "late") this.#stream.pause();
  }

  /** Reads on until it has been told of everything up to `revision`; the watch then ends. */
  async readUntil(revision: number): Promise<void> {
    this.#stream.resume();
    while (this.#reached < revision && !this.#stream.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#stream.close();
  }

  /** Whether it is told of the last change, which makes a red one. */
  get selectsLast(): boolean {
    return this.#recorded.selects?.(" red") ?? true;
  }

  #read(chunk: string): void {
    const lines = (this.#text + chunk).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) this.#note(JSON.parse(line));
    this.#wake();
  }

  #note(event: { readonly type: string; readonly object: ServedConfigMap }): void {
    const { steps } = this.#recorded;
    if (event.type === "ERROR") {
      steps.push({ type: "expired", at: this.#now(), oldest: Number.POSITIVE_INFINITY });
      this.#stream.close();
      return;
    }
    const upTo = Number(event.object.metadata.resourceVersion);
    const type = typeOf[event.type];
    const events = type === undefined ? [] : [{ type, current: seen(event.object) }];
    steps.push({ type: "events", at: this.#now(), events, upTo });
    this.#reached = upTo;
  }
}

const typeOf: Readonly<Record<string, "added" | "modified" | "deleted">> = {
  ADDED: "added",
  MODIFIED: "modified",
  DELETED: "deleted",
};

function seen({ metadata, data }: ServedConfigMap): SeenState {
  const { name, resourceVersion } = metadata;
  return { key: prefix + name, revision: Number(resourceVersion), value: data.value };
}
