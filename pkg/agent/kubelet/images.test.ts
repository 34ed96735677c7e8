import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { aContainer, aPod } from "../../../test/support/pods.ts";
import type { Secret } from "../../api/generated/core-v1.generated.ts";
import { ImageSchema } from "../cri/generated/cri-v1.generated.ts";
import { createImages, loginsFor } from "./images.ts";

const signal = new AbortController().signal;

/** A node without images, whose registry answers or does not. */
function pulling(pullPolicy: "Always" | "IfNotPresent" | "Never") {
  const clock = new ManualClock();
  const told: string[] = [];
  const world = { there: false, registryWorks: false };
  const images = createImages({
    clock,
    importsDone: () => Promise.resolve(),
    images: {
      status: () => Promise.resolve(world.there ? create(ImageSchema, { size: 7n }) : undefined),
      pull: () => {
        if (!world.registryWorks) return Promise.reject(new Error("no such host"));
        world.there = true;
        return Promise.resolve("ref");
      },
    },
  });
  const spec = aContainer("app", { image: "app:1", imagePullPolicy: pullPolicy });
  const ensure = () =>
    images.ensure(
      {
        pod: aPod(),
        container: { role: "main", spec },
        sandbox: {},
        pullSecrets: [],
        tell: (type, reason, message) => told.push(`${type} ${reason} ${message}`),
      },
      signal,
    );
  return { world, clock, told, ensure };
}

test("a failed pull is not tried again before its back-off is over, and says so", async () => {
  const { clock, told, ensure, world } = pulling("IfNotPresent");
  await expect(ensure()).rejects.toMatchObject({ reason: "ErrImagePull", message: "no such host" });
  await expect(ensure()).rejects.toMatchObject({
    reason: "ImagePullBackOff",
    retryAtMs: clock.now() + 10_000,
  });
  await clock.advance(10_000);
  await expect(ensure()).rejects.toMatchObject({ reason: "ErrImagePull" });
  await expect(ensure()).rejects.toMatchObject({ retryAtMs: clock.now() + 20_000 });
  await clock.advance(20_000);
  world.registryWorks = true;
  await ensure();
  expect(told).toContain('Normal BackOff Back-off pulling image "app:1": no such host');
  expect(told.at(-1)).toBe(
    'Normal Pulled Successfully pulled image "app:1" in 0ms (0ms including waiting). Image size: 7 bytes.',
  );
});

test("with Never, what is missing stays missing", async () => {
  const { ensure, world, told } = pulling("Never");
  world.registryWorks = true;
  await expect(ensure()).rejects.toMatchObject({ reason: "ErrImageNeverPull" });
  world.there = true;
  await ensure();
  expect(told.at(-1)).toBe(
    'Normal Pulled Container image "app:1" already present on machine and can be accessed by the pod',
  );
});

test("of the logins that fit a registry and path, the most exact comes first", () => {
  const login = (username: string) => ({
    auth: Buffer.from(`${username}:pw:x`).toString("base64"),
  });
  const config = {
    auths: {
      "https://r.example/v1/": login("all"),
      "r.example/team": login("team"),
      "other.example": login("no"),
    },
  };
  const secret: Secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "s",
      uid: "s",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    data: { ".dockerconfigjson": Buffer.from(JSON.stringify(config)).toString("base64") },
  };
  expect(loginsFor("r.example/team/app:1", [secret])).toEqual([
    { username: "team", password: "pw:x" },
    { username: "all", password: "pw:x" },
  ]);
  expect(loginsFor("r.example/teams/app:1", [secret])).toEqual([
    { username: "all", password: "pw:x" },
  ]);
});
