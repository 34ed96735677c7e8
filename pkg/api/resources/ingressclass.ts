import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import {
  forbidden,
  immutableDetail,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
} from "../field-error.ts";
import {
  type IngressClass,
  type IngressClassParametersReference,
  ingressClassSchema,
} from "../generated/networking-v1.generated.ts";
import { checkDnsLabel } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { networkingGroup } from "../shared/networking.ts";
import { validateDomainPath } from "../shared/validate-domain-path.ts";
import { validateTypedReference } from "../shared/validate-references.ts";

export const ingressClassResource = defineResource<IngressClass>({
  group: networkingGroup,
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  scope: "cluster",
  schema: ingressClassSchema,
  defaults({ spec }) {
    if (spec.parameters !== undefined) spec.parameters.scope ??= "Cluster";
  },
  generationChanged: (next, previous) => !equalJson(next.spec, previous.spec),
  validateCreate: validate,
  validateUpdate(next, previous) {
    const controller = next.spec.controller ?? "";
    const kept = controller === (previous.spec.controller ?? "");
    return [
      ...(kept ? [] : [invalid("spec.controller", controller, immutableDetail)]),
      ...validate(next),
    ];
  },
  columns: [
    nameColumn,
    {
      name: "Controller",
      type: "string",
      description: "Which controller serves the class.",
      cell: ({ spec }) => spec.controller ?? "",
    },
    {
      name: "Parameters",
      type: "string",
      description: "Where the controller finds its parameters.",
      cell: ({ spec }) => printParameters(spec.parameters),
    },
    ageColumn,
  ],
});

function printParameters(parameters: IngressClassParametersReference | undefined): string {
  if (parameters === undefined) return "<none>";
  const { apiGroup, kind, name } = parameters;
  return `${kind}${apiGroup === undefined ? "" : `.${apiGroup}`}/${name}`;
}

const controllerBytesMax = 250;

function validate({ spec: { controller = "", parameters } }: IngressClass): readonly FieldError[] {
  const errors: FieldError[] = [];
  const path = "spec.controller";
  if (Buffer.byteLength(controller) > controllerBytesMax) {
    errors.push(tooLong(path, controllerBytesMax));
  }
  validateDomainPath(controller, path, errors);
  if (parameters !== undefined) validateParameters(parameters, "spec.parameters", errors);
  return errors;
}

function validateParameters(
  parameters: IngressClassParametersReference,
  path: string,
  errors: FieldError[],
): void {
  addAll(errors, validateTypedReference(parameters, path));
  const { namespace, scope } = parameters;
  const at = `${path}.namespace`;
  switch (scope) {
    case undefined:
      errors.push(required(`${path}.scope`));
      break;
    case "Namespace":
      if (namespace === undefined) {
        errors.push(required(at, "`parameters.scope` is set to 'Namespace'"));
      } else addAll(errors, invalidEach(at, namespace, checkDnsLabel(namespace)));
      break;
    case "Cluster":
      if (namespace !== undefined) {
        errors.push(forbidden(at, "`parameters.scope` is set to 'Cluster'"));
      }
      break;
    default:
      errors.push(notSupported(`${path}.scope`, scope, ["Cluster", "Namespace"]));
  }
}
