import { addressInSubnet, canonical, family, hostAndPort, isLoopback, isWildcard } from "../../consul/address";
import type { AgentDescription, Draft } from "../model";
import type { Violation } from "../problem";
import { settingPath, unique } from "./paths";

const DNS_PORT = 53;
/** Docker's own DNS server, in every container of a bridge network that somebody has made (docs.docker.com/engine/network/#dns-services). */
const DOCKERS = "127.0.0.11";

/** Whether the servers that agents ask for other names are such, and others than the agents themselves. */
export function dnsProblems(draft: Draft): Violation[] {
  return unique(
    draft.agents.flatMap((agent) =>
      (agent.dns.recursors ?? []).flatMap((recursor, index): Violation[] => {
        const why = whyNoRecursor(draft, agent, recursor);
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

function whyNoRecursor(draft: Draft, agent: AgentDescription, recursor: string): string | undefined {
  const { host = "", port = DNS_PORT } = hostAndPort(recursor) ?? {};
  if (!family(host)) return "is no IP address, with or without a port";
  if (isWildcard(host)) return "means every address of a host, so nobody can be asked there";
  const address = canonical(host);
  if (port === agent.ports.dns && answersAt(draft, agent).includes(address))
    return `is where "${agent.name}" itself answers: it would ask itself`;
  if (draft.file.network === "bridge" && isLoopback(address) && address !== DOCKERS)
    return `is in a bridge network the container of "${agent.name}" itself`;
  return undefined;
}

/** At which addresses an agent answers DNS. */
function answersAt(
  { file }: Draft,
  { name, host, clientAddresses, bindAddr, advertiseAddr }: AgentDescription,
): readonly string[] {
  const bridged = file.network === "bridge";
  if (!clientAddresses.some(isWildcard)) return clientAddresses;
  const own = bridged ? [addressInSubnet(file.subnet, name)] : [host.address, bindAddr, advertiseAddr];
  return [...own.filter((address) => address !== undefined), "127.0.0.1", "::1"];
}
