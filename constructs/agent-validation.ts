import { Annotations, Token } from "cdktf";
import type { IValidation } from "constructs";
import type { AgentSettings } from "../cluster/model";
import { keyText } from "../cluster/problem";
import { settingViolations } from "../cluster/validate/consul-settings";
import { type ConsulConfig, isMapping } from "../consul/config";
import { type OccupiedPort, occupiedPorts, overlap } from "../consul/ports";
import { type AgentEntry, AppAgents, joinedAddresses } from "./app-agents";
import { terraformId } from "./terraform-id";

/**
 * What only several constructs together get wrong. CDKTF puts the construct's path in front of each message. A cluster
 * file has rules of its own for all of this, and its user can ignore some of them.
 */
export class AgentValidation implements IValidation {
  constructor(private readonly entry: AgentEntry) {}

  validate(): string[] {
    return [...this.joins(), ...this.bootstrap(), ...this.names(), ...this.ports(), ...this.consulSettings()];
  }

  private get app(): AppAgents {
    return AppAgents.of(this.entry.agent);
  }

  private joins(): string[] {
    const { agent } = this.entry;
    if (agent.role === "server" || agent.decommission || joinedAddresses(this.entry).length > 0) return [];
    return [
      "this client agent joins no server, so it never becomes part of a cluster; name one with `join: [server]` or `addJoin(server)`",
    ];
  }

  /** All servers of a cluster wait for one number of servers, which is a majority of them, and which there are. */
  private bootstrap(): string[] {
    const { agent, bootstrapExpect: expected } = this.entry;
    if (agent.role === "client" || agent.decommission || Token.isUnresolved(expected)) return [];
    const { entries, joinsOthers } = this.app.clusterOf(agent);
    const servers = entries.filter(
      (entry) => entry.agent.role === "server" && !Token.isUnresolved(entry.bootstrapExpect),
    );
    const [first] = servers.filter((entry) => !entry.agent.decommission);
    if (!first) return [];
    if (first.bootstrapExpect !== expected)
      return [
        `bootstrapExpect is ${expected}, but ${pathOf(first)} of the same cluster has ${first.bootstrapExpect}; give all servers of a cluster the same number`,
      ];
    if (first !== this.entry || joinsOthers) return [];
    const count = servers.length;
    const paths = servers.map(pathOf).join(", ");
    if (expected > count)
      return [
        `bootstrapExpect is ${expected}, but its cluster has ${count} ${count === 1 ? "server" : "servers"} (${paths}), which would wait for ever; introduce the others with \`addJoin(...servers)\`, or lower bootstrapExpect`,
      ];
    if (expected * 2 <= count)
      return [
        `bootstrapExpect is ${expected} of ${count} servers (${paths}), which is not a majority: two halves could each elect a leader; use at least ${Math.floor(count / 2) + 1}`,
      ];
    return [];
  }

  /**
   * Names that an agent had first: of its node in the cluster, and of its container and its data on the host. Its
   * Terraform id names it in the deploy lock and in the rollout slots, which all stacks of the cluster share.
   */
  private names(): string[] {
    const { entry } = this;
    const { node, container, data } = entry.settings;
    const before = (entries: readonly AgentEntry[]) => entries.slice(0, entries.indexOf(entry));
    const inCluster = before(this.app.clusterOf(entry.agent).entries);
    const onHost = before(this.app.on(entry.agent.host));
    const twins: [name: string, value: string, twin: AgentEntry | undefined][] = [
      ["id", terraformId(entry.agent), inCluster.find(({ agent }) => terraformId(agent) === terraformId(entry.agent))],
      ["node", node, inCluster.find(({ settings }) => settings.node === node)],
      ["container", container, onHost.find(({ settings }) => settings.container === container)],
      ["data", data, onHost.find(({ settings }) => settings.data === data)],
    ];
    return twins.flatMap(([name, value, twin]) =>
      twin ? [`\`${name}\` is ${value}, as of ${pathOf(twin)}; give one of them another`] : [],
    );
  }

  /**
   * What Consul cannot start with is an error. What may be meant is a warning: a program sets the keys of Consul that a
   * cluster file has keys for in either way.
   */
  private consulSettings(): string[] {
    const { agent, settings } = this.entry;
    const { config, flags } = known(settings);
    const context = { ...settings, sharesHost: this.app.on(agent.host).length > 1, ofFile: false };
    const found = settingViolations(config, flags, context).map((violation) => ({
      isError: violation.code === "invalid-value",
      text: `\`${keyText(violation.path)}\`: ${violation.message}; ${violation.hint}`,
    }));
    for (const { text } of found.filter(({ isError }) => !isError)) Annotations.of(agent).addWarning(text);
    return found.filter(({ isError }) => isError).map(({ text }) => text);
  }

  /** A port that an agent of the same host had first, or another listener of this one. */
  private ports(): string[] {
    const { entry } = this;
    const onHost = this.app.on(entry.agent.host);
    const before = onHost.slice(0, onHost.indexOf(entry)).flatMap(portsOf);
    return portsOf(entry).flatMap((own, index, all) => {
      const clash = [...before, ...all.slice(0, index)].find((other) => isClash(own, other));
      if (!clash) return [];
      const { name, port, section } = own;
      const owner = clash.entry === entry ? "this agent" : pathOf(clash.entry);
      return [
        `port ${port} has two listeners: ${clash.name} of ${owner}, and ${name} of this agent; give one of them another port with \`${section}\``,
      ];
    });
  }
}

/** Keys of `config`, and `flags`, that only Terraform knows cannot be checked. */
const known = (settings: AgentSettings): Pick<AgentSettings, "config" | "flags"> => ({
  config: knownPart(settings.config),
  flags: settings.flags.filter((flag) => !Token.isUnresolved(flag)),
});

const knownPart = (config: ConsulConfig): ConsulConfig =>
  Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => !isUnknown(value))
      .map(([key, value]) => [key, isMapping(value) ? knownPart(value) : value]),
  );

const isUnknown = (value: unknown): boolean =>
  Array.isArray(value) ? value.some(isUnknown) : Token.isUnresolved(value);

interface Taken extends OccupiedPort {
  readonly entry: AgentEntry;
}

function portsOf(entry: AgentEntry): Taken[] {
  const { host } = entry.agent;
  const ports = occupiedPorts(entry.settings, { address: host.address, bridged: host.bridge !== undefined });
  return ports.map((port) => ({ ...port, entry }));
}

function isClash(own: Taken, other: Taken): boolean {
  if (own.port !== other.port || own.inContainer !== other.inContainer) return false;
  return (!own.inContainer || own.entry === other.entry) && overlap(own.addresses, other.addresses);
}

const pathOf = ({ agent }: AgentEntry): string => agent.node.path;
