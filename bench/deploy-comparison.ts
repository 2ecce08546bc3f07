import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reserveRig } from "../e2e/rig/lock";
import { type Progress, timed } from "../e2e/rig/progress";
import { Rig } from "../e2e/rig/rig";
import { CACHE_FOLDER, DEFAULT_HOSTS, type Machine } from "../e2e/rig/world";
import { ARTICLE_IMAGE, articleCommand } from "./article";
import { type Comparison, interleaved, median } from "./comparison";
import { copyProject } from "./project-copy";

const REGISTRATOR = "gliderlabs/registrator:latest";
const SERVERS = DEFAULT_HOSTS.filter(({ name }) => name.startsWith("consul-server"));
const CLIENT = DEFAULT_HOSTS.find(({ name }) => name.startsWith("consul-client")) as Machine;
const WATCH_SECONDS = 180;

/** Why nothing can be deployed here, or undefined. */
export async function whyNoDeploy(): Promise<string | undefined> {
  if (process.platform !== "linux") return "the rig needs Linux";
  if (process.getuid?.() !== 0) return "the rig needs root";
  if (process.env.CONSUL_CDKTF_RIG_MACHINE) return "this is a machine of the rig: leave its shell first";
  if (!existsSync(join(CACHE_FOLDER, "binaries")))
    return "the rig's programs are not built here: npm run rig up builds them, which takes minutes, once";
  const containers = await containersOnRig();
  return containers > 0 ? `the rig is in use, with ${containers} containers: npm run rig down removes it` : undefined;
}

/**
 * `cdktf deploy` of the article's cluster, against the article's own commands given to all hosts at once: to a leader, and to all agents in.
 * By hand the former comes early or 30 s late, by whether another server finds the first one listening when it first tries to join it.
 */
export async function compareDeploy(repetitions: number, progress: Progress): Promise<Comparison[]> {
  const release = await reserveRig(progress);
  const wasUp = (await Rig.standing().status()).some(({ on }) => on);
  const rig = await Rig.up({ progress });
  try {
    await rig.reset();
    await timed(progress, "pulling the images to the rig's hosts", () => pullImages(rig));
    const runs = await timed(progress, `deploying to the rig, ${repetitions} x both`, () =>
      interleaved(
        repetitions,
        () => deploy(rig, progress),
        () => runArticle(rig, progress),
      ),
    );
    const comparison = (key: keyof Milestones) => ({
      ours: median(runs.ours.map((milestones) => milestones[key])),
      against: "four docker run at once",
      theirs: median(runs.theirs.map((milestones) => milestones[key])),
      unit: "s" as const,
    });
    return [
      { what: "cdktf deploy to a leader", ...comparison("leader"), aim: 0.5 },
      { what: "cdktf deploy to all agents in", ...comparison("allIn") },
    ];
  } finally {
    if (!wasUp) await rig.down();
    release();
  }
}

/** When something was first seen, in seconds from the start. */
interface Milestones {
  /** A server names a leader. */
  readonly leader: number;
  /** The client knows all servers as voters. */
  readonly allIn: number;
}

async function containersOnRig(): Promise<number> {
  const rig = Rig.standing();
  const counts = [...rig.hosts, rig.localHost].map(async (host) => {
    if (!(await host.isDaemonUp)) return 0;
    return (await host.docker("ps", "--all", "--quiet")).stdout.split("\n").filter(Boolean).length;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function pullImages(rig: Rig): Promise<void> {
  await Promise.all(
    DEFAULT_HOSTS.flatMap(({ name }) =>
      [ARTICLE_IMAGE, REGISTRATOR].map((image) => rig.host(name).dockerWith({ timeoutMs: 300_000 }, "pull", image)),
    ),
  );
}

async function deploy(rig: Rig, progress: Progress): Promise<Milestones> {
  const project = mkdtempSync(join(tmpdir(), "consul-cdktf-bench-"));
  try {
    copyProject(project);
    return await watch(rig, progress, "cdktf deploy", () =>
      rig.operator.run("node_modules/.bin/cdktf", ["deploy", "--auto-approve"], {
        cwd: project,
        env: { CLUSTER: "clusters/seed.yaml" },
        timeoutMs: 300_000,
      }),
    );
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

function runArticle(rig: Rig, progress: Progress): Promise<Milestones> {
  return watch(rig, progress, "docker run", () => Promise.all(DEFAULT_HOSTS.map(({ name }) => rig.host(name).docker(...articleCommand(name)))));
}

/** From the start of the work to its milestones; then waits for the work's own end, and removes what it made. */
async function watch(rig: Rig, progress: Progress, what: string, work: () => Promise<unknown>): Promise<Milestones> {
  if ((await containersOnRig()) > 0) throw new Error("somebody else has begun to use the rig");
  const api = (address: string, path: string) => `http://${address}:8500/v1/${path}`;
  const leaders = SERVERS.map(({ address }) => api(address, "status/leader")).join(" ");
  const voters = api(CLIENT.address, "operator/raft/configuration");
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  const watchers = [
    // A leader is "172.16.8.120:8300"; none is "".
    `curl -s -m 1 ${leaders} | grep -q ':8300"'`,
    `curl -s -m 1 ${voters} | jq -es '.[0].Servers // [] | map(select(.Voter)) | length == ${SERVERS.length}' >/dev/null 2>&1`,
  ].map((seen) => rig.operator.spawn("timeout", [String(WATCH_SECONDS), "sh", "-c", `until ${seen}; do sleep 0.1; done`]));
  try {
    const times = watchers.map(async ({ finished }) => {
      const { exitCode } = await finished;
      if (exitCode !== 0) throw new Error(`${what}: no cluster after ${WATCH_SECONDS} s`);
      return seconds();
    });
    const [[leader = 0, allIn = 0]] = await Promise.all([Promise.all(times), work()]);
    progress(`${what}: a leader after ${leader.toFixed(1)} s, all in after ${allIn.toFixed(1)} s, done after ${seconds().toFixed(1)} s`);
    return { leader, allIn };
  } finally {
    for (const watcher of watchers) watcher.killAll();
    await rig.reset();
  }
}
