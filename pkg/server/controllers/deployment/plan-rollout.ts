import type { Deployment, ReplicaSet } from "../../../api/generated/apps-v1.generated.ts";
import type { PodTemplateSpec } from "../../../api/generated/core-v1.generated.ts";
import type { NewObject } from "../../../api/object.ts";
import { equalJson } from "../../../api/patch/json-value.ts";
import { deploymentResource } from "../../../api/resources/deployment.ts";
import { controllerReference } from "../../../client/ownership.ts";
import { type RolloutBounds, rolloutBounds } from "./sizes.ts";
import { templateHash, templateHashLabel } from "./template-hash.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";

/** What a ReplicaSet does not take over from its Deployment's annotations. */
const ownAnnotations: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  "deprecated.deployment.rollback.to",
]);

const revisionHistoryCharactersMax = 2_000;
const noLimit = 2_147_483_647;

/** A ReplicaSet as it is to become. */
export interface PlannedSet {
  readonly current: ReplicaSet;
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RolloutPlan {
  /** All ReplicaSets with their planned sizes; those that do not change, too. Oldest first. */
  readonly sets: readonly PlannedSet[];
  /** The one of the Deployment's current template, unless it is still to be created. */
  readonly newSet: PlannedSet | undefined;
  /** The ReplicaSet of a template that has none yet. */
  readonly create: NewObject<ReplicaSet> | undefined;
  /** Those that the history has no room for. */
  readonly deletions: readonly ReplicaSet[];
  /** What the Deployment's revision annotation should say; undefined to leave it. */
  readonly revision: string | undefined;
}

export interface RolloutInput {
  readonly deployment: Deployment;
  /** Those that the Deployment owns. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Whether pods of this ReplicaSet have not ended yet. */
  hasRunningPods(replicaSet: ReplicaSet): boolean;
}

/** The next step of a rollout: never more than the bounds allow now; what becomes possible later is planned then. */
export function planRollout(input: RolloutInput): RolloutPlan {
  const { deployment } = input;
  const bounds = rolloutBounds(deployment);
  const byAge = input.replicaSets.toSorted(olderFirst);
  const newest = byAge.find((set) => sameTemplate(set.spec.template, deployment.spec.template));
  const old = byAge.filter((set) => set !== newest);
  const revision = String(Math.max(0, ...old.map(revisionOf)) + 1);

  const sets = byAge.map((set) => unchanged(set));
  const fleet = new Fleet(sets, newest, bounds);
  if (newest !== undefined) {
    fleet.annotate(newest, newSetAnnotations(deployment, newest, revision));
    fleet.minReady(newest, deployment.spec.minReadySeconds ?? 0);
  }
  const settled = (
    rest: Partial<Pick<RolloutPlan, "create" | "deletions" | "revision">>,
  ): RolloutPlan => ({
    sets: fleet.sets,
    newSet: fleet.newSet,
    create: undefined,
    deletions: [],
    revision: newest === undefined ? undefined : fleet.newSet?.annotations[revisionAnnotation],
    ...rest,
  });

  if (deployment.metadata.deletionTimestamp !== undefined) {
    return {
      sets,
      newSet: sets.find(({ current }) => current === newest),
      create: undefined,
      deletions: [],
      revision: undefined,
    };
  }
  if (deployment.spec.paused === true) {
    scaleProportionally(fleet, deployment);
    return settled({ deletions: beyondHistory(deployment, old) });
  }
  if (isScaling(deployment, byAge)) {
    scaleProportionally(fleet, deployment);
    return settled({});
  }
  const moved = deployment.spec.strategy.type === "Recreate" ? recreate(fleet, input) : roll(fleet);
  if (moved === "needs-new-set") {
    const create = newReplicaSet(deployment, byAge, bounds, revision);
    return settled({ create, revision });
  }
  if (moved === "at-rest" && isComplete(deployment, bounds)) {
    return settled({ deletions: beyondHistory(deployment, old) });
  }
  return settled({});
}

type Move = "moved" | "at-rest" | "needs-new-set";

function recreate(fleet: Fleet, input: RolloutInput): Move {
  const busy = fleet.old.filter(({ replicas }) => replicas > 0);
  if (busy.length > 0) {
    for (const { current } of busy) fleet.scale(current, 0);
    return "moved";
  }
  if (fleet.old.some(({ current }) => input.hasRunningPods(current))) return "moved";
  const { newSet } = fleet;
  if (newSet === undefined) return "needs-new-set";
  fleet.scaleIfDifferent(newSet.current, fleet.bounds.desired);
  return "at-rest";
}

function roll(fleet: Fleet): Move {
  const { newSet, bounds } = fleet;
  if (newSet === undefined) return "needs-new-set";
  if (newSet.replicas !== bounds.desired) {
    const target =
      newSet.replicas > bounds.desired
        ? bounds.desired
        : sizeOfNew(newSet.replicas, fleet.total, bounds);
    if (fleet.scaleIfDifferent(newSet.current, target)) return "moved";
  }
  return shrinkOld(fleet, newSet) ? "moved" : "at-rest";
}

/** As many new pods as fit beside the old ones. */
function sizeOfNew(current: number, total: number, { desired, maxSurge }: RolloutBounds): number {
  const room = desired + maxSurge - total;
  return room <= 0 ? current : current + Math.min(room, desired - current);
}

/** Takes old pods away, as far as enough others are available: first those that do not serve anyway. */
function shrinkOld(fleet: Fleet, newSet: PlannedSet): boolean {
  const { desired, maxUnavailable } = fleet.bounds;
  const old = fleet.old.filter(({ replicas }) => replicas > 0).map(({ current }) => current);
  if (old.length === 0) return false;
  const minAvailable = desired - maxUnavailable;
  const newUnavailable = newSet.replicas - available(newSet.current);
  const removableMax = fleet.total - minAvailable - newUnavailable;
  if (removableMax <= 0) return false;

  let removed = 0;
  for (const set of old) {
    const replicas = fleet.size(set);
    const idle = Math.max(0, replicas - available(set));
    const count = Math.min(removableMax - removed, idle);
    if (count <= 0) continue;
    fleet.scale(set, replicas - count);
    removed += count;
  }
  const availableTotal = fleet.sets.reduce((sum, { current }) => sum + available(current), 0);
  let spare = availableTotal - minAvailable;
  for (const set of old) {
    const replicas = fleet.size(set);
    const count = Math.min(replicas, spare);
    if (count <= 0) continue;
    fleet.scale(set, replicas - count);
    spare -= count;
    removed += count;
  }
  return removed > 0;
}

/** The Deployment's size changed: each active ReplicaSet gets its share, so that a rollout keeps its risk. */
function scaleProportionally(fleet: Fleet, deployment: Deployment): void {
  const { bounds, newSet } = fleet;
  const active = fleet.sets.filter(({ replicas }) => replicas > 0);
  const only = active.length === 0 ? (newSet ?? fleet.sets.at(-1)) : active[0];
  if (active.length <= 1) {
    if (only !== undefined) fleet.scaleIfDifferent(only.current, bounds.desired);
    return;
  }
  if (newSet !== undefined && isSaturated(newSet, bounds.desired)) {
    for (const { current } of active) {
      if (current !== newSet.current) fleet.scale(current, 0);
    }
    return;
  }
  if (deployment.spec.strategy.type !== "RollingUpdate") return;

  const allowed = bounds.desired > 0 ? bounds.desired + bounds.maxSurge : 0;
  const toAdd = allowed - fleet.total;
  const inOrder = active.toSorted(
    (a, b) =>
      b.replicas - a.replicas ||
      (toAdd > 0 ? olderFirst(b.current, a.current) : olderFirst(a.current, b.current)),
  );
  let added = 0;
  const sizes = inOrder.map((set) => {
    const proportion = toAdd === 0 ? 0 : proportionOf(set, deployment, bounds, toAdd, added);
    added += proportion;
    return set.replicas + proportion;
  });
  inOrder.forEach((set, index) => {
    const leftover = index === 0 && toAdd !== 0 ? toAdd - added : 0;
    fleet.scale(set.current, Math.max(0, (sizes[index] ?? 0) + leftover));
  });
}

function proportionOf(
  set: PlannedSet,
  deployment: Deployment,
  bounds: RolloutBounds,
  toAdd: number,
  added: number,
): number {
  if (toAdd === added) return 0;
  const fraction = fractionOf(set, deployment, bounds);
  const left = toAdd - added;
  return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}

function fractionOf(set: PlannedSet, deployment: Deployment, bounds: RolloutBounds): number {
  if (bounds.desired === 0) return -set.replicas;
  const before =
    Number(set.current.metadata.annotations?.[maxReplicasAnnotation]) ||
    (deployment.status.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((set.replicas * (bounds.desired + bounds.maxSurge)) / before) - set.replicas;
}

function isSaturated({ current, replicas }: PlannedSet, desired: number): boolean {
  const noted = Number(current.metadata.annotations?.[desiredReplicasAnnotation]);
  return noted === desired && replicas === desired && available(current) === desired;
}

/** The annotation on an active ReplicaSet tells another size than the Deployment asks for now. */
function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    if ((set.spec.replicas ?? 1) === 0) return false;
    const noted = set.metadata.annotations?.[desiredReplicasAnnotation];
    return noted !== undefined && Number(noted) !== (deployment.spec.replicas ?? 1);
  });
}

