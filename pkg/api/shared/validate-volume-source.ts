import { addAll } from "../../base/add-all.ts";
import {
  forbidden,
  invalid,
  invalidEach,
  isEnough,
  notSupported,
  required,
} from "../field-error.ts";
import type {
  AzureDiskVolumeSource,
  CSIPersistentVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  HostPathVolumeSource,
  ISCSIPersistentVolumeSource,
  NFSVolumeSource,
  PersistentVolumeSource,
  QuobyteVolumeSource,
  SecretReference,
  StorageOSPersistentVolumeSource,
} from "../generated/core-v1.generated.ts";
import { checkDnsLabel, checkDnsSubdomain, inclusiveRange } from "../names.ts";
import type { FieldError } from "../resource.ts";
import { validateCsiDriverName } from "./csi-driver-name.ts";
import { validateNoBacksteps } from "./validate-paths.ts";

type Sources = Required<PersistentVolumeSource>;
type Check<Source> = (
  source: Source,
  path: string,
  errors: FieldError[],
  volumeName: string,
) => void;

/** Checks that there is exactly one source of a volume's data, and that it is complete. */
export function validateVolumeSource(
  sources: PersistentVolumeSource,
  path: string,
  volumeName: string,
  errors: FieldError[],
): void {
  let count = 0;
  for (const name of Object.keys(checks) as (keyof Sources)[]) {
    if (sources[name] === undefined) continue;
    count += 1;
    // Two of the paths are called otherwise, and a flexVolume may be one too many, as upstream has it.
    const refused = name === "cephfs" ? "cephFS" : name;
    const checked = name === "gcePersistentDisk" ? "persistentDisk" : name;
    if (count === 1 || name === "flexVolume") {
      check(name, sources, `${path}.${checked}`, errors, volumeName);
    } else {
      errors.push(forbidden(`${path}.${refused}`, "may not specify more than 1 volume type"));
    }
  }
  if (count === 0) errors.push(required(path, "must specify a volume type"));
}

function check<Name extends keyof Sources>(
  name: Name,
  sources: PersistentVolumeSource,
  path: string,
  errors: FieldError[],
  volumeName: string,
): void {
  const source = sources[name] as Sources[Name];
  checks[name](source, path, errors, volumeName);
}

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

const partitionMax = 255;
const lunMax = 255;

/** In the order in which upstream looks at them. */
const checks: { readonly [Name in keyof Sources]: Check<Sources[Name]> } = {
  hostPath: validateHostPath,
  gcePersistentDisk(source, path, errors) {
    requireTexts({ pdName: source.pdName }, path, errors);
    validatePartition(source.partition, path, errors);
  },
  awsElasticBlockStore(source, path, errors) {
    requireTexts({ volumeID: source.volumeID }, path, errors);
    validatePartition(source.partition, path, errors);
  },
  glusterfs(source, path, errors) {
    requireTexts({ endpoints: source.endpoints, path: source.path }, path, errors);
    const namespace = source.endpointsNamespace;
    if (namespace === undefined) return;
    const problems =
      namespace === ""
        ? ["if the endpointnamespace is set, it must be a valid namespace name"]
        : checkDnsLabel(namespace);
    addAll(errors, invalidEach(`${path}.endpointsNamespace`, namespace, problems));
  },
  flocker: validateFlocker,
  nfs: validateNfs,
  rbd(source, path, errors) {
    requireItems(source.monitors, `${path}.monitors`, errors);
    requireTexts({ image: source.image }, path, errors);
  },
  quobyte: validateQuobyte,
  cephfs(source, path, errors) {
    requireItems(source.monitors, `${path}.monitors`, errors);
  },
  iscsi: validateIscsi,
  cinder(source, path, errors) {
    requireTexts({ volumeID: source.volumeID }, path, errors);
    requireSecret(source.secretRef, `${path}.secretRef`, errors);
  },
  fc: validateFc,
  flexVolume(source, path, errors) {
    requireTexts({ driver: source.driver }, path, errors);
    for (const key of Object.keys(source.options ?? {})) {
      if (isEnough(errors)) break;
      const domain = `.${key.split("/", 1).join("").toLowerCase()}`;
      if (domain.endsWith(".kubernetes.io") || domain.endsWith(".k8s.io")) {
        errors.push(
          invalid(
            `${path}.options[${key}]`,
            key,
            "kubernetes.io and k8s.io namespaces are reserved",
          ),
        );
      }
    }
  },
  azureFile(source, path, errors) {
    requireTexts({ secretName: source.secretName, shareName: source.shareName }, path, errors);
    if (source.secretNamespace === "") errors.push(required(`${path}.secretNamespace`));
  },
  vsphereVolume: (source, path, errors) =>
    requireTexts({ volumePath: source.volumePath }, path, errors),
  photonPersistentDisk: (source, path, errors) => requireTexts({ pdID: source.pdID }, path, errors),
  portworxVolume: (source, path, errors) =>
    requireTexts({ volumeID: source.volumeID }, path, errors),
  azureDisk: validateAzureDisk,
  scaleIO: ({ gateway, system, volumeName }, path, errors) =>
    requireTexts({ gateway, system, volumeName }, path, errors),
  local(source, path, errors) {
    if (source.path === "") errors.push(required(`${path}.path`));
    else validateNoBacksteps(source.path, `${path}.path`, errors);
  },
  storageos: validateStorageOs,
  csi: validateCsi,
};

