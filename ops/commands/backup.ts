import type { Cluster } from "../../cluster/model";
import { newFile, SNAPSHOT_NAME, snapshotName } from "../backups/local";
import { save } from "../backups/save";
import { bestServer, probeServers, serversOf } from "../backups/servers";
import { type Snapshot, snapshotText } from "../backups/snapshot";
import { download, hostStores, localStore, type SnapshotStore, type StoredSnapshot } from "../backups/store";
import { type ChosenCluster, chosenCluster } from "../chosen-cluster";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";

export interface BackupOptions {
  readonly output?: string;
  readonly stale?: boolean;
  /** List the snapshots instead of saving one. */
  readonly list?: boolean;
  /** Download this snapshot instead of saving one. */
  readonly fetch?: { readonly host: string; readonly name: string };
  readonly json?: boolean;
}

export async function backup(options: BackupOptions, terminal: Terminal): Promise<number> {
  const chosen = chosenCluster(options.json ? undefined : terminal.print);
  if (options.list) return list(chosen, options, terminal);
  if (options.fetch) return fetch(chosen, options, options.fetch, terminal);
  return take(chosen, options, terminal);
}

async function take(chosen: ChosenCluster, { output, stale = false, json }: BackupOptions, terminal: Terminal) {
  const { file, cluster } = chosen;
  const { log } = terminal;
  const target = newFile(cluster, output, snapshotName());
  log(`inspecting ${count(serversOf(cluster).length, "server")}`);
  const probes = await probeServers(cluster);
  for (const line of probes.unreachable) log(line);
  const server = stale ? [...probes.servers].sort((a, b) => b.index - a.index)[0] : bestServer(probes);
  if (!server) throw new Error(["no server is reachable", ...probes.unreachable].join("\n"));
  log(`saving a snapshot from ${server.agent.name}${server.leads ? ", the leader" : ""}`);
  const snapshot = await save(cluster, server, target, stale, log);
  printSaved({ file, saved: target, from: server.agent.name, snapshot }, json, terminal);
  return 0;
}

async function fetch(
  { file, cluster }: ChosenCluster,
  { output, json }: BackupOptions,
  { host, name }: NonNullable<BackupOptions["fetch"]>,
  terminal: Terminal,
) {
  if (!SNAPSHOT_NAME.test(name)) throw new Error(`${name} is not the name of a snapshot; backup --list shows names`);
  if (!cluster.backups) throw new Error(`${file} has no \`backups:\`, so hosts store no snapshots`);
  const target = newFile(cluster, output, name);
  terminal.log(`downloading ${name} from ${host}`);
  const snapshot = await download(cluster, host, name, target, terminal.log);
  printSaved({ file, saved: target, from: host, snapshot }, json, terminal);
  return 0;
}

interface Saved {
  readonly file: string;
  /** Path of the snapshot. */
  readonly saved: string;
  readonly from: string;
  readonly snapshot: Snapshot;
}

function printSaved(result: Saved, json: boolean | undefined, terminal: Terminal): void {
  if (json) terminal.printJson(result);
  else terminal.print(`saved ${result.saved}\n  ${snapshotText(result.snapshot)}`);
}

async function list({ file, cluster }: ChosenCluster, { json }: BackupOptions, terminal: Terminal): Promise<number> {
  terminal.log(`verifying the snapshots here${hostsText(cluster)}`);
  const [here, hosts] = await Promise.all([localStore(cluster), hostStores(cluster)]);
  const stores = [here, ...hosts];
  if (json) terminal.printJson({ file, here, hosts });
  else terminal.print(stores.map(storeText).join("\n"));
  const isDamaged = ({ flaw }: StoredSnapshot) => flaw !== undefined;
  return stores.some(({ snapshots, error }) => error !== undefined || snapshots.some(isDamaged)) ? 1 : 0;
}

const hostsText = (cluster: Cluster): string =>
  cluster.backups ? `, and on the hosts of ${count(serversOf(cluster).length, "server")}` : "";

function storeText({ server, host, location, snapshots, error }: SnapshotStore): string {
  const head =
    server === undefined ? location : `${server}${host === server ? "" : ` on ${host}`}, container ${location}`;
  const lines = snapshots.map(snapshotLine);
  if (error !== undefined) lines.push(`  ${error}`);
  return [head, ...(lines.length > 0 ? lines : ["  no snapshots"])].join("\n");
}

function snapshotLine({ name, snapshot, flaw }: StoredSnapshot): string {
  if (snapshot) return `  ${name}  ${snapshotText(snapshot)}`;
  return `  ${name}  ${flaw === undefined ? "not verified" : `DAMAGED: ${flaw}`}`;
}
