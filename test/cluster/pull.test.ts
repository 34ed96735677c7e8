import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage } from "../support/images.ts";
import { Registry } from "../support/registry.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;
const registries: Registry[] = [];

const user = {
  name: "shop",
  password: "secret",
  passwordHash: "$2b$05$FjzejdkfbpW/sfj/fA/qeeOBQkqIqsrQ2iEXmtU3fvw/BAzI0iDZe",
};

beforeAll(async () => {
  host = await TestHost.create();
  const archive = await busyboxImage();
  const images = { "tools/busybox:2": archive };
  registries.push(await Registry.start({ namespace: host.name, port: 5000, images }));
  registries.push(await Registry.start({ namespace: host.name, port: 5001, images, user }));
  await host.start();
  await host.ready();
});

afterAll(async () => {
  for (const registry of registries) await registry.stop();
  await host.destroy();
});

const podOf = (name: string, image: string, spec = "") => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  ${spec}
  containers:
  - { name: main, image: "${image}", imagePullPolicy: Always, command: [sh, -c, "echo pulled"] }
`;

const phase = (name: string) => host.k("get", "pod", name, "-o", "jsonpath={.status.phase}");
const events = (name: string) =>
  host.k(
    "get",
    "events",
    "--field-selector",
    `involvedObject.name=${name}`,
    "-o",
    "jsonpath={range .items[*]}{.reason}: {.message}{'\\n'}{end}",
  );
const succeeded = (name: string) =>
  eventually(`pod ${name} has succeeded`, async () =>
    (await phase(name)) === "Succeeded" ? true : undefined,
  );

test("an image is pulled from a registry, and the pod tells so", async () => {
  await host.apply(podOf("open", "localhost:5000/tools/busybox:2"));
  await succeeded("open");
  expect(await host.k("logs", "open")).toBe("pulled");
  expect(await events("open")).toMatch(
    /Pulling: Pulling image "localhost:5000\/tools\/busybox:2"\nPulled: Successfully pulled image "localhost:5000\/tools\/busybox:2" in .*\. Image size: \d+ bytes\./,
  );
  expect(
    await host.k("get", "pod", "open", "-o", "jsonpath={.status.containerStatuses[0].imageID}"),
  ).toMatch(/^localhost:5000\/tools\/busybox@sha256:[0-9a-f]{64}$/);
});

test("a registry that wants a password gets it from the pull secret, and refuses without", async () => {
  await host.apply(podOf("stranger", "localhost:5001/tools/busybox:2"));
  await eventually("the pull is refused", async () =>
    /Failed: Failed to pull image .*(unauthorized|authorization|401)/s.test(
      await events("stranger"),
    )
      ? true
      : undefined,
  );
  await host.k(
    ...["create", "secret", "docker-registry", "login", "--docker-server=localhost:5001"],
    ...[`--docker-username=${user.name}`, `--docker-password=${user.password}`],
  );
  await host.apply(
    podOf("known", "localhost:5001/tools/busybox:2", "imagePullSecrets: [{ name: login }]"),
  );
  await succeeded("known");
});

test("an image that is not there is tried again, less and less often", async () => {
  await host.apply(podOf("absent", "localhost:5000/tools/nothing:1"));
  await eventually("ImagePullBackOff is shown", async () =>
    (await host.k("get", "pod", "absent", "--no-headers")).includes("ImagePullBackOff")
      ? true
      : undefined,
  );
  const told = await events("absent");
  expect(told).toMatch(
    /Failed: Failed to pull image "localhost:5000\/tools\/nothing:1": .*not found/,
  );
  expect(told).toMatch(/Failed: Error: ErrImagePull/);
  expect(told).toMatch(/BackOff: Back-off pulling image "localhost:5000\/tools\/nothing:1"/);
});
