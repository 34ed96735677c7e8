export interface ServingNamesOptions {
  readonly hostname: string;
  /** Where others reach this server; undefined where not known. */
  readonly advertiseAddress: string | undefined;
  /** `--tls-san` */
  readonly extraNames: readonly string[];
  /** The ClusterIP of Service `kubernetes`. */
  readonly apiServiceAddress: string;
  readonly clusterDomain: string;
}

/** Every name and address under which clients find the API, each once. */
export function servingNames(options: ServingNamesOptions): readonly string[] {
  return [
    ...new Set([
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      `kubernetes.default.svc.${options.clusterDomain}`,
      "localhost",
      options.hostname,
      "127.0.0.1",
      "::1",
      options.apiServiceAddress,
      ...(options.advertiseAddress === undefined ? [] : [options.advertiseAddress]),
      ...options.extraNames,
    ]),
  ];
}
