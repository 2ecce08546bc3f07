import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { backupsContainer, PATHS } from "../../consul/contract";
import { docker } from "../docker/docker";
import { parallel } from "../parallel";
import { DamagedSnapshot, Inspector } from "./inspector";
import { localFolder, localNames, writeComplete } from "./local";
import { withProgress } from "./save";
import { serversOf } from "./servers";
import { parseInspection, type Snapshot } from "./snapshot";
import { stream } from "./stream";

/** A stored file: its content, or why it is damaged. */
export interface StoredSnapshot {
  readonly name: string;
  readonly snapshot?: Snapshot;
  readonly flaw?: string;
}

/** The snapshots in one place: on this machine, or on a server's host. */
export interface SnapshotStore {
  /** The server's name; undefined for this machine. */
  readonly server?: string;
  readonly host?: string;
  /** The folder on this machine, relative to the project; the container's name on a host. */
  readonly location: string;
  readonly snapshots: readonly StoredSnapshot[];
  /** Why the list is incomplete. */
  readonly error?: string;
}

/** Enough for a hundred files, each of which is read by a process of its own. */
const SECONDS = 300;
/** Hosts in parallel. */
const PARALLEL = 16;
const SCRIPT = readFileSync(join(__dirname, "store.sh"), "utf8");

/** The snapshots on this machine. Without a reachable server they cannot be verified, and are listed all the same. */
export async function localStore(cluster: Cluster): Promise<SnapshotStore> {
  const inspector = new Inspector(cluster);
  const snapshots: StoredSnapshot[] = [];
  let error: string | undefined;
  for (const name of localNames(cluster)) {
    try {
      snapshots.push({ name, snapshot: await inspector.inspect(join(localFolder(cluster), name)) });
    } catch (failure) {
      const { message } = failure as Error;
      if (failure instanceof DamagedSnapshot) snapshots.push({ name, flaw: message });
      else {
        error = message;
        snapshots.push({ name });
      }
    }
  }
  return { location: localFolder(cluster), snapshots, error };
}

/** The snapshots of the containers that save on a schedule. */
export function hostStores(cluster: Cluster): Promise<SnapshotStore[]> {
  return parallel(
    cluster.backups ? serversOf(cluster) : [],
    PARALLEL,
    async ({ name: server, host, container }): Promise<SnapshotStore> => {
      const location = backupsContainer(container);
      const { ok, output, error } = await docker(host.daemon).run(["exec", location, "sh", "-c", SCRIPT], {
        seconds: SECONDS,
      });
      return {
        server,
        host: host.name,
        location,
        snapshots: ok ? output.split("\n").filter(Boolean).map(parse) : [],
        error: ok ? undefined : error,
      };
    },
  );
}

function parse(line: string): StoredSnapshot {
  const { name, bytes, inspected, flaw } = JSON.parse(line) as {
    name: string;
    bytes: number;
    inspected: string;
    flaw: string;
  };
  return flaw === "" ? { name, snapshot: parseInspection(inspected, bytes) } : { name, flaw };
}

/**
 * Downloads a snapshot from a host.
 * @param from the name of the host, or of its server
 * @throws without a file, when the snapshot does not exist, or is damaged
 */
export function download(
  cluster: Cluster,
  from: string,
  name: string,
  file: string,
  log: (line: string) => void,
): Promise<Snapshot> {
  const servers = serversOf(cluster);
  const matching = servers.filter((server) => server.host.name === from || server.name === from);
  if (matching.length === 0)
    throw new Error(
      `${from} is no server, and no server's host; there are ${servers.map(({ host }) => host.name).join(", ")}`,
    );
  return writeComplete(file, async (unfinished) => {
    const server = await holderOf(matching, name);
    const args = ["exec", backupsContainer(server.container), "cat", `${PATHS.backups}/${name}`];
    const { ok, error } = await withProgress(unfinished, log, () =>
      stream(server.host.daemon, args, { to: unfinished, seconds: 3600 }),
    );
    if (!ok) throw new Error(error);
    return new Inspector(cluster).inspect(unfinished);
  });
}

/** The server on a host whose container has the snapshot. */
async function holderOf(servers: readonly AgentDescription[], name: string): Promise<AgentDescription> {
  const reasons: string[] = [];
  for (const server of servers) {
    const { ok, error } = await docker(server.host.daemon).run([
      ...["exec", backupsContainer(server.container), "test", "-e", `${PATHS.backups}/${name}`],
    ]);
    if (ok) return server;
    reasons.push(`${server.name} has no ${name}: ${error}`);
  }
  throw new Error(`${reasons.join("\n")}\n  npm run backup -- --list lists the snapshots`);
}
