import { ageColumn, nameColumn } from "../columns.ts";
import { type ServiceAccount, serviceAccountSchema } from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";
import { defineResource } from "../resource.ts";

const mountableAnnotation = "kubernetes.io/enforce-mountable-secrets";

export const serviceAccountResource = defineResource<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  scope: "namespace",
  schema: serviceAccountSchema,
  prepareCreate: keepSecretNames,
  prepareUpdate: keepSecretNames,
  warnings: ({ metadata }, previous) =>
    metadata.annotations?.[mountableAnnotation] === undefined ||
    previous?.metadata.annotations?.[mountableAnnotation] !== undefined
      ? []
      : [
          `metadata.annotations[${mountableAnnotation}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
        ],
  columns: [nameColumn, ageColumn],
});

/** The secrets are of the account's own namespace: nothing but their names counts. */
function keepSecretNames(account: Draft<ServiceAccount>): void {
  if (account.secrets === undefined) return;
  account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}