export function validateHostPath(
  source: HostPathVolumeSource,
  path: string,
  errors: FieldError[],
): void {
  if (source.path === "") {
    errors.push(required(`${path}.path`));
    return;
  }
  validateNoBacksteps(source.path, `${path}.path`, errors);
  if (source.type !== undefined && !hostPathTypes.includes(source.type)) {
    errors.push(notSupported(`${path}.type`, source.type, hostPathTypes));
  }
}

export function validateNfs(source: NFSVolumeSource, path: string, errors: FieldError[]): void {
  requireTexts({ server: source.server, path: source.path }, path, errors);
  if (!source.path.startsWith("/")) {
    errors.push(invalid(`${path}.path`, source.path, "must be an absolute path"));
  }
}

function requireTexts(
  texts: Readonly<Record<string, string | undefined>>,
  path: string,
  errors: FieldError[],
): void {
  for (const [name, text] of Object.entries(texts)) {
    if ((text ?? "") === "") errors.push(required(`${path}.${name}`));
  }
}

function requireItems(
  items: readonly string[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  if ((items ?? []).length === 0) errors.push(required(path));
}

function requireSecret(
  secret: SecretReference | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (secret === undefined) return;
  requireTexts({ name: secret.name, namespace: secret.namespace }, path, errors);
}

function validatePartition(
  partition: number | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (partition === undefined || (partition >= 0 && partition <= partitionMax)) return;
  errors.push(invalid(`${path}.partition`, partition, inclusiveRange(1, partitionMax)));
}

function validateFlocker(
  { datasetName = "", datasetUUID = "" }: FlockerVolumeSource,
  path: string,
  errors: FieldError[],
): void {
  if (datasetName === "" && datasetUUID === "") {
    errors.push(required(path, "one of datasetName and datasetUUID is required"));
  }
  if (datasetName !== "" && datasetUUID !== "") {
    errors.push(
      invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"),
    );
  }
  if (datasetName.includes("/")) {
    errors.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"));
  }
}

const registryDetail = "must be a host:port pair or multiple pairs separated by commas";
const tenantCharactersMax = 64;

function validateQuobyte(
  { registry, tenant = "", volume }: QuobyteVolumeSource,
  path: string,
  errors: FieldError[],
): void {
  if (registry === "") errors.push(required(`${path}.registry`, registryDetail));
  else if (tenant.length > tenantCharactersMax) {
    errors.push(
      required(
        `${path}.tenant`,
        `must be a UUID and may not exceed a length of ${tenantCharactersMax} characters`,
      ),
    );
  } else {
    for (const pair of registry.split(",")) {
      if (isHostAndPort(pair)) continue;
      errors.push(invalid(`${path}.registry`, registry, registryDetail));
    }
  }
  requireTexts({ volume }, path, errors);
}

/** `host:port`, `[::1]:port`; either may be empty. */
function isHostAndPort(text: string): boolean {
  return /^(\[[^[\]]*\]|[^[\]:]*):[^[\]:]*$/.test(text);
}

const iscsiNames: readonly (readonly [prefix: string, shape: RegExp])[] = [
  ["iqn", /^iqn\.\d{4}-\d{2}\.[A-Za-z0-9\-.]+:[^,;*&$|\s]+$/],
  ["eui", /^eui.[A-Za-z0-9]{16}$/],
  ["naa", /^naa.[A-Za-z0-9]{32}$/],
];

function isIscsiName(name: string): boolean {
  return iscsiNames.some(([prefix, shape]) => name.startsWith(prefix) && shape.test(name));
}

const iscsiPathCharactersMax = 64;

function validateIscsi(
  source: ISCSIPersistentVolumeSource,
  path: string,
  errors: FieldError[],
  volumeName: string,
): void {
  const { targetPortal, iqn, lun, initiatorName, secretRef } = source;
  requireTexts({ targetPortal }, path, errors);
  const isLong = `${volumeName}:${targetPortal}`.length > iscsiPathCharactersMax;
  if (initiatorName !== undefined && isLong) {
    errors.push(
      invalid(
        `${path}.targetportal`,
        targetPortal,
        "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.",
      ),
    );
  }
  if (iqn === "") errors.push(required(`${path}.iqn`));
  else if (!isIscsiName(iqn)) errors.push(invalid(`${path}.iqn`, iqn, "must be valid format"));
  if (lun < 0 || lun > lunMax) {
    errors.push(invalid(`${path}.lun`, lun, inclusiveRange(0, lunMax)));
  }
  const authenticates = source.chapAuthDiscovery === true || source.chapAuthSession === true;
  if (authenticates && secretRef === undefined) errors.push(required(`${path}.secretRef`));
  if (secretRef !== undefined) {
    requireTexts({ name: secretRef.name }, `${path}.secretRef`, errors);
  }
  if (initiatorName !== undefined && !isIscsiName(initiatorName)) {
    errors.push(invalid(`${path}.initiatorname`, initiatorName, "must be valid format"));
  }
}

function validateFc(
  { targetWWNs = [], wwids = [], lun }: FCVolumeSource,
  path: string,
  errors: FieldError[],
): void {
  const at = `${path}.targetWWNs`;
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.push(required(at, "must specify either targetWWNs or wwids, but not both"));
  }
  if (targetWWNs.length === 0) return;
  if (wwids.length > 0) {
    errors.push(
      invalid(at, targetWWNs, "targetWWNs and wwids can not be specified simultaneously"),
    );
  }
  if (lun === undefined) {
    errors.push(required(`${path}.lun`, "lun is required if targetWWNs is specified"));
  } else if (lun < 0 || lun > lunMax) {
    errors.push(invalid(`${path}.lun`, lun, inclusiveRange(0, lunMax)));
  }
}

