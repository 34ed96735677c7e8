import type { Container, PodSpec } from "../generated/core-v1.generated.ts";
import { tryParseQuantity } from "../quantity.ts";

const nanosPerUnit = 1_000_000_000n;

/** What is accepted and will probably not do what was meant. */
export function podSpecWarnings(spec: PodSpec, path: string): readonly string[] {
  const warnings: string[] = [];
  const lists = { initContainers: spec.initContainers, containers: spec.containers };
  for (const [list, containers] of Object.entries(lists)) {
    (containers ?? []).forEach((container, index) => {
      const at = `${path}.${list}[${index}]`;
      warnAboutEnvironment(container, at, warnings);
      warnAboutPorts(container, at, warnings);
      warnAboutFractions(container, at, warnings);
    });
  }
  (spec.imagePullSecrets ?? []).forEach(({ name }, index) => {
    if (name === "") {
      warnings.push(`${path}.imagePullSecrets[${index}].name: invalid empty name ""`);
    }
  });
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(
      `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  }
  return warnings;
}

function warnAboutEnvironment({ env = [] }: Container, path: string, warnings: string[]): void {
  if (env.length < 2) return;
  const seen = new Set<string>();
  env.forEach(({ name, value = "" }, index) => {
    // A variable may be built from the one that it hides: then both are meant.
    if (seen.has(name) && !value.includes(`$(${name})`)) {
      warnings.push(
        `${path}.env[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
      );
    }
    seen.add(name);
  });
}

function warnAboutPorts({ ports = [] }: Container, path: string, warnings: string[]): void {
  if (ports.length < 2) return;
  const seen = new Map<string, string>();
  ports.forEach((port, index) => {
    const at = `${path}.ports[${index}]`;
    const identity = `${port.containerPort}/${port.protocol}/${port.hostPort ?? 0}/${port.hostIP ?? ""}`;
    const other = seen.get(identity);
    if (other !== undefined) warnings.push(`${at}: duplicate port definition with ${other}`);
    else seen.set(identity, at);
  });
}

function warnAboutFractions({ resources }: Container, path: string, warnings: string[]): void {
  for (const field of ["limits", "requests"] as const) {
    const list = resources?.[field];
    for (const name of ["memory", "ephemeral-storage"]) {
      const text = list?.[name];
      const quantity = text === undefined ? undefined : tryParseQuantity(text);
      if (quantity !== undefined && quantity.nanos % nanosPerUnit !== 0n) {
        warnings.push(
          `${path}.resources.${field}[${name}]: fractional byte value ${JSON.stringify(text)} is invalid, must be an integer`,
        );
      }
    }
  }
}
