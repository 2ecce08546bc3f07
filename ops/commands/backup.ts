import { parseArgs } from "node:util";
import type { Cluster } from "../../cluster/model";
import { newFile, SNAPSHOT_NAME, snapshotName } from "../backups/local";
import { save } from "../backups/save";
import { bestServer, probeServers, serversOf } from "../backups/servers";
import { type Snapshot, snapshotText } from "../backups/snapshot";
import { download, hostStores, localStore, type SnapshotStore, type StoredSnapshot } from "../backups/store";
import { chosenCluster, command, progress } from "../command";

const USAGE = `usage: npm run backup [-- OPTIONS]
  --output FILE      save to FILE. Default backups/<cluster>/<time>.snap
  --stale            from the server that has most, whether or not there is a leader
  --list             what is kept here, and on the servers' hosts
  --fetch HOST NAME  bring what a host has kept here
  --json             the result, for programs`;

interface Call {
  readonly file: string;
  readonly cluster: Cluster;
  readonly output?: string;
  readonly json: boolean;
}

async function take({ file, cluster, output, json }: Call, stale: boolean): Promise<number> {
  const target = newFile(cluster, output, snapshotName());
  progress(`looking at ${serversOf(cluster).length} servers`);
  const seen = await probeServers(cluster);
  for (const line of seen.silent) progress(line);
  const server = stale ? [...seen.servers].sort((a, b) => b.index - a.index)[0] : bestServer(seen);
  if (!server) throw new Error(["no server answers", ...seen.silent].join("\n"));
  progress(`saving by way of ${server.agent.name}${server.leads ? ", the leader" : ""}`);
  const snapshot = await save(cluster, server, target, stale, progress);
  saved({ file, json }, target, snapshot, server.agent.name);
  return 0;
}

function saved({ file, json }: Pick<Call, "file" | "json">, target: string, snapshot: Snapshot, from: string): void {
  if (json) console.log(JSON.stringify({ file, saved: target, from, snapshot }, null, 2));
  else console.log(`saved ${target}\n  ${snapshotText(snapshot)}`);
}

const keptText = ({ name, snapshot, flaw }: StoredSnapshot): string =>
  `  ${name}  ${snapshot ? snapshotText(snapshot) : flaw === undefined ? "not checked" : `BROKEN: ${flaw}`}`;

function shelfText({ server, host, place, kept, error }: SnapshotStore): string {
  const head = server === undefined ? place : `${server}${host === server ? "" : ` on ${host}`}, container ${place}`;
  return [
    head,
    ...kept.map(keptText),
    ...(error === undefined ? [] : [`  ${error}`]),
    ...(kept.length + (error ? 1 : 0) === 0 ? ["  nothing"] : []),
  ].join("\n");
}

async function list({ file, cluster, json }: Call): Promise<number> {
  progress(
    `looking at what is kept here${cluster.backups ? `, and on ${serversOf(cluster).length} servers' hosts` : ""}`,
  );
  const [here, hosts] = await Promise.all([localStore(cluster), hostStores(cluster)]);
  const shelves = [here, ...hosts];
  if (json) console.log(JSON.stringify({ file, here, hosts }, null, 2));
  else console.log(shelves.map(shelfText).join("\n"));
  return shelves.some(({ kept, error }) => error !== undefined || kept.some(({ flaw }) => flaw !== undefined)) ? 1 : 0;
}

async function fetch({ file, cluster, output, json }: Call, [host, name]: readonly [string, string]): Promise<number> {
  if (!SNAPSHOT_NAME.test(name))
    throw new Error(`${name} is no name of a snapshot\n  npm run backup -- --list says what there is`);
  if (!cluster.backups) throw new Error(`${file} has no \`backups:\`, so no host keeps any`);
  const target = newFile(cluster, output, name);
  progress(`bringing ${name} from ${host}`);
  saved({ file, json }, target, await download(cluster, host, name, target, progress), host);
  return 0;
}

command("backup", USAGE, async () => {
  const { values, positionals } = parseArgs({
    options: {
      output: { type: "string" },
      stale: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      fetch: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const { output, stale, json } = values;
  const [host, name, ...more] = positionals;
  const pair = host !== undefined && name !== undefined && more.length === 0 ? ([host, name] as const) : undefined;
  if (
    (values.fetch ? !pair : positionals.length > 0) ||
    (values.list && (values.fetch || stale || output !== undefined)) ||
    (values.fetch && stale)
  )
    throw new Error(`these words do not go together\n${USAGE}`);
  const call = { ...chosenCluster({ quiet: json }), output, json };
  if (values.list) return list(call);
  return pair ? fetch(call, pair) : take(call, stale);
});
