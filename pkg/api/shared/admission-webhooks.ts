import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
} from "../field-error.ts";
import type {
  MutatingWebhook,
  ValidatingWebhook,
} from "../generated/admissionregistration-v1.generated.ts";
import { validateLabelSelector } from "../labels.ts";
import { checkDns1035Label, checkDnsSubdomain } from "../names.ts";
import type { Draft, KubernetesObject } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import type { Column, FieldError } from "../resource.ts";
import {
  defaultMatching,
  defaultRules,
  failurePolicies,
  matchPolicies,
  reinvocationPolicies,
  validateAdmissionRule,
  validateMatchConditions,
} from "./admission-rules.ts";
import { validateWebhookClient } from "./validate-webhook.ts";

type Webhook = ValidatingWebhook & Pick<MutatingWebhook, "reinvocationPolicy">;

/** What the two kinds of webhook configurations have in common. */
export interface WebhookConfiguration extends KubernetesObject {
  readonly webhooks?: readonly Webhook[];
}

export function defaultWebhook(webhook: Draft<ValidatingWebhook>): void {
  webhook.failurePolicy ??= "Fail";
  defaultMatching(webhook);
  webhook.timeoutSeconds ??= 10;
  defaultRules(webhook.rules);
  if (webhook.clientConfig.service !== undefined) webhook.clientConfig.service.port ??= 443;
}

/** Counts changes of the webhooks, which lie outside of any spec. */
export function webhooksChanged(next: WebhookConfiguration, previous: WebhookConfiguration) {
  return !equalJson(next.webhooks ?? [], previous.webhooks ?? []);
}

export const webhooksColumn: Column<WebhookConfiguration> = {
  name: "Webhooks",
  type: "integer",
  description: "How many webhooks the configuration has.",
  cell: ({ webhooks }) => (webhooks ?? []).length,
};

/** What is wrong with a configuration; and, of one with webhooks that is right, that nobody would call them. */
export function validateWebhooks({ webhooks = [] }: WebhookConfiguration): readonly FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  webhooks.forEach((webhook, index) => {
    const path = `webhooks[${index}]`;
    validateWebhook(webhook, path, errors);
    validateReviewVersions(
      webhook.admissionReviewVersions,
      `${path}.admissionReviewVersions`,
      errors,
    );
    if (webhook.name === "") return;
    if (seen.has(webhook.name)) errors.push(duplicate(`${path}.name`, webhook.name));
    seen.add(webhook.name);
  });
  if (errors.length === 0 && webhooks.length > 0) {
    errors.push(
      forbidden(
        "webhooks",
        "this server does not call admission webhooks yet, so a configuration must have none; it is refused rather than ignored",
      ),
    );
  }
  return errors;
}

const sideEffectsAllowed = ["None", "NoneOnDryRun"];
const secondsMax = 30;

function validateWebhook(webhook: Webhook, path: string, errors: FieldError[]): void {
  validateFullName(webhook.name, `${path}.name`, errors);
  (webhook.rules ?? []).forEach((rule, index) => {
    addAll(errors, validateAdmissionRule(rule, `${path}.rules[${index}]`));
  });
  const choice = (field: "failurePolicy" | "matchPolicy" | "reinvocationPolicy", of: string[]) => {
    const value = webhook[field];
    if (value !== undefined && !of.includes(value)) {
      errors.push(notSupported(`${path}.${field}`, value, of));
    }
  };
  choice("failurePolicy", failurePolicies);
  choice("matchPolicy", matchPolicies);
  validateSideEffects(webhook.sideEffects, `${path}.sideEffects`, errors);
  const seconds = webhook.timeoutSeconds;
  if (seconds !== undefined && (seconds > secondsMax || seconds < 1)) {
    const why = "the timeout value must be between 1 and 30 seconds";
    errors.push(invalid(`${path}.timeoutSeconds`, seconds, why));
  }
  errors.push(
    ...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`),
  );
  choice("reinvocationPolicy", reinvocationPolicies);
  errors.push(
    ...validateWebhookClient(webhook.clientConfig, `${path}.clientConfig`),
    ...validateMatchConditions(webhook.matchConditions, `${path}.matchConditions`),
  );
}

function validateFullName(name: string, path: string, errors: FieldError[]): void {
  const problems = checkDnsSubdomain(name);
  if (name === "") errors.push(required(path));
  else if (problems.length > 0) errors.push(invalid(path, name, problems.join(",")));
  else if (name.split(".").length < 3) {
    errors.push(
      invalid(path, name, "should be a domain with at least three segments separated by dots"),
    );
  }
}

/** It is required, yet a client may leave it out. */
function validateSideEffects(value: string | undefined, path: string, errors: FieldError[]): void {
  if (value === undefined || value === "") {
    errors.push(required(path, `must specify one of ${sideEffectsAllowed.join(", ")}`));
  } else if (!sideEffectsAllowed.includes(value)) {
    errors.push(notSupported(path, value, sideEffectsAllowed));
  }
}

const reviewVersions = ["v1", "v1beta1"];

function validateReviewVersions(
  sent: readonly string[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  const versions = sent ?? [];
  const known = reviewVersions.join(", ");
  if (versions.length === 0) {
    errors.push(required(path, `must specify one of ${known}`));
    return;
  }
  const seen = new Set<string>();
  versions.forEach((version, index) => {
    const at = `${path}[${index}]`;
    if (seen.has(version)) errors.push(invalid(at, version, "duplicate version"));
    else addAll(errors, invalidEach(at, version, checkDns1035Label(version)));
    seen.add(version);
  });
  if (!versions.some((version) => reviewVersions.includes(version))) {
    errors.push(invalid(path, versions, `must include at least one of ${known}`));
  }
}
