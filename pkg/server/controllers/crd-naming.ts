import { findCondition, withCondition } from "../../api/conditions.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  DefinitionCondition,
} from "../../api/custom/definition.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { customResourceDefinitionResource } from "../../api/resources/customresourcedefinition.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchChanges, watchSelf } from "../../client/watches.ts";

export interface NamingPlan {
  readonly acceptedNames: CustomResourceDefinitionNames;
  readonly conditions: readonly DefinitionCondition[];
}

const noNames: CustomResourceDefinitionNames = { plural: "", kind: "" };

/**
 * Which of the names that a definition asks for it has: those that no other of its group has already. What it cannot have
 * is told in its conditions, in upstream's words.
 *
 * @package
 */
export function planNames(
  crd: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  nowMs: number,
): NamingPlan {
  const { names } = crd.spec;
  const before = crd.status?.acceptedNames ?? noNames;
  const taken = others.map(({ status }) => status?.acceptedNames ?? noNames);
  const resources = new Set(
    taken.flatMap(({ plural, singular = "", shortNames = [] }) => [
      plural,
      singular,
      ...shortNames,
    ]),
  );
  const kinds = new Set(taken.flatMap(({ kind, listKind = "" }) => [kind, listKind]));
  const conflicts: (readonly [string, string])[] = [];
  const accepted: Record<string, unknown> = { ...before };
  const claim = (
    field: "plural" | "singular" | "kind" | "listKind",
    used: ReadonlySet<string>,
    reason: string,
  ) => {
    const wanted = names[field] ?? "";
    if (wanted !== (before[field] ?? "") && used.has(wanted))
      conflicts.push([reason, inUse(wanted)]);
    else accepted[field] = wanted;
  };
  claim("plural", resources, "PluralConflict");
  claim("singular", resources, "SingularConflict");
  if (!equalJson(names.shortNames ?? [], before.shortNames ?? [])) {
    const own = before.shortNames ?? [];
    const used = (names.shortNames ?? []).filter(
      (name) => !own.includes(name) && resources.has(name),
    );
    if (used.length > 0) conflicts.push(["ShortNamesConflict", together(used.map(inUse))]);
    else accepted["shortNames"] = names.shortNames;
  }
  claim("kind", kinds, "KindConflict");
  claim("listKind", kinds, "ListKindConflict");
  accepted["categories"] = names.categories;
  const present = Object.entries(accepted).filter(([, value]) => value !== undefined);
  return {
    acceptedNames: Object.fromEntries(present) as unknown as CustomResourceDefinitionNames,
    conditions: conditionsOf(crd, conflicts.at(-1), formatTime(nowMs)),
  };
}

function inUse(name: string): string {
  return `${JSON.stringify(name)} is already in use`;
}

/** Several errors as Go prints them together. */
function together(errors: readonly string[]): string {
  return errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]`;
}

function conditionsOf(
  { status }: CustomResourceDefinition,
  conflict: readonly [string, string] | undefined,
  lastTransitionTime: string,
): readonly DefinitionCondition[] {
  const [reason, message] = conflict ?? ["NoConflicts", "no conflicts found"];
  const isAccepted = conflict === undefined;
  const conditions = withCondition<DefinitionCondition>(status?.conditions, {
    type: "NamesAccepted",
    status: isAccepted ? "True" : "False",
    lastTransitionTime,
    reason,
    message,
  });
  const established = findCondition(conditions, "Established");
  if (established?.status === "True" || (established !== undefined && !isAccepted)) {
    return conditions;
  }
  return withCondition<DefinitionCondition>(conditions, {
    type: "Established",
    status: "False",
    lastTransitionTime,
    ...(isAccepted
      ? { reason: "Installing", message: "the initial names have been accepted" }
      : { reason: "NotAccepted", message: "not all names are accepted" }),
  });
}

/** Gives each CustomResourceDefinition the names it asks for, unless another of its group has them. */
export function crdNamingController(deps: {
  readonly client: Client;
  readonly definitions: Informer<CustomResourceDefinition>;
  readonly clock: Clock;
}): Controller {
  const { client, definitions, clock } = deps;
  const inGroup = ({ spec, metadata }: CustomResourceDefinition) =>
    definitions
      .list()
      .filter((each) => each.spec.group === spec.group && each.metadata.name !== metadata.name);
  return {
    name: "crd-naming",
    // Two that want the same name must not be looked at together.
    workers: 1,
    watches: [
      watchSelf(definitions),
      // A name that is given back may be what another waits for.
      watchChanges(definitions, (crd, previous) =>
        previous !== undefined &&
        equalJson(previous.status?.acceptedNames, crd.status?.acceptedNames)
          ? []
          : inGroup(crd)
              .filter((other) => !hasItsNames(other))
              .map(({ metadata }) => metadata.name),
      ),
    ],
    async reconcile(key, signal) {
      const crd = definitions.get(key);
      if (crd === undefined || hasItsNames(crd)) return undefined;
      const status = { ...crd.status, ...planNames(crd, inGroup(crd), clock.now()) };
      if (equalJson(status, crd.status)) return undefined;
      const options = { subresource: "status" };
      await client.update(customResourceDefinitionResource, { ...crd, status }, signal, options);
      return undefined;
    },
  };
}

function hasItsNames({ spec, status }: CustomResourceDefinition): boolean {
  return equalJson(spec.names, status?.acceptedNames);
}