const cachingModes = ["None", "ReadOnly", "ReadWrite"];
const diskKinds = ["Dedicated", "Managed", "Shared"];
const managedDisk =
  "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
const blobDisk = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";

function validateAzureDisk(
  source: AzureDiskVolumeSource,
  path: string,
  errors: FieldError[],
): void {
  const { diskName, diskURI, cachingMode, kind } = source as Partial<AzureDiskVolumeSource>;
  requireTexts({ diskName, diskURI }, path, errors);
  if (cachingMode !== undefined && !cachingModes.includes(cachingMode)) {
    errors.push(notSupported(`${path}.cachingMode`, cachingMode, cachingModes));
  }
  if (kind === undefined) return;
  if (!diskKinds.includes(kind)) errors.push(notSupported(`${path}.kind`, kind, diskKinds));
  const [start, shape] =
    kind === "Managed" ? ["/subscriptions/", managedDisk] : ["https://", blobDisk];
  if (diskURI?.startsWith(start) !== true) {
    errors.push(notSupported(`${path}.diskURI`, diskURI ?? "", [shape]));
  }
}

function validateStorageOs(
  { volumeName = "", volumeNamespace = "", secretRef }: StorageOSPersistentVolumeSource,
  path: string,
  errors: FieldError[],
): void {
  if (volumeName === "") errors.push(required(`${path}.volumeName`));
  else addAll(errors, invalidEach(`${path}.volumeName`, volumeName, checkDnsLabel(volumeName)));
  if (volumeNamespace !== "") {
    const problems = checkDnsLabel(volumeNamespace);
    addAll(errors, invalidEach(`${path}.volumeNamespace`, volumeNamespace, problems));
  }
  if (secretRef === undefined) return;
  const { name, namespace } = secretRef;
  requireTexts({ name, namespace }, `${path}.secretRef`, errors);
}

/** `nodeStageSecretRef` is not looked at, as upstream has it. */
const checkedCsiSecrets = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
] as const;

function validateCsi(source: CSIPersistentVolumeSource, path: string, errors: FieldError[]): void {
  addAll(errors, validateCsiDriverName(source.driver, `${path}.driver`));
  requireTexts({ volumeHandle: source.volumeHandle }, path, errors);
  for (const field of checkedCsiSecrets) {
    const secret = source[field];
    if (secret === undefined) continue;
    const { name = "", namespace = "" } = secret;
    const at = `${path}.${field}`;
    if (name === "") errors.push(required(`${at}.name`));
    else addAll(errors, invalidEach(`${at}.name`, name, checkDnsSubdomain(name)));
    if (namespace === "") errors.push(required(`${at}.namespace`));
    else addAll(errors, invalidEach(`${at}.namespace`, namespace, checkDnsLabel(namespace)));
  }
}
