import { randomInt } from "node:crypto";
import type { Pod, ServiceAccount, Volume } from "../../../api/generated/core-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import { serviceAccountResource } from "../../../api/resources/serviceaccount.ts";
import type { Clock } from "../../../base/clock.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "./admission.ts";
import { admissionForbidden, isAbout } from "./refusal.ts";

const defaultName = "default";
const mirrorAnnotation = "kubernetes.io/config.mirror";
const volumePrefix = "kube-api-access-";
const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
/** The controller makes a namespace's default ServiceAccount soon after the namespace: so long is it waited for. */
const defaultAccountWaitMs = 100;
const defaultAccountTriesMax = 20;

/** Gives each new pod its ServiceAccount, the account's pull secrets, and a token volume. */
export function createServiceAccountAdmission(reader: ObjectReader, clock: Clock): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    async admit(request) {
      if (request.operation !== "CREATE" || !isAbout(request, "pods")) return;
      const pod = request.object as Draft<Pod>;
      if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return;
      const { spec } = pod;
      if (spec === undefined) return;
      if (!spec.serviceAccountName) spec.serviceAccountName = defaultName;
      spec.serviceAccount = spec.serviceAccountName;
      const account = await findAccount(reader, clock, request, spec.serviceAccountName);
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) {
        mountToken(spec);
      }
      const { imagePullSecrets } = account;
      if (!spec.imagePullSecrets?.length && imagePullSecrets?.length) {
        spec.imagePullSecrets = imagePullSecrets.map((secret) => ({ ...secret }));
      }
    },
    validate(request) {
      if (request.operation !== "CREATE" || !isAbout(request, "pods")) return;
      const pod = request.object as Pod;
      if (pod.metadata.annotations?.[mirrorAnnotation] === undefined) return;
      const why = mirrorPodProblem(pod);
      if (why !== undefined) throw admissionForbidden(request, why);
    },
  };
}

async function findAccount(
  reader: ObjectReader,
  clock: Clock,
  request: AdmissionRequest,
  name: string,
): Promise<ServiceAccount> {
  const { namespace } = request;
  for (let tries = 1; ; tries += 1) {
    const account = reader.get(serviceAccountResource, namespace, name);
    if (account !== undefined) return account;
    if (name !== defaultName || tries === defaultAccountTriesMax) {
      throw admissionForbidden(
        request,
        `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
      );
    }
    await clock.sleep(defaultAccountWaitMs, new AbortController().signal);
  }
}

/** A mirror pod runs already: it may use nothing that the API would have to give it. */
function mirrorPodProblem({ spec }: Pod): string | undefined {
  if (spec?.serviceAccountName) return "a mirror pod may not reference service accounts";
  for (const { secret, projected } of spec?.volumes ?? []) {
    if (secret !== undefined) return "a mirror pod may not reference secrets";
    if (projected?.sources?.some((source) => source.serviceAccountToken !== undefined)) {
      return "a mirror pod may not use ServiceAccountToken volume projections";
    }
  }
  return undefined;
}

/** Mounts the token in each container that has nothing mounted at its place. */
function mountToken(spec: Draft<NonNullable<Pod["spec"]>>): void {
  const volumes = spec.volumes ?? [];
  const present = volumes.find((volume) => volume.name.startsWith(volumePrefix));
  const name = present?.name ?? freeVolumeName(volumes.map((volume) => volume.name));
  let isNeeded = false;
  // A pod without containers is refused later, in the words of its validation.
  const { initContainers = [], containers = [] } = spec as Partial<typeof spec>;
  for (const container of [...initContainers, ...containers]) {
    container.volumeMounts ??= [];
    if (container.volumeMounts.some((mount) => mount.mountPath === mountPath)) continue;
    container.volumeMounts.push({ name, readOnly: true, mountPath });
    isNeeded = true;
  }
  if (!isNeeded || present !== undefined) return;
  spec.volumes = [...volumes, tokenVolume(name)];
}

const suffixCharacters = "bcdfghjklmnpqrstvwxz2456789";

function freeVolumeName(taken: readonly string[]): string {
  for (;;) {
    const suffix = Array.from(
      { length: 5 },
      () => suffixCharacters[randomInt(suffixCharacters.length)],
    );
    const name = `${volumePrefix}${suffix.join("")}`;
    if (!taken.includes(name)) return name;
  }
}

function tokenVolume(name: string): Draft<Volume> {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [
              {
                path: "namespace",
                fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" },
              },
            ],
          },
        },
      ],
    },
  };
}
