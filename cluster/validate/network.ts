import { family, isLoopback, isTemplate, isWholeTemplate, isWildcard, whyUnreachable } from "../../consul/address";
import { type OccupiedPort, occupiedPorts, overlap, type PortName } from "../../consul/ports";
import type { AgentDescription, Draft } from "../model";
import type { KeyPath, Violation } from "../problem";
import { settingPath, unique } from "./paths";

/** Agents must reach each other, and each listener needs a port of its own. */
export const networkProblems = (draft: Draft): Violation[] => [
  ...addresses(draft),
  ...clientsElsewhere(draft),
  ...freePorts(draft),
  ...bridge(draft),
];

function addresses(draft: Draft): Violation[] {
  const alone = draft.hosts.length === 1;
  const problems: Violation[] = [];
  const refuse = (path: KeyPath, value: string, why: string) =>
    problems.push({
      code: "invalid-address",
      path,
      message: `${value} ${why}`,
      hint: "use an IP address by which the other agents reach this one",
    });

  for (const { name, address } of draft.hosts) {
    const why = whyUnreachable(address, { loopbackAllowed: alone });
    if (why)
      refuse(typeof draft.file.hosts[name] === "string" ? ["hosts", name] : ["hosts", name, "address"], address, why);
  }
  for (const agent of draft.agents) {
    for (const key of ["bind_addr", "advertise_addr"] as const) {
      const value = agent.fileSettings[key];
      if (value === undefined || isTemplate(value)) continue;
      if (key === "bind_addr" && isWildcard(value) && agent.advertiseAddr !== undefined) continue;
      const why = whyUnreachable(value, { loopbackAllowed: alone && draft.file.network === "host" });
      if (why) refuse(settingPath(draft, agent, key), value, why);
    }
    const client = agent.clientAddresses.find((address) => !family(address) && !isWholeTemplate(address));
    if (client === undefined && !agent.clientAddresses.some(family)) {
      problems.push({
        code: "invalid-address",
        path: settingPath(draft, agent, "client_addr"),
        message: "only Consul knows the address of a template, and a deploy has to reach the agent's API",
        hint: 'add an address: 127.0.0.1 {{ GetInterfaceIP "docker0" }}',
      });
    }
    if (client !== undefined) {
      problems.push({
        code: "invalid-address",
        path: settingPath(draft, agent, "client_addr"),
        message: `"${client}" is not an IP address that HTTP and DNS can listen on`,
        hint: "use IP addresses, {address} for the host's, or templates, separated by spaces: 127.0.0.1 172.16.8.120",
      });
    }
  }
  const families = new Set(draft.hosts.map(({ address }) => family(address)).filter(Boolean));
  if (families.size > 1) {
    const first = family(draft.hosts[0]?.address ?? "");
    const other = draft.hosts.find(({ address }) => family(address) !== first);
    problems.push({
      code: "mixed-families",
      path: ["hosts", other?.name ?? ""],
      message: `host "${other?.name}" has an address of another family than host "${draft.hosts[0]?.name}": their agents cannot reach each other`,
      hint: "use IPv4 addresses for all hosts, or IPv6 for all",
    });
  }
  return unique(problems);
}

/**
 * Consul cannot listen at the address of another host, and ends. Any other address may belong to an interface of the
 * agent's host.
 */
function clientsElsewhere(draft: Draft): Violation[] {
  const owners = new Map(draft.hosts.map(({ name, address }) => [address, name]));
  const byPath = new Map<string, { address: string; path: KeyPath; agents: string[] }>();
  for (const agent of draft.agents) {
    const path = settingPath(draft, agent, "client_addr");
    const elsewhere = agent.clientAddresses.filter(
      (address) => owners.has(address) && address !== agent.host.address && !isLoopback(address),
    );
    for (const address of new Set(elsewhere)) {
      const { agents } = byPath.get(`${address} ${path}`) ?? { agents: [] };
      byPath.set(`${address} ${path}`, { address, path, agents: [...agents, `"${agent.name}"`] });
    }
  }
  return [...byPath.values()].map(({ address, path, agents: [first, ...others] }) => ({
    code: "invalid-address",
    path,
    message: `${first}${others.length > 0 ? ` and ${others.length} more` : ""} would listen at ${address}, which is the address of another host, "${owners.get(address)}"`,
    hint: "give each agent a `client_addr:` of its own host, or use 127.0.0.1 or 0.0.0.0",
  }));
}

