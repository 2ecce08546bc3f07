import { statSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import type { Cluster } from "../../cluster/model";
import { Inspector } from "../backups/inspector";
import { newFile, snapshotName } from "../backups/local";
import { Restoration } from "../backups/restoration";
import { save } from "../backups/save";
import { bestServer, probeServers, type ServerProbe, type ServerProbes, serversOf } from "../backups/servers";
import { type Snapshot, snapshotText, spanText } from "../backups/snapshot";
import { chosenCluster } from "../chosen-cluster";
import { refusedSecrets } from "../secrets/check";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";
import { runningDeploys } from "../terraform/running-deploys";
import { synthesize } from "../terraform/synth";

const UNCHANGED = "nothing was changed";

export interface RestoreOptions {
  readonly snapshotFile: string;
  readonly autoApprove?: boolean;
  /** Save the present data first. */
  readonly backup: boolean;
  /** Try the snapshot in a container of its own first. */
  readonly trial: boolean;
  readonly json?: boolean;
}

export async function restore(options: RestoreOptions, terminal: Terminal): Promise<number> {
  const { snapshotFile } = options;
  const { log } = terminal;
  if (!statSync(snapshotFile, { throwIfNoEntry: false })?.isFile())
    throw new Error(
      `${snapshotFile} is not a file\n  npm run backup -- --list lists the snapshots; --fetch HOST NAME downloads one`,
    );
  const { file, cluster } = chosenCluster(options.json ? undefined : terminal.print);
  const badSecrets = refusedSecrets(cluster, log);
  if (badSecrets.length > 0) throw new Error(`rejected; ${UNCHANGED}\n${badSecrets.join("\n")}`);

  log(`inspecting ${count(serversOf(cluster).length, "server")} and reading the Terraform state`);
  const stacks = await synthesize();
  const restoration = new Restoration(cluster, stacks, log);
  const probes = await reachableServers(cluster, restoration);
  const server = bestServer(probes);
  for (const line of probes.unreachable) log(line);
  const deploying = await runningDeploys(stacks);
  if (deploying.length > 0)
    throw new Error(`rejected; ${UNCHANGED}\na deploy is running in ${deploying.join(", ")}: wait until it ends`);

  log(`verifying ${snapshotFile}`);
  const snapshot = await new Inspector(cluster).inspect(snapshotFile).catch((error: Error) => {
    throw new Error(`${snapshotFile} cannot be restored; ${UNCHANGED}\n${error.message}`);
  });
  if (options.trial) await restoration.testRestore(probes.servers, snapshotFile);
  for (const line of losses(cluster, server, snapshot)) log(line);
  if (!options.autoApprove) await approval(cluster);

  const backup = options.backup ? newFile(cluster, undefined, snapshotName()) : undefined;
  if (backup !== undefined) {
    log(`saving the present data to ${backup}`);
    await save(cluster, server, backup, false, log);
  }
  log(`restoring on ${server.agent.name}`);
  const outcome = await restoration
    .restore(server, snapshotFile)
    .then(() => settle(restoration, cluster, server))
    .catch(({ message }: Error) => ({ failure: message }));
  const healthy = !("failure" in outcome) && outcome.left.length === 0;
  const before = { index: server.index, backup };
  if (options.json) terminal.printJson({ file, restored: snapshotFile, snapshot, before, ...outcome });
  else if (healthy)
    terminal.print(
      `restored: all servers are voters, ${outcome.leader} is the leader, and every agent's token is accepted`,
    );
  if (healthy) return 0;
  for (const line of "failure" in outcome ? [outcome.failure] : outcome.left)
    log(`the data was changed, and the cluster is not healthy: ${line}`);
  log(`  run it again; the previous data is in ${backup ?? "no backup"}`);
  return 2;
}

/** After a restore that was interrupted, the cluster may not accept its management token: then it is claimed first. */
async function reachableServers(cluster: Cluster, restoration: Restoration): Promise<ServerProbes> {
  const first = await probeServers(cluster);
  if (first.servers.length > 0) return first;
  await restoration.claim(serversOf(cluster), 5).catch((error: Error) => {
    throw new Error(`no server is reachable\n${[...first.unreachable, error.message].join("\n")}`);
  });
  return probeServers(cluster);
}

/** What a restore does to the present data. */
function losses(cluster: Cluster, { index }: ServerProbe, snapshot: Snapshot): string[] {
  const age = spanText(Date.now() - Date.parse(snapshot.taken));
  return [
    `${cluster.name} is at index ${index}; the snapshot: ${snapshotText(snapshot)}`,
    `All writes since the snapshot, which is ${age} old, are lost: keys, services that no agent registers again, config entries, and tokens that were created by hand. All sessions end.`,
  ];
}

async function approval(cluster: Cluster): Promise<void> {
  if (!process.stdin.isTTY)
    throw new Error(`there is no terminal to ask for approval; ${UNCHANGED}\n  approve with --auto-approve`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(`Replace the data of ${cluster.name} by the snapshot? Only "yes" is accepted: `);
  prompt.close();
  if (answer.trim() !== "yes") throw new Error(UNCHANGED);
}

async function settle(restoration: Restoration, cluster: Cluster, server: ServerProbe) {
  const settled = await restoration.settle(server);
  const { servers } = await probeServers(cluster);
  return { ...settled, leader: servers.find(({ leads }) => leads)?.agent.name };
}
