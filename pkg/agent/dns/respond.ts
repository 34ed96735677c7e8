import {
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  type Answer as PacketAnswer,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
} from "dns-packet";
import { answerFromCluster, type Record, type ZoneSource } from "./cluster-zone.ts";

/** As CoreDNS's kubernetes plugin. */
const ttlSeconds = 5;

const nameError = 3;

/** The response to `query` out of the cluster's names, or undefined where an upstream must be asked. */
export function respondFromCluster(
  source: ZoneSource,
  domain: string,
  query: DecodedPacket,
): DecodedPacket | undefined {
  const question = query.questions?.[0];
  if (question === undefined) return undefined;
  const answer = answerFromCluster(source, domain, question.name, question.type);
  switch (answer.outcome) {
    case "foreign":
      return undefined;
    case "missing":
      return response(query, [], domain, nameError);
    case "empty":
      return response(query, [], domain, 0);
    case "records":
      return response(
        query,
        answer.records.map((record) => toPacket(question.name, record)),
        domain,
        0,
      );
  }
}

function toPacket(name: string, record: Record): PacketAnswer {
  return { name, ttl: ttlSeconds, class: "IN", ...record } as PacketAnswer;
}

function response(
  query: DecodedPacket,
  answers: PacketAnswer[],
  domain: string,
  rcode: number,
): DecodedPacket {
  const authorities: PacketAnswer[] =
    answers.length > 0
      ? []
      : [
          {
            type: "SOA",
            name: domain,
            ttl: ttlSeconds,
            data: {
              mname: `ns.dns.${domain}`,
              rname: `hostmaster.${domain}`,
              serial: 1,
              refresh: 7_200,
              retry: 1_800,
              expire: 86_400,
              minimum: ttlSeconds,
            },
          },
        ];
  return {
    id: query.id,
    type: "response",
    flags:
      AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | ((query.flags ?? 0) & RECURSION_DESIRED) | rcode,
    questions: query.questions ?? [],
    answers,
    authorities,
    additionals: [],
  } as unknown as DecodedPacket;
}
