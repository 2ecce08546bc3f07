import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../e2e/test-bed/command";
import { type Progress, timed } from "../e2e/test-bed/progress";
import { cdktfCli } from "../package/cdktf-cli";
import { benchClusterFile } from "./bench-cluster-file";
import { type Comparison, interleaved, median } from "./comparison";
import { inheritedEnvironment, PROJECT } from "./measured-run";
import { copyProject } from "./project-copy";
import { requireSameResources } from "./same-resources";
import { makeStockProject } from "./stock-template";

const HOSTS = 4;

/** `cdktf synth` of the product, against that of the stock TypeScript template, which checks types in every run. */
export async function compareSynth(repetitions: number, progress: Progress): Promise<Comparison> {
  const folder = mkdtempSync(join(tmpdir(), "consul-cdktf-bench-"));
  try {
    const [ours, theirs, clusterFile] = [
      join(folder, "ours"),
      join(folder, "theirs"),
      join(folder, "cluster.yaml"),
    ] as const;
    copyProject(ours);
    mkdirSync(theirs);
    await makeStockProject(theirs, progress);
    writeFileSync(clusterFile, benchClusterFile(HOSTS));

    const both = {
      ours: () => synth(ours, { CLUSTER: clusterFile }),
      theirs: () => synth(theirs, { HOSTS: String(HOSTS) }),
    };
    await timed(progress, "cdktf synth, warming up", () => interleaved(1, both));
    requireSameResources(join(ours, "cdktf.out"), join(theirs, "cdktf.out"));
    const runs = await timed(progress, `cdktf synth, ${repetitions} x both`, () => interleaved(repetitions, both));
    return {
      what: `cdktf synth, ${HOSTS} hosts`,
      ours: median(runs.ours),
      against: "stock template, ts-node",
      theirs: median(runs.theirs),
      unit: "s",
      aim: { ratio: 0.6 },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function synth(project: string, env: NodeJS.ProcessEnv): Promise<number> {
  rmSync(join(project, "cdktf.out"), { recursive: true, force: true });
  const begun = performance.now();
  await run(cdktfCli(PROJECT), ["synth"], {
    cwd: project,
    // Nothing here asks the network: neither npx, which finds ts-node installed, nor cdktf's look for news.
    env: {
      ...inheritedEnvironment(),
      ...env,
      CHECKPOINT_DISABLE: "1",
      DISABLE_VERSION_CHECK: "1",
      npm_config_offline: "true",
      npm_config_update_notifier: "false",
    },
  });
  return (performance.now() - begun) / 1000;
}
