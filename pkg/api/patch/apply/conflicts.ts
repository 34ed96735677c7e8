import { ApiError } from "../../api-error.ts";
import { pathsOf } from "./field-set.ts";
import { type Manager, managerId } from "./managed-fields.ts";
import { type PathElement, printPath } from "./path-element.ts";

/** A field that is applied with another value than the one its owner gave it. */
export interface Conflict {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  /** As in `.spec.template.spec.containers[name="x"].image`. */
  readonly fieldPath: string;
  readonly path: readonly PathElement[];
}

/** One conflict per field of each manager's set, in the order they are reported in. */
export function conflictsOf(contested: readonly Manager[]): readonly Conflict[] {
  return contested
    .toSorted((a, b) => (managerId(a) < managerId(b) ? -1 : 1))
    .flatMap((manager) =>
      pathsOf(manager.set).map((path) => ({
        manager: manager.name,
        operation: manager.operation,
        apiVersion: manager.apiVersion,
        subresource: manager.subresource,
        fieldPath: printPath(path),
        path,
      })),
    );
}

/** The answer to an apply that conflicts: what the user must take over, or leave out. */
export function conflictError(conflicts: readonly Conflict[]): ApiError {
  return new ApiError("Conflict", messageOf(conflicts), {
    details: {
      causes: conflicts.map((conflict) => ({
        reason: "FieldManagerConflict",
        message: `conflict with ${printManager(conflict)}`,
        field: conflict.fieldPath,
      })),
    },
  });
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (first !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${printManager(first)}: ${first.fieldPath}`;
  }
  const lines: string[] = [];
  let heading = "";
  for (const conflict of conflicts) {
    const next = `conflicts with ${printManager(conflict)}:`;
    if (next !== heading) lines.push(next);
    heading = next;
    lines.push(`- ${conflict.fieldPath}`);
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

function printManager(conflict: Conflict): string {
  const name = JSON.stringify(conflict.manager);
  const within =
    conflict.subresource === ""
      ? name
      : `${name} with subresource ${JSON.stringify(conflict.subresource)}`;
  return conflict.operation === "Update" ? `${within} using ${conflict.apiVersion}` : within;
}
