import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, invalid, notSupported, required } from "../field-error.ts";
import {
  type LimitedPriorityLevelConfiguration,
  type LimitResponse,
  type PriorityLevelConfiguration,
  type PriorityLevelConfigurationSpec,
  priorityLevelConfigurationSchema,
  type QueuingConfiguration,
} from "../generated/flowcontrol-v1.generated.ts";
import { inclusiveRange } from "../names.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import {
  flowControlGroup,
  mandatoryPriorityLevels,
  mandatorySpec,
} from "../shared/mandatory-flow-control.ts";
import { keepMetadataOfStatus } from "../shared/status-metadata.ts";
import { validateConditionTypes } from "../shared/validate-conditions.ts";

export const priorityLevelConfigurationResource = defineResource<PriorityLevelConfiguration>({
  group: flowControlGroup,
  version: "v1",
  kind: "PriorityLevelConfiguration",
  plural: "prioritylevelconfigurations",
  scope: "cluster",
  schema: priorityLevelConfigurationSchema,
  subresources: { status: true },
  resetFields: { "": [["status"]], status: [["metadata"], ["spec"]] },
  prepareStatusUpdate: keepMetadataOfStatus,
  defaults,
  prepareCreate(level) {
    level.status = {};
  },
  validate,
  validateStatusUpdate: ({ status }) =>
    validateConditionTypes(status.conditions, "status.conditions"),
  columns: [
    nameColumn,
    {
      name: "Type",
      type: "string",
      description: "Whether requests of this level are limited.",
      cell: ({ spec }) => spec.type,
    },
    {
      name: "NominalConcurrencyShares",
      type: "string",
      description: "The level's part of the requests that run at once.",
      cell: ({ spec }) => spec.limited?.nominalConcurrencyShares ?? "<none>",
    },
    {
      name: "Queues",
      type: "string",
      description: "How many queues the level has.",
      cell: ({ spec }) => spec.limited?.limitResponse.queuing?.queues ?? "<none>",
    },
    {
      name: "HandSize",
      type: "string",
      description: "Among how many queues each flow may choose.",
      cell: ({ spec }) => spec.limited?.limitResponse.queuing?.handSize ?? "<none>",
    },
    {
      name: "QueueLengthLimit",
      type: "string",
      description: "How many requests may wait in one queue.",
      cell: ({ spec }) => spec.limited?.limitResponse.queuing?.queueLengthLimit ?? "<none>",
    },
    ageColumn,
  ],
});

function defaults({ spec: { exempt, limited } }: Draft<PriorityLevelConfiguration>): void {
  if (exempt !== undefined) {
    exempt.nominalConcurrencyShares ??= 0;
    exempt.lendablePercent ??= 0;
  }
  if (limited === undefined) return;
  limited.nominalConcurrencyShares ??= 30;
  limited.lendablePercent ??= 0;
  const { queuing } = limited.limitResponse;
  if (queuing === undefined) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

/** An annotation of an older version of this kind, in which 0 could not be said. */
const roundTripAnnotation = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";

function validate({ metadata, spec, status }: PriorityLevelConfiguration): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (metadata.annotations?.[roundTripAnnotation] !== undefined) {
    errors.push(
      forbidden("metadata.annotations", `annotation '${roundTripAnnotation}' is forbidden`),
    );
  }
  validateSpec(spec, metadata.name, errors);
  validateFixed(spec, metadata.name, errors);
  addAll(errors, validateConditionTypes(status.conditions, "status.conditions"));
  return errors;
}

function validateFixed(
  spec: PriorityLevelConfigurationSpec,
  name: string,
  errors: FieldError[],
): void {
  const fixed = mandatorySpec(mandatoryPriorityLevels, name);
  if (fixed === undefined) return;
  const isExempt = name === "exempt";
  const rest = isExempt ? { ...spec, exempt: fixed.exempt } : spec;
  if (equalJson(rest, fixed)) return;
  const but = isExempt ? " except the 'spec.exempt' field" : "";
  errors.push(invalid("spec", spec, `spec of '${name}'${but} must equal the fixed value`));
}

