import { ageColumn, nameColumn } from "../columns.ts";
import {
  type ValidatingWebhookConfiguration,
  validatingWebhookConfigurationSchema,
} from "../generated/admissionregistration-v1.generated.ts";
import { defineResource } from "../resource.ts";
import { admissionRegistrationGroup, extensionCategories } from "../shared/admission-rules.ts";
import {
  defaultWebhook,
  validateWebhooks,
  webhooksChanged,
  webhooksColumn,
} from "../shared/admission-webhooks.ts";

export const validatingWebhookConfigurationResource =
  defineResource<ValidatingWebhookConfiguration>({
    group: admissionRegistrationGroup,
    version: "v1",
    kind: "ValidatingWebhookConfiguration",
    plural: "validatingwebhookconfigurations",
    categories: extensionCategories,
    unconditionalUpdate: false,
    scope: "cluster",
    schema: validatingWebhookConfigurationSchema,
    defaults({ webhooks }) {
      for (const webhook of webhooks ?? []) defaultWebhook(webhook);
    },
    generationChanged: webhooksChanged,
    validate: validateWebhooks,
    columns: [nameColumn, webhooksColumn, ageColumn],
  });
