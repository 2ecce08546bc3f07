import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { backupsContainer, PATHS } from "../../consul/contract";
import { docker } from "../docker/docker";
import { parallel } from "../parallel";
import { BrokenSnapshot, Inspector } from "./inspector";
import { localFolder, localNames, writtenWhole } from "./local";
import { withProgress } from "./save";
import { serversOf } from "./servers";
import { parseInspection, type Snapshot } from "./snapshot";
import { stream } from "./stream";

/** A file that is kept: what it has, or why it is of no use. */
export interface StoredSnapshot {
  readonly name: string;
  readonly snapshot?: Snapshot;
  readonly flaw?: string;
}

/** What is kept at one place. */
export interface SnapshotStore {
  /** The server's name; undefined for this machine. */
  readonly server?: string;
  readonly host?: string;
  /** From the project, for this machine; the container's name, for a host. */
  readonly place: string;
  readonly kept: readonly StoredSnapshot[];
  /** Why it could not be looked at. */
  readonly error?: string;
}

/** Of each of a hundred files: a process that reads it. */
const SECONDS = 300;
const AT_ONCE = 16;
/** Where the containers keep them: see constructs/backup-schedule.ts. */
const SCRIPT = readFileSync(join(__dirname, "store.sh"), "utf8");

/** What this machine has. What cannot be checked, since no server can be asked, is listed all the same. */
export async function localStore(cluster: Cluster): Promise<SnapshotStore> {
  const inspector = new Inspector(cluster);
  const kept: StoredSnapshot[] = [];
  let error: string | undefined;
  for (const name of localNames(cluster)) {
    try {
      kept.push({ name, snapshot: await inspector.inspect(join(localFolder(cluster), name)) });
    } catch (failure) {
      const { message } = failure as Error;
      if (failure instanceof BrokenSnapshot) kept.push({ name, flaw: message });
      else {
        error = message;
        kept.push({ name });
      }
    }
  }
  return { place: localFolder(cluster), kept, error };
}

/** What the containers that save on a schedule have. */
export function hostStores(cluster: Cluster): Promise<SnapshotStore[]> {
  return parallel(
    cluster.backups ? serversOf(cluster) : [],
    AT_ONCE,
    async ({ name: server, host, container }): Promise<SnapshotStore> => {
      const place = backupsContainer(container);
      const { ok, output, error } = await docker(host.daemon, ["exec", place, "sh", "-c", SCRIPT], SECONDS);
      return {
        server,
        host: host.name,
        place,
        kept: ok ? output.split("\n").filter(Boolean).map(parse) : [],
        ...(!ok && { error }),
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
 * Brings a snapshot from a host.
 * @param from the host's name, or its server's
 * @throws with nothing written, when it is not there, or broken
 */
export function download(
  cluster: Cluster,
  from: string,
  name: string,
  file: string,
  say: (line: string) => void,
): Promise<Snapshot> {
  const servers = serversOf(cluster);
  const there = servers.filter((server) => server.host.name === from || server.name === from);
  if (there.length === 0)
    throw new Error(
      `${from} is no server, and no server's host; there are ${servers.map(({ host }) => host.name).join(", ")}`,
    );
  return writtenWhole(file, async (unfinished) => {
    const server = await holder(there, name);
    const words = ["exec", backupsContainer(server.container), "cat", `${PATHS.backups}/${name}`];
    const { ok, error } = await withProgress(unfinished, say, () =>
      stream(server.host.daemon, words, { to: unfinished, seconds: 3600 }),
    );
    if (!ok) throw new Error(error);
    return new Inspector(cluster).inspect(unfinished);
  });
}

/** Of several servers on a host, the one whose container has it. */
async function holder(servers: readonly AgentDescription[], name: string): Promise<AgentDescription> {
  const refusals: string[] = [];
  for (const server of servers) {
    const { ok, error } = await docker(
      server.host.daemon,
      ["exec", backupsContainer(server.container), "test", "-e", `${PATHS.backups}/${name}`],
      60,
    );
    if (ok) return server;
    refusals.push(`${server.name} has no ${name}${error === "" || /^Command failed/.test(error) ? "" : `: ${error}`}`);
  }
  throw new Error(`${refusals.join("\n")}\n  npm run backup -- --list says what there is`);
}
