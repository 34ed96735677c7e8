import { ageColumn, nameColumn } from "../columns.ts";
import {
  forbidden,
  immutableDetail,
  invalid,
  invalidEach,
  required,
  tooLong,
} from "../field-error.ts";
import {
  type VolumeAttachment,
  type VolumeAttachmentSource,
  type VolumeAttachmentStatus,
  type VolumeError,
  volumeAttachmentSchema,
} from "../generated/storage-v1.generated.ts";
import { checkDnsSubdomain, inclusiveRange } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { validateCsiDriverName } from "../shared/csi-driver-name.ts";
import { keepMetadataOfStatus } from "../shared/status-metadata.ts";
import { defaultVolumeSource } from "../shared/volume-source-defaults.ts";
import { validateVolumeSpec } from "../shared/volume-spec.ts";

export const volumeAttachmentResource = defineResource<VolumeAttachment>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  scope: "cluster",
  schema: volumeAttachmentSchema,
  subresources: { status: true },
  // Its spec never changes.
  countsGenerations: false,
  resetFields: { "": [["status"]], status: [["metadata"], ["spec"]] },
  defaults({ spec }) {
    const inline = spec.source?.inlineVolumeSpec;
    if (inline !== undefined) defaultVolumeSource(inline);
  },
  prepareCreate(attachment) {
    attachment.status = { attached: false };
  },
  prepareStatusUpdate: keepMetadataOfStatus,
  validate: ({ spec, status }) => [
    ...validateCsiDriverName(spec.attacher, "spec.attacher"),
    ...validateSource(spec.source, "spec.source"),
    ...invalidEach("spec.nodeName", spec.nodeName, checkDnsSubdomain(spec.nodeName)),
    ...validateStatus(status),
    ...checkVolumeName(spec.source.persistentVolumeName),
  ],
  validateUpdate: checkSpec,
  validateStatusUpdate: (next, previous) => [
    ...validateStatus(next.status),
    ...checkSpec(next, previous),
  ],
  columns: [
    nameColumn,
    {
      name: "Attacher",
      type: "string",
      format: "name",
      description: "The driver that attaches the volume.",
      cell: ({ spec }) => spec.attacher,
    },
    {
      name: "PV",
      type: "string",
      description: "The volume.",
      cell: ({ spec }) => spec.source.persistentVolumeName ?? "",
    },
    {
      name: "Node",
      type: "string",
      description: "The node that the volume is to be attached to.",
      cell: ({ spec }) => spec.nodeName,
    },
    {
      name: "Attached",
      type: "boolean",
      description: "Whether it is.",
      cell: ({ status }) => status.attached,
    },
    ageColumn,
  ],
});

function checkSpec(next: VolumeAttachment, previous: VolumeAttachment): readonly FieldError[] {
  return equalJson(next.spec, previous.spec) ? [] : [invalid("spec", next.spec, immutableDetail)];
}

const oneSource = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";

function validateSource(
  { inlineVolumeSpec: inline, persistentVolumeName: name }: VolumeAttachmentSource,
  path: string,
): readonly FieldError[] {
  if (inline === undefined && name === undefined) return [required(path, oneSource)];
  if (inline !== undefined && name !== undefined) return [forbidden(path, oneSource)];
  if (inline !== undefined) {
    return validateVolumeSpec(inline, { inline: true }, `${path}.inlineVolumeSpec`);
  }
  if (name !== "") return [];
  return [required(`${path}.persistentVolumeName`, "must specify non empty persistentVolumeName")];
}

function checkVolumeName(name: string | undefined): readonly FieldError[] {
  if (name === undefined) return [];
  return invalidEach("spec.source.persistentVolumeName", name, checkDnsSubdomain(name));
}

const metadataBytesMax = 256 * 1024;
const messageBytesMax = 1024;
const errorCodeMax = 2 ** 31 - 1;

function validateStatus(status: VolumeAttachmentStatus): readonly FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(status.attachmentMetadata ?? {})) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > metadataBytesMax) {
    errors.push(tooLong("status.attachmentMetadata", metadataBytesMax));
  }
  validateVolumeError(status.attachError, "status.attachError", errors);
  validateVolumeError(status.detachError, "status.detachError", errors);
  return errors;
}

function validateVolumeError(
  error: VolumeError | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (Buffer.byteLength(error?.message ?? "") > messageBytesMax) {
    // Upstream names the bound of the metadata here.
    errors.push(tooLong(`${path}.message`, metadataBytesMax));
  }
  const code = error?.errorCode;
  if (code !== undefined && code < 0) {
    errors.push(invalid(`${path}.errorCode`, code, inclusiveRange(0, errorCodeMax)));
  }
}
