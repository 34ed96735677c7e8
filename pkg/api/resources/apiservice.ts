import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "../field-error.ts";
import {
  type APIService,
  type APIServiceSpec,
  apiServiceSchema,
  type ServiceReference,
} from "../generated/apiregistration-v1.generated.ts";
import { checkDns1035Label, checkDnsSubdomain, checkPortNumber } from "../names.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { extensionCategories } from "../shared/admission-rules.ts";
import { keepMetadataOfStatus } from "../shared/status-metadata.ts";
import { formatTime } from "../time.ts";

export const apiServiceResource = defineResource<APIService>({
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
  categories: extensionCategories,
  unconditionalUpdate: false,
  scope: "cluster",
  schema: apiServiceSchema,
  nameRule: "path-segment",
  subresources: { status: true },
  resetFields: { "": [["status"]], status: [["metadata"], ["spec"]] },
  prepareStatusUpdate: keepMetadataOfStatus,
  countsGenerations: false,
  defaults({ spec }) {
    if (spec.service !== undefined) spec.service.port ??= 443;
  },
  prepareCreate(service, _requester, nowMs) {
    service.status = {};
    if (service.spec.service !== undefined) return;
    const available = {
      type: "Available",
      status: "True",
      lastTransitionTime: formatTime(nowMs),
      reason: "Local",
      message: "Local APIServices are always available",
    };
    service.status.conditions = [available];
  },
  validate,
  validateStatusUpdate: ({ status }) =>
    (status.conditions ?? []).flatMap((condition, index) =>
      statuses.includes(condition.status)
        ? []
        : [notSupported(`status.conditions[${index}].status`, condition.status, statuses)],
    ),
  columns: [
    nameColumn,
    {
      name: "Service",
      type: "string",
      description: "Where the API is served.",
      cell: ({ spec: { service } }) =>
        service === undefined ? "Local" : `${service.namespace ?? ""}/${service.name ?? ""}`,
    },
    {
      name: "Available",
      type: "string",
      description: "Whether the API can be used.",
      cell: printAvailable,
    },
    ageColumn,
  ],
});

const statuses = ["True", "False", "Unknown"];

function printAvailable({ status }: APIService): string {
  const condition = status.conditions?.find(({ type }) => type === "Available");
  if (condition === undefined) return "Unknown";
  const { reason = "" } = condition;
  return condition.status === "True" || reason === ""
    ? condition.status
    : `${condition.status} (${reason})`;
}

const groupPriorityMax = 20_000;
const versionPriorityMax = 1000;

function validate({ metadata, spec }: APIService): readonly FieldError[] {
  const { group = "", groupPriorityMinimum, version = "", versionPriority } = spec;
  const errors: FieldError[] = [];
  const name = `${version}.${group}`;
  if (metadata.name !== name) {
    const why = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`;
    errors.push(invalid("metadata.name", metadata.name, why));
  }
  if (group === "" && version !== "v1") {
    errors.push(
      required("spec.group", "only v1 may have an empty group and it better be legacy kube"),
    );
  }
  if (group !== "") addAll(errors, invalidEach("spec.group", group, checkDnsSubdomain(group)));
  addAll(errors, invalidEach("spec.version", version, checkDns1035Label(version)));
  const priority = (field: string, value: number, max: number) => {
    if (value > 0 && value <= max) return;
    errors.push(invalid(`spec.${field}`, value, `must be positive and less than ${max}`));
  };
  priority("groupPriorityMinimum", groupPriorityMinimum, groupPriorityMax);
  priority("versionPriority", versionPriority, versionPriorityMax);
  if (spec.service === undefined) validateLocal(spec, errors);
  else validateRemote(spec.service, spec, errors);
  return errors;
}

function validateLocal(
  { caBundle = "", insecureSkipTLSVerify }: APIServiceSpec,
  errors: FieldError[],
): void {
  if (caBundle !== "") {
    const bytes = `${Buffer.from(caBundle, "base64").length} bytes`;
    errors.push(invalid("spec.caBundle", bytes, "local APIServices may not have a caBundle"));
  }
  if (insecureSkipTLSVerify === true) {
    const why = "local APIServices may not have insecureSkipTLSVerify";
    errors.push(invalid("spec.insecureSkipTLSVerify", true, why));
  }
}

/** What is wrong with it; and, where nothing is, that nobody would pass requests on. */
function validateRemote(
  { name = "", namespace = "", port = 0 }: ServiceReference,
  { caBundle = "", insecureSkipTLSVerify }: APIServiceSpec,
  errors: FieldError[],
): void {
  if (namespace === "") errors.push(required("spec.service.namespace"));
  if (name === "") errors.push(required("spec.service.name"));
  const problems = checkPortNumber(port);
  if (problems.length > 0) {
    const why = `port is not valid: ${problems.join(", ")}`;
    errors.push(invalid("spec.service.port", port, why));
  }
  if (insecureSkipTLSVerify === true && caBundle !== "") {
    const why = "may not be true if caBundle is present";
    errors.push(invalid("spec.insecureSkipTLSVerify", true, why));
  }
  if (errors.length > 0) return;
  errors.push(
    forbidden(
      "spec.service",
      "this server does not pass requests on to other API servers yet; an APIService with a service is refused rather than ignored",
    ),
  );
}
