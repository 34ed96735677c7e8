import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage } from "../support/images.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;

const page = '<html><body><a href="/other">other</a><a href="near">near</a></body></html>';

const manifest = `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: web
    image: busybox:1
    ports: [{containerPort: 8080}]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
    command: [sh, -c]
    args:
    - |
      mkdir -p /www/cgi-bin /www/folder
      printf '%s' '${page}' > /www/index.html
      printf plain > /www/folder/plain.txt
      printf '#!/bin/sh\\nprintf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\n"; env | grep -E "REQUEST_METHOD|QUERY|X_FORWARDED|AUTHORIZATION"; cat\\n' > /www/cgi-bin/echo
      chmod +x /www/cgi-bin/echo
      exec httpd -f -p 8080 -h /www
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: foreign}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: foreign-1, labels: {kubernetes.io/service-name: foreign}}
addressType: IPv4
ports: [{port: 6443}]
endpoints: [{addresses: ["10.1.2.3"], targetRef: {kind: Pod, name: web, namespace: default}}]
`;

beforeAll(async () => {
  host = await TestHost.create();
  await host.addImage(await busyboxImage());
  await host.start();
  await host.ready();
  await eventually("the namespace has its ServiceAccount", async () =>
    (await host.kubectl("get", "sa", "default")).exitCode === 0 ? true : undefined,
  );
  await host.apply(manifest);
  await host.k("wait", "--for=condition=Ready", "pod/web", "--timeout=30s");
  await eventually("the Service has its endpoint", async () =>
    (await host.k("get", "endpointslices", "-o", "yaml")).includes("port: 8080") ? true : undefined,
  );
});
afterAll(async () => {
  await host?.destroy();
});

const root = "/api/v1/namespaces/default";

async function raw(path: string): Promise<string> {
  return await host.k("get", "--raw", path);
}

async function refusal(path: string): Promise<string> {
  const { exitCode, stderr } = await host.kubectl("get", "--raw", path);
  expect(exitCode).not.toBe(0);
  return stderr;
}

test("a pod's pages are read through the API, with their links leading there again", async () => {
  for (const name of ["web", "web:8080", "http:web:8080"]) {
    expect(await raw(`${root}/pods/${name}/proxy/`)).toBe(
      page.replace('"/other"', `"${root}/pods/${name}/proxy/other"`),
    );
  }
  expect(await raw(`${root}/pods/web/proxy/folder/plain.txt`)).toBe("plain");
  expect(await raw(`${root}/pods/web/proxy/folder/../folder/./plain.txt`)).toBe("plain");
});

test("a Service's pages, by port number and by port name", async () => {
  for (const name of ["web:80", "web:http", "http:web:http"]) {
    expect(await raw(`${root}/services/${name}/proxy/folder/plain.txt`)).toBe("plain");
  }
});

test("what is asked reaches the pod; who asks does not", async () => {
  const answer = await raw(`${root}/pods/web/proxy/cgi-bin/echo?a=1&b=2`);
  expect(answer).toContain("REQUEST_METHOD=GET");
  expect(answer).toContain("QUERY_STRING=a=1&b=2");
  expect(answer).not.toContain("AUTHORIZATION");
});

test("a node's kubelet answers", async () => {
  const node = (await host.k("get", "nodes", "-o", "name")).replace("node/", "");
  for (const name of [node, `${node}:10250`, `https:${node}:10250`]) {
    expect(await raw(`/api/v1/nodes/${name}/proxy/healthz`)).toBe("ok");
  }
});

test.each([
  ["pods/absent/proxy/", 'pods "absent" not found'],
  ["pods/ftp:web:21/proxy/", 'invalid pod request "ftp:web:21"'],
  ["pods/web:1/proxy/", "error trying to reach service"],
  ["services/nobody:80/proxy/", 'no endpoints available for service "nobody"'],
  ["services/web:81/proxy/", 'no service port 81 found for service "web"'],
  // Whoever may write endpoints cannot have the API server dial any address.
  ["services/foreign:80/proxy/", 'no endpoints available for service "foreign"'],
])("%s is refused: %s", async (path, expected) => {
  expect(await refusal(`${root}/${path}`)).toContain(expected);
});

test("a browser behind kubectl proxy is sent to where relative links work", async () => {
  const proxy = host.spawn(
    "kubectl",
    ...["--kubeconfig", host.kubeconfig, "proxy", "--port=18001"],
    ...[`--address=${host.address}`, "--accept-hosts=.*"],
  );
  try {
    const path = `${root}/services/web:80/proxy`;
    const answer = await eventually("kubectl proxy answers", () =>
      fetch(`http://${host.address}:18001${path}`, { redirect: "manual" }),
    );
    expect([answer.status, answer.headers.get("location")]).toEqual([301, `${path}/`]);
  } finally {
    proxy.kill();
  }
});
