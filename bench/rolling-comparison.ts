import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULTS } from "../cluster/resolve/defaults";
import { articleCommand } from "../e2e/article";
import { Load, type LoadReport } from "../e2e/load";
import { type Progress, timed } from "../e2e/test-bed/progress";
import type { TestBed } from "../e2e/test-bed/test-bed";
import { cdktfCli } from "../ops/terraform/cdktf";
import { CLIENT, onTestBed, SERVERS, seen, watchFor } from "./bench-test-bed";
import { type Comparison, interleaved, median } from "./comparison";
import { flatten } from "./flat-stack";
import { PROJECT } from "./measured-run";
import { copyProject } from "./project-copy";

const BEFORE = "hashicorp/consul:1.21.5";
const AFTER = DEFAULTS.image;
const SEED = readFileSync(join(PROJECT, "clusters/seed.yaml"), "utf8").replace(/^images:.*$/m, `image: ${BEFORE}`);
const CLIENT_URL = `http://${CLIENT.address}:8500`;

/** A way to run the article's cluster, and to give all its servers another image. */
interface Way {
  /** Brings it up with the image before. */
  start(): Promise<void>;
  change(): Promise<void>;
}

/** What writers saw, and how long it took. */
type Changed = LoadReport & { readonly seconds: number };

/** What writers see while all servers get another image: by `cdktf deploy`, by hand as in the article, and by Terraform alone. */
export function compareRolling(repetitions: number, progress: Progress): Promise<Comparison[]> {
  return onTestBed([BEFORE, AFTER], progress, async (testBed) => {
    const observe = (name: string, way: (folder: string) => Way) => () => observed(testBed, name, way, progress);
    const runs = await timed(progress, `changing the servers' image, ${repetitions} x three ways`, () =>
      interleaved(repetitions, {
        ours: observe("cdktf deploy", (folder) => byDeploy(testBed, folder)),
        hand: observe("by hand", () => byHand(testBed)),
        flat: observe("one flat stack", (folder) => byTerraform(testBed, folder)),
      }),
    );
    return [
      ...against("by hand, host by host", runs.ours, runs.hand),
      ...against("one flat Terraform stack", runs.ours, runs.flat),
    ];
  });
}

/** Of several runs the worst gap, and the share of all their writes: a median would hide the one that goes wrong. */
function against(way: string, ours: readonly Changed[], theirs: readonly Changed[]): Comparison[] {
  const gap = (reports: readonly LoadReport[]) => Math.max(...reports.map(({ longestGap }) => longestGap));
  const total = (reports: readonly LoadReport[], count: (report: LoadReport) => number) =>
    reports.reduce((sum, report) => sum + count(report), 0);
  const failed = (reports: readonly LoadReport[]) =>
    (100 * total(reports, (report) => report.failed)) / total(reports, tried);
  return [
    {
      what: "image change, until all are healthy",
      ours: median(ours.map(({ seconds }) => seconds)),
      against: way,
      theirs: median(theirs.map(({ seconds }) => seconds)),
      unit: "s",
    },
    {
      what: "image change, longest gap",
      ours: gap(ours),
      against: way,
      theirs: gap(theirs),
      unit: "s",
      aim: { ours: 0.5 },
    },
    {
      what: "image change, failed writes",
      ours: failed(ours),
      against: way,
      theirs: failed(theirs),
      unit: "%",
      aim: { ours: 0.5 },
    },
  ];
}

const tried = ({ written, lost }: LoadReport) => written + lost;

