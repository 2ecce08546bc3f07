import type { AgentDescription, Cluster } from "../../cluster/model";
import { family, isDnsName, isWildcard } from "../../consul/address";

/** What a certificate is valid for: its subject alternative names. */
export interface Names {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

/**
 * What a server's certificate has to be valid for: the names by which agents know servers (verify_server_hostname), and where its HTTPS and gRPC are
 * reached. Templates and wildcards are no addresses.
 */
export function serverNames(
  { datacenter, network }: Cluster,
  { node, container, host, settings }: AgentDescription,
): Names {
  const domain =
    typeof settings.config?.domain === "string" ? settings.config.domain.toLowerCase().replace(/\.$/, "") : "consul";
  const listens = (settings.client ?? "")
    .split(" ")
    .map((address) => (family(address) === 6 && isWildcard(address) ? "::1" : address));
  const reached = [host.address, settings.bind, settings.advertise, ...listens].filter(
    (address) => address !== undefined,
  );
  const unique = (names: readonly string[]) => [...new Set(names)];
  return {
    dns: unique([
      `server.${datacenter}.${domain}`,
      `${node}.server.${datacenter}.${domain}`,
      "localhost",
      ...(network === "bridge" ? [container] : []),
      ...reached.filter(isDnsName),
    ]),
    ip: unique(["127.0.0.1", ...reached.filter((address) => family(address) && !isWildcard(address))]),
  };
}

/** `DNS server.dc1.consul, localhost; IP 127.0.0.1` */
export const namesText = ({ dns, ip }: Names): string =>
  [...(dns.length > 0 ? [`DNS ${dns.join(", ")}`] : []), ...(ip.length > 0 ? [`IP ${ip.join(", ")}`] : [])].join("; ");
