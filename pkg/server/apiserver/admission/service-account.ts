import { randomInt } from "node:crypto";
import type {
  Container,
  Pod,
  ServiceAccount,
  Volume,
} from "../../../api/generated/core-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import { serviceAccountResource } from "../../../api/resources/serviceaccount.ts";
import { podSecrets } from "../../../api/shared/pod-references.ts";
import type { Clock } from "../../../base/clock.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "./admission.ts";
import { admissionForbidden, isAbout } from "./refusal.ts";

const defaultName = "default";
const enforceAnnotation = "kubernetes.io/enforce-mountable-secrets";
/** What Go reads as true. */
const trueTexts: ReadonlySet<string> = new Set(["1", "t", "T", "true", "TRUE", "True"]);
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
      const why = problemOf(reader, request);
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

function problemOf(reader: ObjectReader, request: AdmissionRequest): string | undefined {
  const pod = request.object as Pod;
  const { namespace } = request;
  if (request.operation === "UPDATE" && isAbout(request, "pods/ephemeralcontainers")) {
    const account = reader.get(serviceAccountResource, namespace, accountOf(pod));
    return account === undefined ? undefined : mountableProblem(pod, account, "ephemeralOnly");
  }
  if (request.operation !== "CREATE" || !isAbout(request, "pods")) return undefined;
  if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return mirrorPodProblem(pod);
  const name = accountOf(pod);
  if (name === "") {
    return `no service account specified for pod ${namespace}/${pod.metadata.name}`;
  }
  const account = reader.get(serviceAccountResource, namespace, name);
  return account === undefined
    ? `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`
    : mountableProblem(pod, account, "whole");
}

function accountOf({ spec }: Pod): string {
  return spec?.serviceAccountName ?? "";
}

/** A mirror pod runs already: it may use nothing that the API would have to give it. */
function mirrorPodProblem(pod: Pod): string | undefined {
  if (accountOf(pod) !== "") return "a mirror pod may not reference service accounts";
  if (podSecrets(pod).size > 0) return "a mirror pod may not reference secrets";
  const projects = (pod.spec?.volumes ?? []).some(({ projected }) =>
    projected?.sources?.some((source) => source.serviceAccountToken !== undefined),
  );
  return projects ? "a mirror pod may not use ServiceAccountToken volume projections" : undefined;
}

// ---- an account that says which secrets its pods may use --------------------

function mountableProblem(
  pod: Pod,
  account: ServiceAccount,
  part: "whole" | "ephemeralOnly",
): string | undefined {
  if (!trueTexts.has(account.metadata.annotations?.[enforceAnnotation] ?? "")) return undefined;
  const mountable = new Set((account.secrets ?? []).map((secret) => secret.name));
  const isForeign = (secret: string | undefined): secret is string =>
    secret !== undefined && !mountable.has(secret);
  const refusal = (what: string, secret: string): string =>
    `${what} referencing secret.secretName="${secret}" is not allowed because service account ${account.metadata.name} does not reference that secret`;
  const {
    volumes = [],
    initContainers = [],
    containers = [],
    ephemeralContainers = [],
  } = pod.spec ?? { containers: [] };
  const ofContainers = (
    what: string,
    list: readonly Pick<Container, "name" | "env" | "envFrom">[],
  ) =>
    list.flatMap(({ name, env = [], envFrom = [] }) => [
      ...env.flatMap((variable) => {
        const secret = variable.valueFrom?.secretKeyRef?.name;
        return isForeign(secret)
          ? [refusal(`${what} ${name} with envVar ${variable.name}`, secret)]
          : [];
      }),
      ...envFrom.flatMap(({ secretRef }) =>
        isForeign(secretRef?.name) ? [refusal(`${what} ${name} with envFrom`, secretRef.name)] : [],
      ),
    ]);
  if (part === "ephemeralOnly") return ofContainers("ephemeral container", ephemeralContainers)[0];
  const pulls = new Set((account.imagePullSecrets ?? []).map((secret) => secret.name));
  return [
    ...volumes.flatMap(({ secret }) =>
      isForeign(secret?.secretName)
        ? [
            `volume with secret.secretName="${secret.secretName}" is not allowed because service account ${account.metadata.name} does not reference that secret`,
          ]
        : [],
    ),
    ...ofContainers("init container", initContainers),
    ...ofContainers("container", containers),
    ...(pod.spec?.imagePullSecrets ?? []).flatMap(({ name }, index) =>
      pulls.has(name)
        ? []
        : [
            `imagePullSecrets[${index}].name="${name}" is not allowed because service account ${account.metadata.name} does not reference that imagePullSecret`,
          ],
    ),
  ][0];
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
