import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { ApiError } from "../../../api/api-error.ts";

/** Addresses that mean the API server's own machine, its link, or many at once: never dialled for a client. */
const refused = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 32],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 4],
  ["255.255.255.255", 32],
] as const) {
  refused.addSubnet(network, bits, "ipv4");
}
for (const [network, bits] of [
  ["::", 128],
  ["::1", 128],
  ["fe80::", 10],
  ["ff00::", 8],
] as const) {
  refused.addSubnet(network, bits, "ipv6");
}

/** True for an address that a client may have dialled on its behalf: a global unicast one, as Go calls it. */
export function isProxyable(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  // An IPv4 address in IPv6 clothing is looked at as what it is.
  return !refused.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** Throws BadRequest where `address` is not to be dialled for a client. */
export function checkProxyable(address: string): void {
  if (!isProxyable(address)) throw ApiError.badRequest("address not allowed");
}

/**
 * Looks a host name up for a connection, and refuses what it stands for then: a name that is harmless when it is
 * checked may be another address's when it is dialled.
 */
export const proxyableLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    if (error !== null || first === undefined) done(error, "");
    else if (!addresses.every(({ address }) => isProxyable(address))) {
      done(new Error("address not allowed"), "");
    } else if (options.all === true) done(null, addresses);
    else done(null, first.address, first.family);
  });
};
