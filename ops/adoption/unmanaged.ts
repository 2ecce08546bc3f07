import type { AgentDescription, Cluster } from "../../cluster/model";
import { gossipAddress } from "../../consul/address";
import { PATHS } from "../../consul/contract";
import type { AgentView } from "../consul-api/agent-view";
import type { Container } from "../docker/container";

/** What a container was started with, as far as moving it needs to know. */

/** The image's own, where `-data-dir` says nothing else. */
const DEFAULT_DATA = PATHS.data;

/** Where an agent's data is in its container. The last `-data-dir` counts, and the image's entrypoint puts one before all others. */
export function dataFolder({ Config }: Container): string {
  const words = Config.Cmd ?? [];
  const given = words.flatMap((word, index) => {
    const [, value] = /^--?data-dir(?:=(.*))?$/.exec(word) ?? [];
    return /^--?data-dir(=|$)/.test(word) ? [value ?? words[index + 1] ?? ""] : [];
  });
  const variable = Config.Env?.find((entry) => entry.startsWith("CONSUL_DATA_DIR="))?.slice("CONSUL_DATA_DIR=".length);
  return given.at(-1) || variable || DEFAULT_DATA;
}

/** Whether its data is already where the cluster file wants it: on the volume, or in the host's folder, that `data` names. */
export function sharesData(container: Container, { data }: AgentDescription): boolean {
  const folder = dataFolder(container);
  return container.Mounts.some(
    ({ Destination, Name, Source }) =>
      Destination === folder && (data.startsWith("/") ? Source === data.replace(/\/+$/, "") : Name === data),
  );
}

/** What keeps an agent from being adopted, and what mends it. */
export interface Mismatch {
  readonly what: string;
  readonly hint: string;
}

/** Everything in which a running agent is not what the cluster file describes, as far as its successor would not be the same agent. */
export function mismatches(
  cluster: Cluster,
  agent: AgentDescription,
  container: Container,
  view: AgentView,
): Mismatch[] {
  const { Config, DebugConfig, Member, Stats } = view.self;
  const { network, datacenter } = cluster;
  const { role, ports } = agent;
  const is = (what: string, actual: string | number, file: string | number, hint: string): Mismatch[] =>
    String(actual) === String(file) ? [] : [{ what: `its ${what} is ${actual}, and the file's ${file}`, hint }];
  return [
    ...is(
      "network",
      container.HostConfig.NetworkMode,
      network,
      "only agents with the host's network can be moved: set `network: host`",
    ),
    ...is("node name", Config.NodeName, agent.node, `set \`node: ${Config.NodeName}\``),
    ...is("datacenter", Config.Datacenter, datacenter, `set \`datacenter: ${Config.Datacenter}\``),
    ...is(
      "role",
      Config.Server ? "server" : "client",
      role,
      `list it under \`${Config.Server ? "servers" : "clients"}\``,
    ),
    ...is(
      "address",
      Member.Addr,
      gossipAddress(agent, agent.host.address),
      "set the host's `address`, or the agent's `bind_addr` or `advertise_addr`",
    ),
    ...is("serf_lan port", Member.Port, ports.serf_lan, `set \`ports: { serf_lan: ${Member.Port} }\``),
    ...(role === "server" && Member.Tags.port !== undefined
      ? is("server port", Member.Tags.port, ports.server, `set \`ports: { server: ${Member.Tags.port} }\``)
      : []),
    ...is(
      "gossip encrypted",
      Stats.serf_lan.encrypted,
      "false",
      "take the key out of the running cluster first: this file has `security: off`",
    ),
    ...is(
      "data folder",
      DebugConfig.DataDir,
      dataFolder(container),
      "give -data-dir on its command, not in a file, so that it can be found while stopped",
    ),
    ...members(cluster, agent, view),
  ];
}

/** Servers that the file does not know would be left out of the quorum that a deploy counts with. */
function members(cluster: Cluster, { role }: AgentDescription, view: AgentView): Mismatch[] {
  if (role !== "server") return [];
  const nodes = new Set(cluster.agents.map(({ node }) => node));
  return view.members
    .filter(({ Name, Status, Tags }) => Status === 1 && Tags.role === "consul" && !nodes.has(Name))
    .map(({ Name, Addr }) => ({
      what: `its cluster has a server ${Name} (${Addr}), and the file has none`,
      hint: `add ${Name} to \`hosts\` and \`servers\``,
    }));
}