async function observed(
  testBed: TestBed,
  name: string,
  make: (folder: string) => Way,
  progress: Progress,
): Promise<Changed> {
  const folder = mkdtempSync(join(tmpdir(), "consul-cdktf-bench-"));
  try {
    const way = make(folder);
    await way.start();
    await seen(watchFor(testBed, "allHealthy"), name);
    const load = await Load.start(testBed.operator, [CLIENT_URL, CLIENT_URL]);
    const begun = performance.now();
    const report = await changeUnder(load, testBed, name, way);
    const seconds = (performance.now() - begun) / 1000;
    progress(
      `${name}: changed and healthy after ${seconds.toFixed(1)} s, longest gap ${report.longestGap} s, ${report.failed} of ${tried(report)} writes failed`,
    );
    return { ...report, seconds };
  } finally {
    await testBed.reset();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The load goes on until all servers are healthy again: an outage that outlasts the change counts too. */
async function changeUnder(load: Load, testBed: TestBed, name: string, way: Way): Promise<LoadReport> {
  try {
    await way.change();
    await requireChanged(testBed, name);
    await seen(watchFor(testBed, "allHealthy"), name);
  } catch (error) {
    await load.stop();
    throw error;
  }
  return load.stop();
}

async function requireChanged(testBed: TestBed, name: string): Promise<void> {
  for (const server of SERVERS) {
    const { stdout } = await testBed
      .host(server.name)
      .docker("inspect", "--format", "{{.Config.Image}} {{.Image}}", server.name);
    const { stdout: wanted } = await testBed.host(server.name).docker("image", "inspect", "--format", "{{.Id}}", AFTER);
    if (!stdout.includes(wanted.trim())) throw new Error(`${name}: ${server.name} runs ${stdout.trim()}, not ${AFTER}`);
  }
}

/** The cluster file with all servers' image. */
const clusterFile = (image: string) =>
  SEED.replace(
    /^servers: .*$/m,
    `servers: [${SERVERS.map(({ name }) => `{ name: ${name}, image: "${image}" }`).join(", ")}]`,
  );

function byDeploy(testBed: TestBed, project: string): Way {
  copyProject(project);
  const deploy = (image: string) => {
    writeFileSync(join(project, "clusters/seed.yaml"), clusterFile(image));
    return inProject(testBed, project, cdktfCli(project), "deploy", "--auto-approve");
  };
  return { start: () => deploy(BEFORE), change: () => deploy(AFTER) };
}

function byTerraform(testBed: TestBed, project: string): Way {
  copyProject(project);
  const stack = "cdktf.out/stacks/consul";
  const apply = async (image: string) => {
    writeFileSync(join(project, "clusters/seed.yaml"), clusterFile(image));
    await inProject(testBed, project, cdktfCli(project), "synth");
    flatten(join(project, stack));
    await inProject(testBed, project, "terraform", `-chdir=${stack}`, "init", "-input=false");
    await inProject(testBed, project, "terraform", `-chdir=${stack}`, "apply", "-input=false", "-auto-approve");
  };
  return { start: () => apply(BEFORE), change: () => apply(AFTER) };
}

async function inProject(testBed: TestBed, project: string, command: string, ...args: string[]): Promise<void> {
  await testBed.operator.run(command, args, {
    cwd: project,
    env: { CLUSTER: "clusters/seed.yaml" },
    timeoutMs: 300_000,
  });
}

/** The article's commands, each when the one before has come back, on the hosts in turn; with a volume, without which each server would lose its data. */
function byHand(testBed: TestBed): Way {
  const run = (name: string, image: string) =>
    testBed.host(name).docker(...articleCommand(name, { image, volume: `${name}-data` }));
  return {
    start: async () => {
      for (const { name, address } of [...SERVERS, CLIENT]) {
        await run(name, BEFORE);
        // The next one joins it at the first try.
        await testBed.operator.run("curl", [
          "-s",
          "--retry",
          "30",
          "--retry-connrefused",
          "--retry-delay",
          "1",
          `http://${address}:8500/v1/status/leader`,
        ]);
      }
    },
    change: async () => {
      for (const { name } of SERVERS) {
        await testBed.host(name).docker("stop", name);
        await testBed.host(name).docker("rm", name);
        await run(name, AFTER);
      }
    },
  };
}
