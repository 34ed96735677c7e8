import { describe, expect, test } from "vitest";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
} from "../../api/custom/definition.ts";
import { planNames } from "./crd-naming.ts";

const now = Date.UTC(2026, 0, 1);

function crd(
  names: Partial<CustomResourceDefinitionNames>,
  accepted?: Partial<CustomResourceDefinitionNames>,
): CustomResourceDefinition {
  const all = { plural: "as", singular: "a", kind: "A", listKind: "AList", ...names };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${all.plural}.example.com`,
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: "",
    },
    spec: { group: "example.com", names: all, scope: "Cluster", versions: [] },
    ...(accepted === undefined
      ? {}
      : { status: { acceptedNames: { plural: "", kind: "", ...accepted } } }),
  };
}

const other = (accepted: Partial<CustomResourceDefinitionNames>) => crd({ plural: "bs" }, accepted);

describe("a definition gets the names that nobody else has", () => {
  test.each<
    readonly [
      string,
      CustomResourceDefinition,
      readonly CustomResourceDefinition[],
      object,
      readonly [string, string],
    ]
  >([
    [
      "all",
      crd({}),
      [],
      { plural: "as", singular: "a", kind: "A", listKind: "AList" },
      ["True", "NoConflicts"],
    ],
    [
      "not another's plural",
      crd({}),
      [other({ plural: "as" })],
      { plural: "", kind: "A" },
      ["False", "PluralConflict"],
    ],
    [
      "nor one that is its singular",
      crd({}),
      [other({ singular: "as" })],
      { plural: "" },
      ["False", "PluralConflict"],
    ],
    [
      "not another's kind",
      crd({}),
      [other({ kind: "A" })],
      { plural: "as", kind: "" },
      ["False", "KindConflict"],
    ],
    [
      "no short name, if one is another's",
      crd({ shortNames: ["x", "y"] }),
      [other({ shortNames: ["y"] })],
      { plural: "as" },
      ["False", "ShortNamesConflict"],
    ],
    [
      "its own again",
      crd({}, { plural: "as", singular: "a", kind: "A", listKind: "AList" }),
      [],
      { plural: "as" },
      ["True", "NoConflicts"],
    ],
  ])("%s", (_, definition, others, names, [status, reason]) => {
    const plan = planNames(definition, others, now);
    expect(plan.acceptedNames).toMatchObject(names);
    expect(plan.conditions[0]).toMatchObject({ type: "NamesAccepted", status, reason });
    expect(plan.conditions[1]).toMatchObject({
      type: "Established",
      status: "False",
      reason: status === "True" ? "Installing" : "NotAccepted",
    });
  });
});

test("an established definition stays so, whatever it wants to be called next", () => {
  const definition = crd({ singular: "taken" }, { plural: "as", singular: "a", kind: "A" });
  const established = {
    ...definition,
    status: {
      ...definition.status,
      conditions: [{ type: "Established", status: "True", reason: "InitialNamesAccepted" }],
    },
  };
  const plan = planNames(established, [other({ singular: "taken" })], now);
  expect(plan.acceptedNames.singular).toBe("a");
  expect(plan.conditions).toMatchObject([
    { type: "Established", status: "True" },
    { type: "NamesAccepted", status: "False", message: '"taken" is already in use' },
  ]);
});