function validateSpec(
  { exempt, limited, type }: PriorityLevelConfigurationSpec,
  name: string,
  errors: FieldError[],
): void {
  if ((name === "exempt") !== (type === "Exempt")) {
    errors.push(
      invalid("spec.type", type, "type must be 'Exempt' if and only if name is 'exempt'"),
    );
  }
  switch (type) {
    case "Exempt":
      if (limited !== undefined) {
        errors.push(forbidden("spec.limited", "must be nil if the type is not Limited"));
      }
      if (exempt !== undefined) {
        validateShares(exempt.nominalConcurrencyShares, "spec.exempt", errors);
        validateLendable(exempt.lendablePercent, "spec.exempt", errors);
      }
      break;
    case "Limited":
      if (exempt !== undefined) {
        errors.push(forbidden("spec.exempt", "must be nil if the type is Limited"));
      }
      if (limited === undefined) {
        errors.push(required("spec.limited", "must not be empty when type is Limited"));
      } else validateLimited(limited, "spec.limited", errors);
      break;
    default:
      errors.push(notSupported("spec.type", type, ["Exempt", "Limited"]));
  }
}

function validateShares(shares: number | undefined, path: string, errors: FieldError[]): void {
  if (shares !== undefined && shares < 0) {
    errors.push(
      invalid(`${path}.nominalConcurrencyShares`, shares, "must be a non-negative integer"),
    );
  }
}

function validateLendable(percent: number | undefined, path: string, errors: FieldError[]): void {
  if (percent !== undefined && (percent < 0 || percent > 100)) {
    errors.push(invalid(`${path}.lendablePercent`, percent, inclusiveRange(0, 100)));
  }
}

function validateLimited(
  limited: LimitedPriorityLevelConfiguration,
  path: string,
  errors: FieldError[],
): void {
  validateShares(limited.nominalConcurrencyShares, path, errors);
  validateLimitResponse(limited.limitResponse, `${path}.limitResponse`, errors);
  validateLendable(limited.lendablePercent, path, errors);
  const borrowing = limited.borrowingLimitPercent;
  if (borrowing !== undefined && borrowing < 0) {
    errors.push(
      invalid(
        `${path}.borrowingLimitPercent`,
        borrowing,
        "if specified, must be a non-negative integer",
      ),
    );
  }
}

function validateLimitResponse(
  { queuing, type }: LimitResponse,
  path: string,
  errors: FieldError[],
): void {
  switch (type) {
    case "Reject":
      if (queuing !== undefined) {
        errors.push(
          forbidden(`${path}.queuing`, "must be nil if limited.limitResponse.type is not Limited"),
        );
      }
      break;
    case "Queue":
      if (queuing === undefined) {
        errors.push(
          required(`${path}.queuing`, "must not be empty if limited.limitResponse.type is Limited"),
        );
      } else validateQueuing(queuing, `${path}.queuing`, errors);
      break;
    default:
      errors.push(notSupported(`${path}.type`, type, ["Queue", "Reject"]));
  }
}

const queuesMax = 10_000_000;
/** More bits of a flow's hash than these cannot be dealt evenly. */
const hashBitsMax = 60;

function validateQueuing(
  { handSize, queueLengthLimit, queues }: QueuingConfiguration,
  path: string,
  errors: FieldError[],
): void {
  if (queueLengthLimit <= 0) {
    errors.push(invalid(`${path}.queueLengthLimit`, queueLengthLimit, "must be positive"));
  }
  if (queues <= 0) errors.push(invalid(`${path}.queues`, queues, "must be positive"));
  else if (queues > queuesMax) {
    errors.push(invalid(`${path}.queues`, queues, `must not be greater than ${queuesMax}`));
  }
  const wrong = (detail: string) => errors.push(invalid(`${path}.handSize`, handSize, detail));
  if (handSize <= 0) wrong("must be positive");
  else if (handSize > queues) wrong(`should not be greater than queues (${queues})`);
  else if (Math.ceil(Math.log2(queues) * handSize) > hashBitsMax) {
    wrong(
      `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBitsMax}`,
    );
  }
}
