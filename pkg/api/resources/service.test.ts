import { describe, expect, test } from "vitest";
import { createdFromYaml, decodeYaml, problemsOf } from "../../../test/support/decode-yaml.ts";
import type { Service } from "../generated/core-v1.generated.ts";
import { serviceResource } from "./service.ts";

function service(spec: string): Service {
  return createdFromYaml(
    serviceResource,
    `{apiVersion: v1, kind: Service, metadata: {name: web, namespace: default}, spec: ${spec}}`,
  );
}

/** As the server stores it once it has given it addresses and ports. */
function allocated(spec: string, clusterIP: string, nodePort?: number): Service {
  const made = service(spec);
  const ports = (made.spec.ports ?? []).map((port) =>
    nodePort === undefined ? port : { ...port, nodePort },
  );
  return { ...made, spec: { ...made.spec, clusterIP, clusterIPs: [clusterIP], ports } };
}

function updated(previous: Service, spec: string): Service {
  const draft = decodeYaml(
    serviceResource,
    `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: ${spec}}`,
  );
  serviceResource.prepareUpdate?.(draft, previous);
  return draft as Service;
}

test("what a client leaves out is filled in", () => {
  expect(service("{selector: {app: web}, ports: [{port: 80}]}")).toMatchObject({
    spec: {
      type: "ClusterIP",
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ports: [{ port: 80, targetPort: 80, protocol: "TCP" }],
    },
    status: { loadBalancer: {} },
  });
  expect(
    service("{type: NodePort, sessionAffinity: ClientIP, ports: [{port: 80}]}").spec,
  ).toMatchObject({
    externalTrafficPolicy: "Cluster",
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
  });
  expect(service("{type: ExternalName, externalName: a.b}").spec.internalTrafficPolicy).toBe(
    undefined,
  );
});

describe("what is wrong with a service is said in upstream's words", () => {
  test.each<[string, string[]]>([
    ["{ports: [{port: 80}]}", []],
    ["{clusterIP: None}", []],
    ["{}", ["spec.ports: Required value"]],
    [
      "{ports: [{port: 70000, targetPort: 80}]}",
      ["spec.ports[0].port: Invalid value: must be between 1 and 65535, inclusive"],
    ],
    [
      "{ports: [{port: 80}, {port: 81}]}",
      ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ],
    [
      "{ports: [{name: a, port: 80}, {name: a, port: 80}]}",
      ["spec.ports[1].name: Duplicate value", "spec.ports[1]: Duplicate value"],
    ],
    [
      "{ports: [{port: 80, nodePort: 30000}]}",
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      "{type: Best, ports: [{port: 80}]}",
      [
        'spec.type: Unsupported value: supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    ["{type: ExternalName}", ["spec.externalName: Required value"]],
    [
      "{type: NodePort, clusterIP: None, ports: [{port: 80}]}",
      ["spec.clusterIPs[0]: Invalid value: may not be set to 'None' for NodePort services"],
    ],
    [
      "{clusterIP: 10.0.0, ports: [{port: 80}]}",
      [
        "spec.clusterIPs[0]: Invalid value: must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
      ],
    ],
  ])("%s", (spec, expected) => {
    expect(problemsOf(serviceResource, service(spec))).toEqual(expected);
  });
});

describe("an update keeps what the server allocated", () => {
  const before = allocated("{type: NodePort, ports: [{port: 80}]}", "10.43.0.7", 30001);

  test("address and node port", () => {
    const { spec } = updated(before, "{type: NodePort, ports: [{port: 80, targetPort: 8080}]}");
    expect(spec).toMatchObject({
      clusterIP: "10.43.0.7",
      clusterIPs: ["10.43.0.7"],
      ports: [{ nodePort: 30001, targetPort: 8080 }],
    });
  });

  test("but not what the new type has not", () => {
    expect(updated(before, "{ports: [{port: 80, nodePort: 30001}]}").spec).toMatchObject({
      clusterIP: "10.43.0.7",
      ports: [{ port: 80, targetPort: 80, protocol: "TCP" }],
    });
    const external = updated(
      before,
      "{type: ExternalName, externalName: a.b, clusterIP: 10.43.0.7}",
    );
    expect(external.spec.clusterIP).toBe(undefined);
    expect(external.spec.clusterIPs).toBe(undefined);
  });

  test("and the address does not change", () => {
    const next = updated(before, "{type: NodePort, clusterIP: 10.43.0.8, ports: [{port: 80}]}");
    expect(serviceResource.validateUpdate?.(next, before)).toMatchObject([
      { path: "spec.clusterIPs[0]", detail: "may not change once set" },
    ]);
  });
});

test("kubectl get services", () => {
  const object: Service = {
    ...allocated(
      "{type: NodePort, ports: [{port: 80}], selector: {b: c, a: b}}",
      "10.43.0.7",
      30001,
    ),
    metadata: {
      name: "web",
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
  };
  const nowMs = Date.parse("2026-01-03T00:00:00Z");
  expect(serviceResource.columns.map((column) => column.cell(object, nowMs))).toEqual([
    "web",
    "NodePort",
    "10.43.0.7",
    "<none>",
    "80:30001/TCP",
    "2d",
    "a=b,b=c",
  ]);
});
