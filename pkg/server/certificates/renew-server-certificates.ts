import { isAbortOf } from "../../base/abort.ts";
import type { Service } from "../../base/service.ts";
import {
  type CertificateOptions,
  openServerCertificates,
  type ServerCertificates,
} from "./server-certificates.ts";

export interface ServerRenewalDeps extends CertificateOptions {
  /** Those in use when the renewal begins. */
  readonly current: ServerCertificates;
  /** Called with all of them whenever one was issued anew. */
  renewed(certificates: ServerCertificates): void | Promise<void>;
}

/** Certificates are issued anew months before they end: there is time for many looks. */
const lookEveryMs = 6 * 3_600_000;

/** Has the server's certificates issued anew before they end, while the server runs. */
export function createServerCertificateRenewal(deps: ServerRenewalDeps): Service {
  return {
    name: "server certificates",
    async run(signal) {
      let { current } = deps;
      for (;;) {
        try {
          await deps.clock.sleep(lookEveryMs, signal);
          const next = await openServerCertificates(deps);
          if (isSame(next, current)) continue;
          await deps.renewed(next);
          current = next;
        } catch (caught) {
          if (isAbortOf(signal, caught)) return;
          // A full disk or the like: there is time to try again.
          deps.log.error("cannot renew the server's certificates yet", { error: caught });
        }
      }
    },
  };
}

function isSame(left: ServerCertificates, right: ServerCertificates): boolean {
  const pems = (all: ServerCertificates) =>
    [all.serving, all.admin, all.controllerManager, all.scheduler, all.kubeletClient].map(
      ({ certificatePem }) => certificatePem,
    );
  return pems(left).join() === pems(right).join();
}
