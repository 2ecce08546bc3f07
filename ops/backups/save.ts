import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { CONTAINER_VARIABLES } from "../../consul/contract";
import { Inspector } from "./inspector";
import { writeComplete } from "./local";
import type { ServerProbe } from "./servers";
import { type Snapshot, sizeText } from "./snapshot";
import { stream } from "./stream";

/** Enough for gigabytes over a slow line. curl gives up a transfer that stands still for two minutes. */
const SECONDS = 3600;
const STALL_LIMIT = ["--speed-limit", "1", "--speed-time", "120"];

const SCRIPT = readFileSync(join(__dirname, "snapshot.sh"), "utf8");

/**
 * The docker CLI's arguments that run snapshot.sh in a server's container. Like all requests, it goes to the address that
 * the cluster file gives the server.
 */
export function snapshotArguments(
  { container, endpoints }: AgentDescription,
  curlOptions: readonly string[],
): string[] {
  const address = `${CONTAINER_VARIABLES.httpAddress}=${endpoints.local}`;
  return ["exec", "-i", "-e", address, container, "sh", "-c", SCRIPT, "sh", ...curlOptions];
}

/**
 * Saves a snapshot from a server. The file gets its name after the snapshot has been verified.
 * @param stale the server's own data, whether or not there is a leader
 * @throws without a file, when there is no snapshot, or a damaged one
 */
export function save(
  cluster: Cluster,
  { agent }: ServerProbe,
  file: string,
  stale: boolean,
  log: (line: string) => void,
): Promise<Snapshot> {
  return writeComplete(file, async (unfinished) => {
    const args = snapshotArguments(agent, [...STALL_LIMIT, ...(stale ? ["-G", "-d", "stale=1"] : [])]);
    const { ok, error } = await withProgress(unfinished, log, () =>
      stream(agent.host.daemon, args, { to: unfinished, seconds: SECONDS }),
    );
    if (!ok)
      throw new Error([`${agent.name} gives no snapshot`, error, startOf(unfinished)].filter(Boolean).join(": "));
    return new Inspector(cluster).inspect(unfinished);
  });
}

/** Logs the size of a file every two seconds. */
export async function withProgress<Result>(
  file: string,
  log: (line: string) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  const timer = setInterval(
    () => log(`${sizeText(statSync(file, { throwIfNoEntry: false })?.size ?? 0)} so far`),
    2000,
  );
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Instead of a snapshot, the file has Consul's refusal. */
function startOf(file: string): string {
  const start = Buffer.alloc(200);
  const opened = openSync(file, "r");
  try {
    return start.subarray(0, readSync(opened, start)).toString("utf8").trim();
  } finally {
    closeSync(opened);
  }
}