function freePorts(draft: Draft): Violation[] {
  const taken = new Map<string, { addresses: readonly string[]; label: string; agent: AgentDescription }[]>();
  return draft.agents.flatMap((agent) =>
    listening(draft, agent).flatMap(({ within, section, name, port, addresses }) => {
      const label = `${name} of "${agent.name}"`;
      const at = `${within} ${port}`;
      const others = taken.get(at) ?? [];
      const clash = others.find((other) => !isNamesake(other.agent, agent) && overlap(addresses, other.addresses));
      taken.set(at, [...others, { addresses, label, agent }]);
      if (!clash) return [];
      const problem: Violation = {
        code: "port-clash",
        path: settingPath(draft, agent, section, name),
        message: `port ${port} ${within} has two listeners: ${clash.label} and ${label}`,
        hint: `give one of them another port under \`${section}:\``,
      };
      return [problem];
    }),
  );
}

/** Two agents with one name are reported once, for their name. */
const isNamesake = (one: AgentDescription, other: AgentDescription): boolean =>
  one !== other && one.name === other.name;

interface Taken extends OccupiedPort {
  /** The network namespace: of a host, or of a container in a bridge network. */
  readonly within: string;
}

function listening({ file }: Draft, agent: AgentDescription): Taken[] {
  const { name, host } = agent;
  return occupiedPorts(agent, { address: host.address, bridged: file.network === "bridge" }).map((port) => ({
    ...port,
    within: port.inContainer ? `in the container of "${name}"` : `on host "${host.name}"`,
  }));
}

function bridge(draft: Draft): Violation[] {
  const { file, hosts, agents } = draft;
  if (file.network === "bridge") {
    if (hosts.length <= 1)
      return [...publishedButOff(draft), ...publishedButLoopback(draft), ...publishedButPlain(draft)];
    return [
      {
        code: "bridge-hosts",
        path: ["network"],
        message: `a bridge network cannot span several Docker daemons, but there are ${hosts.length} hosts`,
        hint: "use `network: host` for several hosts, or use one host",
      },
    ];
  }
  return unique(
    agents
      .filter(({ fileSettings }) => fileSettings.publish !== undefined)
      .map((agent) => ({
        code: "owned-setting" as const,
        path: settingPath({ file } as Draft, agent, "publish"),
        message: "`publish` is only for bridge networks: in the host's network, the agent listens at the host's ports",
        hint: "remove `publish`, or set `ports`",
      })),
  );
}

function publishedButOff(draft: Draft): Violation[] {
  return draft.agents.flatMap((agent) => {
    return (Object.keys(agent.publish) as PortName[])
      .filter((key) => agent.ports[key] <= 0)
      .map(
        (key): Violation => ({
          code: "invalid-value",
          path: settingPath(draft, agent, "publish", key),
          message: `${key} of "${agent.name}" is published, but the agent does not listen there`,
          hint: `give it a port, as in \`ports: { ${key}: 8501 }\`, or publish another`,
        }),
      );
  });
}

/** Plain HTTP of an agent at stage strict listens inside its container only. */
function publishedButPlain(draft: Draft): Violation[] {
  if (draft.stage !== "strict") return [];
  return unique(
    draft.agents
      .filter(({ publish }) => publish.http !== undefined)
      .map((agent) => ({
        code: "invalid-value",
        path: settingPath(draft, agent, "publish", "http"),
        message: `plain HTTP of "${agent.name}" is published, but at stage strict it listens inside the container only`,
        hint: "publish `https` instead",
      })),
  );
}

/** Docker forwards a published port to the container's address in the bridge network, not to its loopback address. */
function publishedButLoopback(draft: Draft): Violation[] {
  return unique(
    draft.agents
      .filter(({ publish, clientAddresses }) => Object.keys(publish).length > 0 && clientAddresses.every(isLoopback))
      .map((agent) => ({
        code: "invalid-value",
        path: settingPath(draft, agent, "publish"),
        message: `ports of "${agent.name}" are published, but it listens at ${agent.clientAddresses.join(" ")} only, inside its container`,
        hint: "remove `client_addr` (default 0.0.0.0), or remove `publish`",
      })),
  );
}