function isComplete({ metadata, status }: Deployment, { desired }: RolloutBounds): boolean {
  return (
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

/** The oldest revisions beyond the limit, of those that have and want no pods. */
function beyondHistory(deployment: Deployment, old: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit;
  if (limit === undefined || limit === noLimit) return [];
  const alive = old
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => revisionOf(a) - revisionOf(b));
  const isIdle = ({ metadata, spec, status }: ReplicaSet) =>
    status.replicas === 0 &&
    spec.replicas === 0 &&
    (metadata.generation ?? 0) <= (status.observedGeneration ?? 0);
  return alive.slice(0, Math.max(0, alive.length - limit)).filter(isIdle);
}

function newReplicaSet(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  bounds: RolloutBounds,
  revision: string,
): NewObject<ReplicaSet> {
  const { template, selector, minReadySeconds = 0, strategy } = deployment.spec;
  const hash = templateHash(template, deployment.status.collisionCount);
  const labels = { ...template.metadata.labels, [templateHashLabel]: hash };
  const total = sets.reduce((sum, set) => sum + (set.spec.replicas ?? 1), 0);
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      ...(deployment.metadata.namespace === undefined
        ? {}
        : { namespace: deployment.metadata.namespace }),
      labels,
      annotations: {
        ...inheritedAnnotations(deployment),
        ...sizeAnnotations(bounds),
        [revisionAnnotation]: revision,
      },
      ownerReferences: [controllerReference(deployment, deploymentResource)],
    },
    spec: {
      replicas: strategy.type === "RollingUpdate" ? sizeOfNew(0, total, bounds) : bounds.desired,
      minReadySeconds,
      selector: {
        ...selector,
        matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash },
      },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

function newSetAnnotations(
  deployment: Deployment,
  set: ReplicaSet,
  revision: string,
): Readonly<Record<string, string>> {
  const before = set.metadata.annotations ?? {};
  const inherited = inheritedAnnotations(deployment);
  if (revisionOf(set) >= Number(revision)) return inherited;
  const last = before[revisionAnnotation];
  if (last === undefined) return { ...inherited, [revisionAnnotation]: revision };
  const earlier = before[revisionHistoryAnnotation] ?? "";
  const history = earlier === "" ? [last] : [...earlier.split(","), last];
  while (history.join(",").length > revisionHistoryCharactersMax) history.shift();
  return {
    ...inherited,
    [revisionAnnotation]: revision,
    [revisionHistoryAnnotation]: history.join(","),
  };
}

function inheritedAnnotations(deployment: Deployment): Readonly<Record<string, string>> {
  const entries = Object.entries(deployment.metadata.annotations ?? {});
  return Object.fromEntries(entries.filter(([key]) => !ownAnnotations.has(key)));
}

function sizeAnnotations({ desired, maxSurge }: RolloutBounds): Readonly<Record<string, string>> {
  return {
    [desiredReplicasAnnotation]: String(desired),
    [maxReplicasAnnotation]: String(desired + maxSurge),
  };
}

export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return equalJson(withoutHash(a), withoutHash(b));
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [templateHashLabel]: _, ...labels } = template.metadata.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

