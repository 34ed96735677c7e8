import { ageColumn, nameColumn } from "../columns.ts";
import {
  type MutatingWebhookConfiguration,
  mutatingWebhookConfigurationSchema,
} from "../generated/admissionregistration-v1.generated.ts";
import { defineResource } from "../resource.ts";
import { admissionRegistrationGroup, extensionCategories } from "../shared/admission-rules.ts";
import {
  defaultWebhook,
  validateWebhooks,
  webhooksChanged,
  webhooksColumn,
} from "../shared/admission-webhooks.ts";

export const mutatingWebhookConfigurationResource = defineResource<MutatingWebhookConfiguration>({
  group: admissionRegistrationGroup,
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
  categories: extensionCategories,
  unconditionalUpdate: false,
  scope: "cluster",
  schema: mutatingWebhookConfigurationSchema,
  defaults({ webhooks }) {
    for (const webhook of webhooks ?? []) {
      defaultWebhook(webhook);
      webhook.reinvocationPolicy ??= "Never";
    }
  },
  generationChanged: webhooksChanged,
  validate: validateWebhooks,
  columns: [nameColumn, webhooksColumn, ageColumn],
});
