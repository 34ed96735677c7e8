import { type Answer, type DecodedPacket, decode, encode, type Packet } from "dns-packet";
import { expect, test } from "vitest";
import type { Service } from "../../api/generated/core-v1.generated.ts";
import { silentLogger } from "../../base/log.ts";
import { createAnswerMessage } from "./answer-message.ts";
import type { ZoneSource } from "./cluster-zone.ts";

const signal = new AbortController().signal;

function service(name: string, spec: Partial<Service["spec"]>): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace: "shop",
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: { type: "ClusterIP", ...spec },
    status: { loadBalancer: {} },
  };
}

const services = [
  service("web", { clusterIP: "10.43.0.7", clusterIPs: ["10.43.0.7"] }),
  service("alias", { type: "ExternalName", externalName: "second.shop.svc.cluster.local" }),
  service("second", { type: "ExternalName", externalName: "web.shop.svc.cluster.local" }),
  service("abroad", { type: "ExternalName", externalName: "example.org" }),
  service("circle", { type: "ExternalName", externalName: "circle.shop.svc.cluster.local" }),
];
const zone: ZoneSource = {
  service: (_namespace, name) => services.find(({ metadata }) => metadata.name === name),
  slices: () => [],
  namespaceExists: (name) => name === "shop",
  serviceByAddress: () => undefined,
};

/** Answers `packet`; the world outside answers `world`. */
async function ask(
  packet: Packet,
  options: { world?: Packet; known?: boolean; transport?: "datagram" | "stream" } = {},
): Promise<DecodedPacket & { readonly bytes: number }> {
  const answer = createAnswerMessage({
    zone,
    domain: "cluster.local",
    forwarder: {
      forward: () =>
        options.world === undefined
          ? Promise.reject(new Error("nobody there"))
          : Promise.resolve(decode(encode({ type: "response", ...options.world }))),
    },
    isZoneKnown: () => options.known ?? true,
    logger: silentLogger,
  });
  const message = encode({ type: "query", id: 7, ...packet });
  const response = await answer(message, options.transport ?? "datagram", signal);
  if (response === undefined) throw new Error("no answer");
  return Object.assign(decode(response), { bytes: response.length });
}
const about = (name: string, type: "A" | "AAAA" | "TXT" = "A"): Packet => ({
  questions: [{ type, name, class: "IN" }],
});
const data = ({ answers = [] }: DecodedPacket) =>
  answers.map((record) => ("data" in record ? record.data : undefined));
const code = { formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4 };
const codeOf = ({ flags = 0 }: DecodedPacket) => flags & 0xf;
const edns = (udpPayloadSize: number): Answer => ({
  type: "OPT",
  name: ".",
  udpPayloadSize,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
});

test("a chain of ExternalNames is followed, also out of the cluster, and one in a circle is cut", async () => {
  expect(data(await ask(about("alias.shop.svc.cluster.local")))).toEqual([
    "second.shop.svc.cluster.local",
    "web.shop.svc.cluster.local",
    "10.43.0.7",
  ]);
  const world: Packet = {
    answers: [{ type: "A", name: "example.org", ttl: 9, data: "192.0.2.1" }],
  };
  expect(data(await ask(about("abroad.shop.svc.cluster.local"), { world }))).toEqual([
    "example.org",
    "192.0.2.1",
  ]);
  const circle = await ask(about("circle.shop.svc.cluster.local"), { transport: "stream" });
  expect(data(circle)).toHaveLength(9);
});

test("before all names are known none is denied, and the world is answered already", async () => {
  const world: Packet = {
    answers: [{ type: "A", name: "example.org", ttl: 9, data: "192.0.2.1" }],
  };
  const options = { world, known: false };
  expect(codeOf(await ask(about("none.shop.svc.cluster.local"), options))).toBe(code.serverFailure);
  expect(data(await ask(about("example.org"), options))).toEqual(["192.0.2.1"]);
  expect(codeOf(await ask(about("none.shop.svc.cluster.local")))).toBe(code.nameError);
});

test("a world that does not answer is a failure to the client, under its own question", async () => {
  const response = await ask({ ...about("Example.ORG"), flags: 1 << 8 });
  expect(response).toMatchObject({ id: 7, type: "response", flag_rd: true });
  expect(codeOf(response)).toBe(code.serverFailure);
  expect(response.questions).toMatchObject([{ name: "Example.ORG", type: "A" }]);
});

test("what does not fit is cut and said so; over TCP it is whole", async () => {
  const long = Array.from({ length: 30 }, () => "x".repeat(200));
  const world: Packet = {
    answers: [{ type: "TXT", name: "example.org", ttl: 9, data: long }],
  };
  const query = about("example.org", "TXT");
  const plain = await ask(query, { world });
  expect(plain).toMatchObject({ flag_tc: true, answers: [] });
  expect(plain.bytes).toBeLessThanOrEqual(512);
  const greedy = await ask({ ...query, additionals: [edns(65_000)] }, { world });
  expect(greedy.flag_tc).toBe(true);
  const whole = await ask(query, { world, transport: "stream" });
  expect(whole).toMatchObject({ flag_tc: false });
  expect(whole.bytes).toBeGreaterThan(6_000);
});

test("EDNS is spoken with those who speak it, whatever the upstream said", async () => {
  const world: Packet = {
    answers: [{ type: "A", name: "example.org", ttl: 9, data: "192.0.2.1" }],
    additionals: [edns(4_000)],
  };
  expect((await ask(about("example.org"), { world })).additionals).toEqual([]);
  const spoken = await ask({ ...about("example.org"), additionals: [edns(1_400)] }, { world });
  expect(spoken.additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1_232 }]);
});

test("other things than one question are refused, and noise is not answered", async () => {
  expect(codeOf(await ask({ questions: [] }))).toBe(code.formatError);
  const [one] = about("web.shop.svc.cluster.local").questions ?? [];
  if (one === undefined) throw new Error("no question");
  expect(codeOf(await ask({ questions: [one, one] }))).toBe(code.formatError);
  expect(codeOf(await ask({ questions: [one], flags: 4 << 11 }))).toBe(code.notImplemented);
  const answer = createAnswerMessage({
    zone,
    domain: "cluster.local",
    forwarder: { forward: () => Promise.reject(new Error("asked")) },
    isZoneKnown: () => true,
    logger: silentLogger,
  });
  for (const noise of [Buffer.alloc(0), Buffer.from("noise"), Buffer.alloc(12, 0xff)])
    expect(await answer(noise, "datagram", signal)).toBeUndefined();
  const response = encode({ type: "response", id: 7, questions: [one] });
  expect(await answer(response, "datagram", signal)).toBeUndefined();
});

test("the version of the DNS specification is told", async () => {
  const { answers } = await ask(about("dns-version.cluster.local", "TXT"));
  expect(String(answers?.[0]?.type === "TXT" ? answers[0].data : "")).toBe("1.1.0");
});
