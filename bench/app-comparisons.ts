import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Progress, timed } from "../e2e/test-bed/progress";
import { benchClusterFile } from "./bench-cluster-file";
import { type Comparison, interleaved, median } from "./comparison";
import { type MeasuredRun, measureApp, ownRunner } from "./measured-run";
import { requireSameResources } from "./same-resources";
import { installStockPackages, tsxLoader } from "./stock-template";

export interface AppSizes {
  /** How many hosts, and how often each is measured. */
  readonly few: { readonly hosts: number; readonly repetitions: number };
  readonly many: { readonly hosts: number; readonly repetitions: number };
  /** Measured once, to see whether the time grows with the hosts and no faster. */
  readonly most: { readonly hosts: number };
}

/** The plain program is run as its users would, and again by what runs the product, to tell what is the program's and what the runner's. */
const [BY_TSX, BY_OURS] = ["plain CDKTF program", "plain CDKTF program, our runner"];
const AIM = { ratio: 1.2 };
/** As many hosts of a stack as the documentation recommends at most. */
const PER_STACK = 25;

/** The app alone, as cdktf runs it, against a plain CDKTF program that makes the same resources. */
export async function compareApps({ few, many, most }: AppSizes, progress: Progress): Promise<Comparison[]> {
  await installStockPackages(progress);
  const folder = mkdtempSync(join(tmpdir(), "consul-cdktf-bench-"));
  try {
    const bench = new AppBench(folder, progress);
    await bench.measure(4, 1); // fills tsx's cache
    const atFew = await bench.measure(few.hosts, few.repetitions);
    const runByOurs = await bench.measure(few.hosts, few.repetitions, ownRunner());
    const atMany = await bench.measure(many.hosts, many.repetitions);
    const inStacks = await bench.measureStacks(many.hosts, PER_STACK, many.repetitions);
    const atMost = await bench.measure(most.hosts, 1);
    const perHost = ({ ours }: Medians, hosts: number) => (ours.seconds / hosts) * 1000;
    return [
      ...timeAndMemory(few.hosts, atFew, BY_TSX, AIM),
      ...timeAndMemory(few.hosts, runByOurs, BY_OURS),
      ...timeAndMemory(many.hosts, atMany, BY_TSX, AIM),
      {
        what: `app, ${many.hosts} hosts in ${many.hosts / PER_STACK} stacks, time`,
        ours: inStacks.seconds,
        against: `${BY_TSX}, one stack`,
        theirs: atMany.theirs.seconds,
        unit: "s",
        aim: { ours: 3 },
      },
      ...timeAndMemory(most.hosts, atMost, BY_TSX),
      {
        what: `app, time per host at ${most.hosts} hosts`,
        ours: perHost(atMost, most.hosts),
        against: `the same at ${many.hosts} hosts`,
        theirs: perHost(atMany, many.hosts),
        unit: "ms",
        aim: { ratio: 1.5 },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Medians {
  readonly ours: MeasuredRun;
  readonly theirs: MeasuredRun;
}

function timeAndMemory(
  hosts: number,
  { ours, theirs }: Medians,
  against: string,
  aim?: Comparison["aim"],
): Comparison[] {
  return [
    { what: `app, ${hosts} hosts, time`, ours: ours.seconds, against, theirs: theirs.seconds, unit: "s", aim },
    {
      what: `app, ${hosts} hosts, peak memory`,
      ours: ours.peakMemory,
      against,
      theirs: theirs.peakMemory,
      unit: "MiB",
      aim,
    },
  ];
}

class AppBench {
  constructor(
    private readonly folder: string,
    private readonly progress: Progress,
  ) {}

  async measure(
    hosts: number,
    repetitions: number,
    theirRunner: readonly string[] = ["--import", tsxLoader()],
  ): Promise<Medians> {
    const [ours, theirs] = [join(this.folder, `${hosts}-ours`), join(this.folder, `${hosts}-theirs`)] as const;
    const ourApp = this.ourApp(`${hosts}.yaml`, benchClusterFile(hosts), ours);
    const runs = await timed(this.progress, `the app at ${hosts} hosts, ${repetitions} x both`, () =>
      interleaved(repetitions, {
        ours: ourApp,
        theirs: () => measureApp(theirRunner, "bench/plain-cdktf.ts", { HOSTS: String(hosts), CDKTF_OUTDIR: theirs }),
      }),
    );
    requireSameResources(ours, theirs);
    return { ours: medianRun(runs.ours), theirs: medianRun(runs.theirs) };
  }

  async measureStacks(hosts: number, perStack: number, repetitions: number): Promise<MeasuredRun> {
    const ours = this.ourApp("stacks.yaml", benchClusterFile(hosts, perStack), join(this.folder, "stacks"));
    const runs = await timed(this.progress, `the app at ${hosts} hosts in stacks of ${perStack}`, () =>
      interleaved(repetitions, { ours }),
    );
    return medianRun(runs.ours);
  }

  private ourApp(name: string, clusterFile: string, output: string): () => Promise<MeasuredRun> {
    const file = join(this.folder, name);
    writeFileSync(file, clusterFile);
    return () => measureApp(ownRunner(), "main.ts", { CLUSTER: file, CDKTF_OUTDIR: output });
  }
}

const medianRun = (runs: readonly MeasuredRun[]): MeasuredRun => ({
  seconds: median(runs.map(({ seconds }) => seconds)),
  peakMemory: median(runs.map(({ peakMemory }) => peakMemory)),
});