function available(set: ReplicaSet): number {
  return set.status.availableReplicas ?? 0;
}

function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[revisionAnnotation]) || 0;
}

function olderFirst(a: ReplicaSet, b: ReplicaSet): number {
  return (
    Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
    (a.metadata.name < b.metadata.name ? -1 : 1)
  );
}

function unchanged(set: ReplicaSet): PlannedSet {
  return {
    current: set,
    replicas: set.spec.replicas ?? 1,
    minReadySeconds: set.spec.minReadySeconds ?? 0,
    annotations: set.metadata.annotations ?? {},
  };
}

/** The ReplicaSets while their sizes are worked out. */
class Fleet {
  readonly bounds: RolloutBounds;
  readonly #newest: ReplicaSet | undefined;
  readonly #sets: Map<ReplicaSet, PlannedSet>;

  constructor(sets: readonly PlannedSet[], newest: ReplicaSet | undefined, bounds: RolloutBounds) {
    this.#sets = new Map(sets.map((set) => [set.current, set]));
    this.#newest = newest;
    this.bounds = bounds;
  }

  get sets(): readonly PlannedSet[] {
    return [...this.#sets.values()];
  }

  get newSet(): PlannedSet | undefined {
    return this.#newest === undefined ? undefined : this.#sets.get(this.#newest);
  }

  get old(): readonly PlannedSet[] {
    return this.sets.filter(({ current }) => current !== this.#newest);
  }

  get total(): number {
    return this.sets.reduce((sum, { replicas }) => sum + replicas, 0);
  }

  size(set: ReplicaSet): number {
    return this.#sets.get(set)?.replicas ?? 0;
  }

  annotate(set: ReplicaSet, annotations: Readonly<Record<string, string>>): void {
    const planned = this.#sets.get(set) ?? unchanged(set);
    const merged = { ...planned.annotations, ...annotations };
    this.#sets.set(set, { ...planned, annotations: merged });
  }

  minReady(set: ReplicaSet, minReadySeconds: number): void {
    this.#sets.set(set, { ...(this.#sets.get(set) ?? unchanged(set)), minReadySeconds });
  }

  /** Notes the Deployment's size on the ReplicaSet, too, by which a later change of it is seen. */
  scale(set: ReplicaSet, replicas: number): void {
    this.annotate(set, sizeAnnotations(this.bounds));
    this.#sets.set(set, { ...(this.#sets.get(set) ?? unchanged(set)), replicas });
  }

  scaleIfDifferent(set: ReplicaSet, replicas: number): boolean {
    if (this.size(set) === replicas) return false;
    this.scale(set, replicas);
    return true;
  }
}
