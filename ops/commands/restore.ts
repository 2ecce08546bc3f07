import { statSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import type { Cluster } from "../../cluster/model";
import { Inspector } from "../backups/inspector";
import { newFile, snapshotName } from "../backups/local";
import { Restoration } from "../backups/restoration";
import { save } from "../backups/save";
import { bestServer, probeServers, type ServerProbe, type ServerProbes, serversOf } from "../backups/servers";
import { type Snapshot, snapshotText, spanText } from "../backups/snapshot";
import { chosenCluster, command, progress } from "../command";
import { runningDeploys } from "../fix/fixer";
import { refusedSecrets } from "../secrets/check";
import { synthesize } from "../terraform/synth";

const USAGE = `usage: npm run restore -- FILE [OPTIONS]
  --auto-approve  do not ask
  --no-backup     do not save the present state first
  --no-trial      do not try the snapshot in a container of its own first
  --json          the result, for programs
status: 0 restored, and all agents work; 1 nothing was touched; 2 the cluster has been touched and is not whole: run it again`;

interface Options {
  readonly snapshotFile: string;
  readonly approved: boolean;
  readonly backup: boolean;
  readonly trial: boolean;
  readonly json: boolean;
}

function options(): Options {
  const { values, positionals } = parseArgs({
    options: {
      "auto-approve": { type: "boolean", default: false },
      "no-backup": { type: "boolean", default: false },
      "no-trial": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const [snapshotFile, ...more] = positionals;
  if (snapshotFile === undefined || more.length > 0) throw new Error(`restore takes one file\n${USAGE}`);
  if (!statSync(snapshotFile, { throwIfNoEntry: false })?.isFile())
    throw new Error(
      `${snapshotFile} is no file\n  npm run backup -- --list says what there is; --fetch HOST NAME brings what a host has kept`,
    );
  return {
    snapshotFile,
    approved: values["auto-approve"],
    backup: !values["no-backup"],
    trial: !values["no-trial"],
    json: values.json,
  };
}

/** A server that leads, of a cluster that takes its own management token: after a restore that was interrupted it may not. */
async function lookAt(cluster: Cluster, restoration: Restoration): Promise<ServerProbes> {
  const first = await probeServers(cluster);
  if (first.servers.length > 0) return first;
  await restoration.claim(serversOf(cluster), 5).catch((error: Error) => {
    throw new Error(`no server answers\n${[...first.silent, error.message].join("\n")}`);
  });
  return probeServers(cluster);
}

/** What becomes of what is there. */
function losses(cluster: Cluster, { index }: ServerProbe, snapshot: Snapshot): string[] {
  return [
    `${cluster.name} is at index ${index}; the snapshot: ${snapshotText(snapshot)}`,
    `All that was written since it was taken, ${spanText(Date.now() - Date.parse(snapshot.taken))} ago, is lost: keys, services that no agent registers anew, config entries, tokens that were made by hand. All sessions end.`,
  ];
}

async function consent(cluster: Cluster): Promise<void> {
  if (!process.stdin.isTTY)
    throw new Error("nobody can be asked here; nothing was touched\n  with consent: --auto-approve");
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(`Put it in the place of what ${cluster.name} has? Only "yes" is taken: `);
  asking.close();
  if (answer.trim() !== "yes") throw new Error("nothing was touched");
}

command("restore", USAGE, async () => {
  const { snapshotFile, approved, backup, trial, json } = options();
  const { file, cluster } = chosenCluster({ quiet: json });
  const unfit = refusedSecrets(cluster);
  if (unfit.length > 0) throw new Error(`refused; nothing was touched\n${unfit.join("\n")}`);

  progress(`looking at ${serversOf(cluster).length} servers and at the state`);
  const stacks = await synthesize();
  const restoration = new Restoration(cluster, stacks, progress);
  const seen = await lookAt(cluster, restoration);
  const server = bestServer(seen);
  for (const line of seen.silent) progress(line);
  const busy = await runningDeploys(stacks);
  if (busy.length > 0)
    throw new Error(`refused; nothing was touched\na deploy is under way in ${busy.join(", ")}: wait for its end`);

  progress(`checking ${snapshotFile}`);
  const snapshot = await new Inspector(cluster).inspect(snapshotFile).catch((error: Error) => {
    throw new Error(`${snapshotFile} cannot be restored; nothing was touched\n${error.message}`);
  });
  if (trial) await restoration.tryOut(seen.servers, snapshotFile);
  for (const line of losses(cluster, server, snapshot)) progress(line);
  if (!approved) await consent(cluster);

  const before = backup ? newFile(cluster, undefined, snapshotName()) : undefined;
  if (before !== undefined) {
    progress(`saving what there is now to ${before}`);
    await save(cluster, server, before, false, progress);
  }
  progress(`restoring by way of ${server.agent.name}`);
  const outcome = await restoration
    .restore(server, snapshotFile)
    .then(() => finish(restoration, cluster, server))
    .catch(({ message }: Error) => ({ failure: message }));
  const whole = !("failure" in outcome) && outcome.left.length === 0;
  if (json)
    console.log(
      JSON.stringify(
        { file, restored: snapshotFile, snapshot, before: { index: server.index, backup: before }, ...outcome },
        null,
        2,
      ),
    );
  else if (whole)
    console.log(`restored: all servers are voters, ${outcome.leader} leads, and every agent's token is taken`);
  if (whole) return 0;
  for (const line of "failure" in outcome ? [outcome.failure] : outcome.left)
    progress(`the cluster has been touched, and is not whole: ${line}`);
  progress(`  run it again; what there was before is in ${before ?? "no backup"}`);
  return 2;
});

async function finish(restoration: Restoration, cluster: Cluster, server: ServerProbe) {
  const settled = await restoration.settle(server);
  const { servers } = await probeServers(cluster);
  return { ...settled, leader: servers.find(({ leads }) => leads)?.agent.name };
}
