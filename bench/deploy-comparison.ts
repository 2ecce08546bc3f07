import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Progress, timed } from "../e2e/rig/progress";
import { Rig } from "../e2e/rig/rig";
import { CACHE_FOLDER, DEFAULT_HOSTS } from "../e2e/rig/world";
import { ARTICLE_IMAGE, articleCommand } from "./article";
import { type Comparison, interleaved, median } from "./comparison";
import { copyProject } from "./project-copy";

const REGISTRATOR = "gliderlabs/registrator:latest";
const SERVERS = DEFAULT_HOSTS.filter(({ name }) => name.startsWith("consul-server"));
const LEADER_TIMEOUT_S = 180;

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

/** From `cdktf deploy` of the article's cluster to a leader, against the article's own commands, given to all hosts at once. */
export async function compareDeploy(repetitions: number, progress: Progress): Promise<Comparison> {
  const wasUp = (await Rig.standing().status()).some(({ on }) => on);
  const rig = await Rig.up({ progress });
  try {
    await rig.reset();
    await timed(progress, "pulling the images to the rig's hosts", () => pullImages(rig));
    const runs = await timed(progress, `to a leader on the rig, ${repetitions} x both`, () =>
      interleaved(
        repetitions,
        () => deploy(rig, progress),
        () => runArticle(rig, progress),
      ),
    );
    return {
      what: "cdktf deploy to a leader",
      ours: median(runs.ours),
      against: "four docker run at once",
      theirs: median(runs.theirs),
      unit: "s",
      aim: 0.5,
    };
  } finally {
    await (wasUp ? rig.reset() : rig.down());
  }
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

async function deploy(rig: Rig, progress: Progress): Promise<number> {
  const project = mkdtempSync(join(tmpdir(), "consul-cdktf-bench-"));
  try {
    copyProject(project);
    return await secondsToLeader(rig, progress, "cdktf deploy", () =>
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

function runArticle(rig: Rig, progress: Progress): Promise<number> {
  return secondsToLeader(rig, progress, "docker run", () =>
    Promise.all(DEFAULT_HOSTS.map(({ name }) => rig.host(name).docker(...articleCommand(name)))),
  );
}

/** From the start of the work until a server knows a leader; then waits for the work's own end, and removes what it made. */
async function secondsToLeader(rig: Rig, progress: Progress, what: string, work: () => Promise<unknown>): Promise<number> {
  const urls = SERVERS.map(({ address }) => `http://${address}:8500/v1/status/leader`).join(" ");
  // A leader is "172.16.8.120:8300"; none is "".
  const script = `until curl -s -m 1 ${urls} | grep -q ':8300"'; do sleep 0.1; done`;
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  const led = rig.operator.run("sh", ["-c", script], { timeoutMs: LEADER_TIMEOUT_S * 1000 }).then(seconds);
  const [toLeader] = await Promise.all([led, work()]);
  progress(`${what}: a leader after ${toLeader.toFixed(1)} s, everything done after ${seconds().toFixed(1)} s`);
  await rig.reset();
  return toLeader;
}
