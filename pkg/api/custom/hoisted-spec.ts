import { equalJson } from "../patch/json-value.ts";
import type {
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  PrinterColumn,
  SelectableField,
} from "./definition.ts";
import type { JsonSchema } from "./json-schema.ts";

/** A schema with the place at which it is spoken of. */
export type SchemaHolder = { readonly openAPIV3Schema?: JsonSchema };

/**
 * What the versions have in common, said once: upstream checks a definition in this form, and names its fields as they
 * stand here, e.g. `spec.validation.openAPIV3Schema` where all versions have one schema.
 */
export interface HoistedSpec extends CustomResourceDefinitionSpec {
  readonly validation: SchemaHolder | undefined;
  readonly subresources: CustomResourceSubresources | undefined;
  readonly additionalPrinterColumns: readonly PrinterColumn[] | undefined;
  readonly selectableFields: readonly SelectableField[] | undefined;
}

export function hoistedSpec(spec: CustomResourceDefinitionSpec): HoistedSpec {
  const [first] = spec.versions;
  const common = <Field extends keyof CustomResourceDefinitionVersion>(field: Field) =>
    spec.versions.every((each) => equalJson(each[field] ?? null, first?.[field] ?? null));
  const shared = {
    schema: common("schema"),
    subresources: common("subresources"),
    additionalPrinterColumns: common("additionalPrinterColumns"),
    selectableFields: common("selectableFields"),
  };
  return {
    ...spec,
    validation: shared.schema ? first?.schema : undefined,
    subresources: shared.subresources ? first?.subresources : undefined,
    additionalPrinterColumns: shared.additionalPrinterColumns
      ? first?.additionalPrinterColumns
      : undefined,
    selectableFields: shared.selectableFields ? first?.selectableFields : undefined,
    versions: spec.versions.map((version) => without(version, shared)),
  };
}

function without(
  version: CustomResourceDefinitionVersion,
  shared: Readonly<Record<string, boolean>>,
): CustomResourceDefinitionVersion {
  const kept = Object.entries(version).filter(([field]) => shared[field] !== true);
  return Object.fromEntries(kept) as unknown as CustomResourceDefinitionVersion;
}
