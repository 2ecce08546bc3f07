import { addressInSubnet, canonical, family, hostAndPort, isLoopback, isWildcard } from "../../consul/address";
import type { AgentDescription, Draft } from "../model";
import type { Violation } from "../problem";
import { settingPath, unique } from "./paths";

const DNS_PORT = 53;
/**
 * Docker's DNS server, in every container of a user-defined bridge network
 * (docs.docker.com/engine/network/#dns-services).
 */
const DOCKER_DNS = "127.0.0.11";

/** Recursors must be addresses of other DNS servers than the agent itself. */
export function dnsProblems(draft: Draft): Violation[] {
  return unique(
    draft.agents.flatMap((agent) =>
      (agent.dns.recursors ?? []).flatMap((recursor, index): Violation[] => {
        const why = whyUnusable(draft, agent, recursor);
        return why === undefined
          ? []
          : [
              {
                code: "invalid-address",
                path: [...settingPath(draft, agent, "dns", "recursors"), index],
                message: `${recursor} ${why}`,
                hint: "name a DNS server that knows other names than Consul's: 10.0.0.2, or 10.0.0.2:5353",
              },
            ];
      }),
    ),
  );
}

function whyUnusable(draft: Draft, agent: AgentDescription, recursor: string): string | undefined {
  const { host = "", port = DNS_PORT } = hostAndPort(recursor) ?? {};
  if (!family(host)) return "is not an IP address, with or without a port";
  if (isWildcard(host)) return "means every address of a host, so no agent can query it";
  const address = canonical(host);
  if (port === agent.ports.dns && dnsAddresses(draft, agent).includes(address))
    return `is the address of "${agent.name}" itself, which would query itself`;
  if (draft.file.network === "bridge" && isLoopback(address) && address !== DOCKER_DNS)
    return `is the container of "${agent.name}" itself in a bridge network`;
  return undefined;
}

/** The addresses at which an agent serves DNS. */
function dnsAddresses(
  { file }: Draft,
  { name, host, clientAddresses, bindAddr, advertiseAddr }: AgentDescription,
): readonly string[] {
  const bridged = file.network === "bridge";
  if (!clientAddresses.some(isWildcard)) return clientAddresses;
  const own = bridged ? [addressInSubnet(file.subnet, name)] : [host.address, bindAddr, advertiseAddr];
  return [...own.filter((address) => address !== undefined), "127.0.0.1", "::1"];
}
