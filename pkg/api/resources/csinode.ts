import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { duplicate, immutableDetail, invalid, invalidEach, required } from "../field-error.ts";
import {
  type CSINode,
  type CSINodeDriver,
  csiNodeSchema,
} from "../generated/storage-v1.generated.ts";
import { checkQualifiedName } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { validateCsiDriverName } from "../shared/csi-driver-name.ts";
import { validateNonNegative } from "../shared/validate-counts.ts";

export const csiNodeResource = defineResource<CSINode>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  scope: "cluster",
  schema: csiNodeSchema,
  validate({ spec }) {
    const errors: FieldError[] = [];
    const names = new Set<string>();
    (spec.drivers ?? []).forEach((driver, index) => {
      validateDriver(driver, names, `spec.drivers[${index}]`, errors);
    });
    return errors;
  },
  validateUpdate(next, previous) {
    const before = new Map((previous.spec.drivers ?? []).map((driver) => [driver.name, driver]));
    return (next.spec.drivers ?? []).flatMap((driver) => {
      const known = before.get(driver.name);
      const isSame = known === undefined || equalJson(unchanging(driver), unchanging(known));
      return isSame ? [] : [invalid("spec.drivers", asGoDriver(driver), immutableDetail)];
    });
  },
  columns: [
    nameColumn,
    {
      name: "Drivers",
      type: "integer",
      description: "How many CSI drivers the node has.",
      cell: ({ spec }) => spec.drivers?.length ?? 0,
    },
    ageColumn,
  ],
});

const nodeIdCharactersMax = 256;

function validateDriver(
  driver: CSINodeDriver,
  names: Set<string>,
  path: string,
  errors: FieldError[],
): void {
  const { name, nodeID, allocatable, topologyKeys = [] } = driver;
  addAll(errors, validateCsiDriverName(name, `${path}.name`));
  if (nodeID === "") errors.push(required(`${path}.nodeID`));
  if (Buffer.byteLength(nodeID) > nodeIdCharactersMax) {
    errors.push(
      invalid(`${path}.nodeID`, nodeID, `must be ${nodeIdCharactersMax} characters or less`),
    );
  }
  validateNonNegative(allocatable?.count, `${path}.allocatable.count`, errors);
  if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
  names.add(name);
  const keys = new Set<string>();
  for (const key of topologyKeys) {
    if (key === "") errors.push(required(path));
    if (keys.has(key)) errors.push(duplicate(path, key));
    keys.add(key);
    addAll(errors, invalidEach(path, key, checkQualifiedName(key)));
  }
}

/** All but how many volumes the driver can attach. */
function unchanging({ name, nodeID, topologyKeys = [] }: CSINodeDriver) {
  return { name, nodeID, topologyKeys };
}

/** Upstream prints this value of its own type, whose fields have no JSON names. */
function asGoDriver({ name, nodeID, topologyKeys }: CSINodeDriver) {
  return { Name: name, NodeID: nodeID, TopologyKeys: topologyKeys ?? null, Allocatable: null };
}
