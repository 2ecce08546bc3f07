import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ARTICLE_IMAGE, articleCommand } from "../e2e/article";
import { type Progress, timed } from "../e2e/test-bed/progress";
import type { TestBed } from "../e2e/test-bed/test-bed";
import { DEFAULT_HOSTS } from "../e2e/test-bed/world";
import { cdktfCli } from "../package/cdktf-cli";
import { containersOnTestBed, onTestBed, seen, watchFor } from "./bench-test-bed";
import { type Comparison, interleaved, mean } from "./comparison";
import { copyProject } from "./project-copy";

const REGISTRATOR = "gliderlabs/registrator:latest";

/**
 * `cdktf deploy` of the article's cluster, against the article's own commands given to all hosts at once: to a leader, and until all agents are ready.
 * By hand either comes early or 30 s late, by whether another server finds the first one listening when it first tries to join it. The median
 * of a few runs would show one or the other: the mean is what somebody has to expect.
 */
export function compareDeploy(repetitions: number, progress: Progress): Promise<Comparison[]> {
  return onTestBed([ARTICLE_IMAGE, REGISTRATOR], progress, async (testBed) => {
    const runs = await timed(progress, `deploying to the test bed, ${repetitions} x both`, () =>
      interleaved(repetitions, { ours: () => deploy(testBed, progress), theirs: () => runArticle(testBed, progress) }),
    );
    const comparison = (key: keyof Milestones) => ({
      ours: mean(runs.ours.map((milestones) => milestones[key])),
      against: "four docker run at once",
      theirs: mean(runs.theirs.map((milestones) => milestones[key])),
      unit: "s" as const,
    });
    return [
      { what: "cdktf deploy to a leader, mean", ...comparison("leader"), aim: { ratio: 0.5 } },
      { what: "cdktf deploy to all agents ready, mean", ...comparison("allIn") },
    ];
  });
}

/** When something was first seen, in seconds from the start. */
interface Milestones {
  readonly leader: number;
  readonly allIn: number;
}

async function deploy(testBed: TestBed, progress: Progress): Promise<Milestones> {
  const project = mkdtempSync(join(tmpdir(), "consul-cdktf-bench-"));
  try {
    copyProject(project);
    return await watch(testBed, progress, "cdktf deploy", () =>
      testBed.operator.run(cdktfCli(project), ["deploy", "--auto-approve"], {
        cwd: project,
        env: { CLUSTER: "clusters/seed.yaml" },
        timeoutMs: 300_000,
      }),
    );
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

function runArticle(testBed: TestBed, progress: Progress): Promise<Milestones> {
  return watch(testBed, progress, "docker run", () =>
    Promise.all(DEFAULT_HOSTS.map(({ name }) => testBed.host(name).docker(...articleCommand(name)))),
  );
}

/** From the start of the work to its milestones; then waits for the work's own end, and removes what it made. */
async function watch(
  testBed: TestBed,
  progress: Progress,
  what: string,
  work: () => Promise<unknown>,
): Promise<Milestones> {
  if ((await containersOnTestBed()) > 0) throw new Error("somebody else has begun to use the test bed");
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  const watchers = (["leader", "allIn"] as const).map((milestone) => watchFor(testBed, milestone));
  try {
    const times = watchers.map(async (watcher) => {
      await seen(watcher, what);
      return seconds();
    });
    const [[leader = 0, allIn = 0]] = await Promise.all([Promise.all(times), work()]);
    progress(
      `${what}: a leader after ${leader.toFixed(1)} s, all agents ready after ${allIn.toFixed(1)} s, done after ${seconds().toFixed(1)} s`,
    );
    return { leader, allIn };
  } finally {
    for (const watcher of watchers) watcher.killAll();
    await testBed.reset();
  }
}
