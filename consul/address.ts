import { createHash } from "node:crypto";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** go-sockaddr templates, which Consul resolves on the host: `{{ GetInterfaceIP "eth1" }}`. */
export const isTemplate = (value: string): boolean => value.includes("{{");

/** Addresses that spaces separate. A template may contain spaces. */
export const addressesIn = (text: string): string[] => text.match(/(?:\{\{.*?\}\}|\S)+/g) ?? [];

/** Whether a text is one whole template. */
export const isWholeTemplate = (text: string): boolean => /^\{\{.*\}\}$/s.test(text);

/** A host name by RFC 1123 with at least one dot, so that a misspelt agent's name is not a host name. */
export const isDnsName = (value: string): boolean =>
  isIP(value) === 0 &&
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(value);

/** 4 or 6; undefined if the text is not an IP address. */
export function family(address: string): 4 | 6 | undefined {
  const version = isIP(address);
  return version === 4 || version === 6 ? version : undefined;
}

/**
 * Reads `host`, `host:port`, `[ipv6]:port` or a bare IPv6 address; undefined for anything else. What the host is, is
 * for the caller to check.
 */
export function hostAndPort(text: string): { readonly host: string; readonly port?: number } | undefined {
  if (family(text)) return { host: text };
  const [, v6, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? undefined : Number(digits);
  return !host || (v6 && family(v6) !== 6) || port === 0 || (port ?? 0) > 65535 ? undefined : { host, port };
}

/** An IP address in its shortest notation, so that equal addresses are equal texts; any other text unchanged. */
export const canonical = (value: string): string => (family(value) ? ipaddr.process(value).toString() : value);

/** Whether a URL has a password: scheme://user:password@host. */
export const hasPassword = (value: string): boolean => /\w:\/\/[^\s/?#:@]*:[^\s/?#]+@/.test(value);

const WRONG_RANGES: Record<string, string> = {
  unspecified: "means every address of a host, so nobody can reach it",
  broadcast: "is the broadcast address",
  multicast: "is a multicast address",
  reserved: "is reserved by the IETF",
  linkLocal: "is link-local: it means another host on every network",
};

/** Why other agents cannot reach an address; undefined if they can. */
export function whyUnreachable(address: string, { loopbackAllowed }: { loopbackAllowed: boolean }): string | undefined {
  if (!family(address)) return "is no IP address";
  const range = rangeOf(address);
  if (range === "loopback" && !loopbackAllowed) return "is a loopback address, which means another host on every host";
  return WRONG_RANGES[range];
}

/** The addresses of a.b.c.0/24 without the network's, Docker's gateway, and the broadcast address. */
const HOSTS_OF_SUBNET = 253;

/**
 * An agent's address in a bridge network, which is derived from its name alone. Otherwise Docker assigns addresses in the
 * order of starting, and after a restart of the daemon the servers would have each other's addresses.
 * @param subnet a.b.c.0/24; the first address is Docker's gateway
 */
export function addressInSubnet(subnet: string, name: string): string {
  const last = 2 + (createHash("sha256").update(name).digest().readUInt32BE(0) % HOSTS_OF_SUBNET);
  return subnet.replace(/\.0\/24$/, `.${last}`);
}

/**
 * The same for a container that is no agent: the next free address.
 * @param taken addresses of the subnet that are in use
 */
export function freeInSubnet(subnet: string, name: string, taken: ReadonlySet<string>): string {
  const first = addressInSubnet(subnet, name);
  const [, network, host] = /^(.*\.)(\d+)$/.exec(first) as unknown as [string, string, string];
  const around = Array.from(
    { length: HOSTS_OF_SUBNET },
    (_, step) => `${network}${2 + ((Number(host) - 2 + step) % HOSTS_OF_SUBNET)}`,
  );
  return around.find((address) => !taken.has(address)) ?? first;
}

export const isWildcard = (address: string): boolean => rangeOf(address) === "unspecified";
export const isLoopback = (address: string): boolean => rangeOf(address) === "loopback";

/** The range of an IPv4 address in IPv6 notation (::ffff:127.0.0.1) is that of the IPv4 address. */
function rangeOf(address: string): string {
  const range = ranges.get(address) ?? (family(address) ? ipaddr.process(address).range() : "");
  ranges.set(address, range);
  return range;
}

/** Several rules check each address, and one range takes 20 µs: without this a quarter of the time to check 1000 hosts. */
const ranges = new Map<string, string>();

/**
 * The address at which other agents reach an agent's gossip: the advertise or bind address, unless only Consul knows it
 * (a template, or every address).
 */
export function gossipAddress(
  { advertiseAddr, bindAddr }: { readonly advertiseAddr?: string; readonly bindAddr?: string },
  otherwise: string,
): string {
  return (
    [advertiseAddr, bindAddr].find((address) => address !== undefined && family(address) && !isWildcard(address)) ??
    otherwise
  );
}

/** The address as it precedes a port or is part of a URL: IPv6 in brackets. */
export const bracketed = (address: string): string => (family(address) === 6 ? `[${address}]` : address);
