import type { CodeOf } from "../../cluster/catalogue";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { gossipAddress } from "../../consul/address";
import { PATHS } from "../../consul/contract";
import { ALIVE, isServer } from "../../rollout/queries";
import type { Container } from "../docker/container";
import { type AgentProbe, memberAddress } from "../inspect/probe";
import { type AdoptionProblem, adoptionProblem } from "./adoption-problem";

/** The image's default, without `-data-dir`. */
const DEFAULT_DATA = PATHS.data;

/** The data folder in an agent's container. The last `-data-dir` counts, and the image's entrypoint puts one before all others. */
export function dataFolder({ Config }: Container): string {
  const args = Config.Cmd ?? [];
  const given = args.flatMap((arg, index) => {
    const match = /^--?data-dir(?:=(.*))?$/.exec(arg);
    return match ? [match[1] ?? args[index + 1] ?? ""] : [];
  });
  const variable = Config.Env?.find((entry) => entry.startsWith("CONSUL_DATA_DIR="))?.slice("CONSUL_DATA_DIR=".length);
  return given.at(-1) || variable || DEFAULT_DATA;
}

/** Whether an agent's data is already on the volume, or in the host's folder, that `data` names. */
export function sharesData(container: Container, { data }: AgentDescription): boolean {
  const folder = dataFolder(container);
  return container.Mounts.some(
    ({ Destination, Name, Source }) =>
      Destination === folder && (data.startsWith("/") ? Source === data.replace(/\/+$/, "") : Name === data),
  );
}

/** Where a running agent differs from the cluster file, so that its successor would not be the same agent. */
export function mismatches(
  cluster: Cluster,
  agent: AgentDescription,
  container: Container,
  view: AgentProbe,
): AdoptionProblem[] {
  const actual = view.settings;
  const { role, ports } = agent;
  const problems: AdoptionProblem[] = [];
  const compare = (
    what: string,
    running: string | number,
    file: string | number,
    hint: string,
    code: CodeOf<"adoption"> = "adopt-setting-differs",
  ): void => {
    if (String(running) === String(file)) return;
    problems.push(adoptionProblem(agent, code, `its ${what} is ${running}; the file has ${file}`, hint));
  };
  compare(
    "network",
    container.HostConfig.NetworkMode,
    cluster.network,
    "only agents on the host's network can be adopted: set `network: host`",
  );
  compare("node name", actual.node, agent.node, `set \`node: ${actual.node}\``);
  compare("datacenter", actual.datacenter, cluster.datacenter, `set \`datacenter: ${actual.datacenter}\``);
  const runningRole = actual.server ? "server" : "client";
  compare("role", runningRole, role, `list it under \`${runningRole}s\``);
  const addressHint = "set the host's `address`, or the agent's `bind_addr` or `advertise_addr`";
  compare("address", actual.address, gossipAddress(agent, agent.host.address), addressHint);
  const gossipHint = `set \`ports: { serf_lan: ${actual.gossipPort} }\``;
  compare("serf_lan port", actual.gossipPort, ports.serf_lan, gossipHint);
  if (role === "server" && actual.serverPort !== undefined) {
    const serverHint = `set \`ports: { server: ${actual.serverPort} }\``;
    compare("server port", actual.serverPort, ports.server, serverHint);
  }
  if (actual.gossipEncrypted) {
    const hint = "first remove the gossip key from the running cluster, because this file has `security: off`";
    problems.push(adoptionProblem(agent, "adopt-gossip-encrypted", "its gossip is encrypted", hint));
  }
  const folderHint = "give -data-dir on its command, not in a file, so that it can be found while it is stopped";
  compare("data folder", actual.dataFolder, dataFolder(container), folderHint, "adopt-data-folder");
  return [...problems, ...unknownServers(cluster, agent, view)];
}

/** A server that the file does not have would not count in the quorum of a deploy. */
export function unknownServers(cluster: Cluster, agent: AgentDescription, { members }: AgentProbe): AdoptionProblem[] {
  if (agent.role !== "server") return [];
  const nodes = new Set(cluster.agents.map(({ node }) => node));
  return members
    .filter((member) => isServer(member) && member.Status === ALIVE && !nodes.has(member.Name))
    .map((member) =>
      adoptionProblem(
        agent,
        "adopt-unknown-server",
        `its cluster has a server ${member.Name} (${memberAddress(member)}), and the file does not`,
        `add ${member.Name} to \`hosts\` and \`servers\``,
      ),
    );
}
