import { parseArgs } from "node:util";
import type { Cluster } from "../cluster/cluster";
import { agentEndpoints, apiOf } from "./agents/agent-view";
import { consulApi } from "./agents/consul-api";
import { docker } from "./agents/docker";
import { chosenCluster, command } from "./command";

/** What the agents say of their cluster: the first that answers speaks for all. */
interface Status {
  readonly members: string;
  /** The leader's address and server port; empty when there is none. */
  readonly leader: string;
  readonly peers: readonly string[];
  /** Where the UI is, by agent. */
  readonly ui: Record<string, string>;
}

async function askCluster(cluster: Cluster): Promise<Status> {
  const staying = cluster.agents.filter(({ decommission }) => !decommission);
  const ui = Object.fromEntries(
    staying.flatMap((agent) => ((agent.settings.ui ?? true) ? [[agent.name, `${agentEndpoints(cluster, agent).http}/ui`]] : [])),
  );
  const refusals: string[] = [];
  for (const agent of staying) {
    const members = await docker(agent.host.daemon, ["exec", agent.container, "consul", "members"]);
    if (!members.ok) {
      refusals.push(`${agent.name}: ${members.error}`);
      continue;
    }
    const answers = await Promise.all(["leader", "peers"].map((what) => consulApi(apiOf(cluster, agent), ["-f", `/v1/status/${what}`], 5)));
    const [leader, peers] = answers.map(({ ok, output }) => (ok ? JSON.parse(output) : undefined));
    if (leader === undefined || peers === undefined) {
      refusals.push(`${agent.name}: ${answers.map(({ error }) => error).join(" ")}`);
      continue;
    }
    return { members: members.output, leader, peers, ui };
  }
  throw new Error(`no agent answers\n${refusals.join("\n")}`);
}

function print({ members, leader, peers, ui }: Status): void {
  console.log(`\n${members}\nleader  ${leader || "none"}\npeers   ${peers.join(" ") || "none"}`);
  for (const [agent, address] of Object.entries(ui)) console.log(`ui      ${address}  (${agent})`);
}

command("status", async () => {
  const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
  const { file, cluster } = chosenCluster({ quiet: values.json });
  const status = await askCluster(cluster);
  if (values.json) console.log(JSON.stringify({ file, ...status }, null, 2));
  else print(status);
  return status.leader === "" ? 1 : 0;
});
