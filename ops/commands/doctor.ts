import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Cluster } from "../../cluster/model";
import { chosenCluster, command, progress } from "../command";
import { Fixer, runningDeploys, staleLocks } from "../fix/fixer";
import { type Finding, type FixAction, whereText } from "../inspect/findings";
import { inspect } from "../inspect/inspection";
import { lostStates } from "../inspect/lost-state";
import { withTempDir } from "../temp-dir";
import { readResources } from "../terraform/state";
import { type Stack, stackOf, synthesize } from "../terraform/synth";

const USAGE = `usage: npm run doctor [-- OPTIONS]
  --fix    mend what can be mended, under the questions that a deploy asks
  --json   for programs`;

interface Diagnosis {
  readonly findings: readonly Finding[];
  /** Mended by this run. */
  readonly mended: readonly Finding[];
  /** Stacks in which a deploy is under way, so that what was found may be in passing. */
  readonly deploying: readonly string[];
}

/** What to mend first: what all else is compared with, what brings agents back, then what stops them. */
const ORDER: Record<FixAction, number> = {
  "put-state-back": 0,
  unpause: 1,
  start: 2,
  "restart-policy": 3,
  untaint: 4,
  "give-secrets": 5,
  "give-lock-back": 6,
  replace: 7,
};

async function diagnose(cluster: Cluster, fix: boolean): Promise<Diagnosis> {
  progress(`looking at ${cluster.hosts.length} hosts and at the state`);
  const stacks = await synthesize();
  const state = await readResources(stacks);
  const examination = await inspect(cluster, state);
  const lost = await lostStates(cluster, stacks, examination);
  // Whatever else is found beside these is found against a state that is not the cluster's.
  if (lost.length > 0) {
    const found = lost.map(({ finding }) => finding);
    const underWay = await runningDeploys(stacks);
    if (!fix || underWay.length > 0) return { findings: found, mended: [], deploying: underWay };
    for (const { finding, putBack } of lost) {
      progress(`${whereText(finding)}: ${finding.what}: action`);
      putBack();
    }
    const rest = await diagnose(cluster, fix);
    return { ...rest, mended: [...found, ...rest.mended] };
  }
  const locks = await staleLocks(cluster, state, examination, progress);
  const findings = [...examination.findings, ...locks];
  const busy = findings.length > 0 ? await runningDeploys(stacks) : [];
  const clients = new Set(cluster.agents.filter(({ role }) => role === "client").map(({ name }) => name));
  // Servers before clients, which are in when the servers are.
  const rank = ({ agent, action }: Finding) =>
    2 * (action ? ORDER[action] : 0) + Number(agent !== undefined && clients.has(agent));
  const fixable = findings.filter(({ action }) => action).sort((a, b) => rank(a) - rank(b));
  if (!fix || busy.length > 0 || fixable.length === 0) return { findings, mended: [], deploying: busy };

  const mended: Finding[] = [];
  await withTempDir(join(tmpdir(), "consul-cdktf-doctor-"), async (scratch) => {
    const fixer = new Fixer(cluster, (agent) => stackOf(stacks, agent), examination, scratch, progress);
    for (const finding of fixable) {
      progress(`${whereText(finding)}: ${finding.what}: action`);
      const refusal = await fixer.fix(finding);
      if (refusal) progress(`${whereText(finding)}: not mended: ${refusal}`);
      else mended.push(finding);
    }
  });
  progress("looking again");
  const after = await settled(cluster, stacks);
  return { findings: after, mended, deploying: [] };
}

/** An agent that was started is given half a minute to get in. */
async function settled(cluster: Cluster, stacks: readonly Stack[]): Promise<Finding[]> {
  const end = Date.now() + 30_000;
  for (;;) {
    const state = await readResources(stacks);
    const examination = await inspect(cluster, state);
    const passing = examination.findings.some(({ what }) => /not in:|not healthy/.test(what));
    if (!passing || Date.now() > end)
      return [...examination.findings, ...(await staleLocks(cluster, state, examination, progress))];
    await new Promise((resume) => setTimeout(resume, 2000));
  }
}

function print({ findings, mended, deploying: busy }: Diagnosis): void {
  for (const finding of mended) console.log(`mended: ${whereText(finding)}: ${finding.what}`);
  for (const finding of findings) console.log(`${whereText(finding)}: ${finding.what}\n  ${finding.hint}`);
  if (busy.length > 0)
    console.log(
      `a deploy is under way in ${busy.join(", ")}: what was found may be in passing, and nothing was mended`,
    );
  if (findings.length === 0)
    console.log(
      mended.length > 0 ? "nothing is wrong any more; npm run deploy completes what is left" : "nothing is wrong",
    );
}

command("doctor", USAGE, async () => {
  const { values } = parseArgs({
    options: { fix: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
  });
  const { file, cluster } = chosenCluster({ quiet: values.json });
  const diagnosis = await diagnose(cluster, values.fix);
  // What only this run needs to know of a finding stays out.
  const plain = (list: readonly Finding[]) =>
    list.map(({ host, agent, what, hint, action }) => ({ host, agent, what, hint, action }));
  if (values.json)
    console.log(
      JSON.stringify(
        { file, ...diagnosis, findings: plain(diagnosis.findings), mended: plain(diagnosis.mended) },
        null,
        2,
      ),
    );
  else print(diagnosis);
  return diagnosis.findings.length === 0 ? 0 : 1;
});
