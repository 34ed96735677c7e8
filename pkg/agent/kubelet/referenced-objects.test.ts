import { expect, test } from "vitest";
import { aContainer, aPod } from "../../../test/support/pods.ts";
import { namesIn } from "./referenced-objects.ts";

test("every ConfigMap and Secret that a pod names is found, wherever it names it", () => {
  const pod = aPod({
    imagePullSecrets: [{ name: "pull" }],
    volumes: [
      { name: "a", configMap: { name: "volume" } },
      { name: "b", secret: { secretName: "volume" } },
      {
        name: "c",
        projected: {
          sources: [{ configMap: { name: "projected" } }, { secret: { name: "projected" } }],
        },
      },
    ],
    initContainers: [aContainer("i", { envFrom: [{ configMapRef: { name: "from" } }] })],
    containers: [
      aContainer("app", {
        envFrom: [{ secretRef: { name: "from" } }],
        env: [
          { name: "A", valueFrom: { configMapKeyRef: { name: "key", key: "k" } } },
          { name: "B", valueFrom: { secretKeyRef: { name: "key", key: "k" } } },
        ],
      }),
    ],
  });
  const { configMaps, secrets } = namesIn(pod);
  expect([...configMaps].sort()).toEqual(["from", "key", "projected", "volume"]);
  expect([...secrets].sort()).toEqual(["from", "key", "projected", "pull", "volume"]);
});
