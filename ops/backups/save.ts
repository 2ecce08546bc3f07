import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../cluster/model";
import { apiOf, inAgent } from "../consul-api/consul-api";
import { Inspector } from "./inspector";
import { writtenWhole } from "./local";
import type { ServerProbe } from "./servers";
import { type Snapshot, sizeText } from "./snapshot";
import { stream } from "./stream";

/** For a state of gigabytes over a slow line; one that stands still is given up by curl after two minutes. */
const SECONDS = 3600;
const STANDS_STILL = ["--speed-limit", "1", "--speed-time", "120"];

export const SNAPSHOT_SCRIPT = readFileSync(join(__dirname, "snapshot.sh"), "utf8");

/**
 * Takes a snapshot by way of a server, and checks it, before it has the file's name.
 * @param stale from what this server has, whether or not there is a leader
 * @throws with nothing written, when none comes, or a broken one
 */
export function save(
  cluster: Cluster,
  { agent }: ServerProbe,
  file: string,
  stale: boolean,
  say: (line: string) => void,
): Promise<Snapshot> {
  return writtenWhole(file, async (unfinished) => {
    const place = apiOf(agent);
    const words = inAgent(place, SNAPSHOT_SCRIPT, [...STANDS_STILL, ...(stale ? ["-G", "-d", "stale=1"] : [])]);
    const { ok, error } = await withProgress(unfinished, say, () =>
      stream(place.daemon, words, { to: unfinished, seconds: SECONDS }),
    );
    if (!ok)
      throw new Error([`${agent.name} gives no snapshot`, error, startOf(unfinished)].filter(Boolean).join(": "));
    return new Inspector(cluster).inspect(unfinished);
  });
}

/** Says every few seconds how much has come. */
export async function withProgress<Result>(
  file: string,
  say: (line: string) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  const timer = setInterval(
    () => say(`${sizeText(statSync(file, { throwIfNoEntry: false })?.size ?? 0)} so far`),
    2000,
  );
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** What came in a snapshot's place is Consul's refusal. */
function startOf(file: string): string {
  const start = Buffer.alloc(200);
  const opened = openSync(file, "r");
  try {
    return start.subarray(0, readSync(opened, start)).toString("utf8").trim();
  } finally {
    closeSync(opened);
  }
}
