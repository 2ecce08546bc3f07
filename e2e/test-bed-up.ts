import { reserveRig } from "./test-bed/lock";
import { existingNetns } from "./test-bed/network";
import { TestBed } from "./test-bed/test-bed";

declare global {
  /** Gives the rig back; jest calls set-up and tear-down in one process. */
  var releaseRig: () => void;
}

/** Before all live tests: the rig, for them alone. It is taken down again afterwards unless it stood before (`npm run rig up`). */
export default async function rigUp(): Promise<void> {
  const progress = (line: string) => void process.stderr.write(`${line}\n`);
  globalThis.releaseRig = await reserveRig(progress);
  process.env.RIG_STOOD_BEFORE = existingNetns().length > 0 ? "yes" : "";
  const rig = await TestBed.up({ progress });
  await rig.reset();
}
