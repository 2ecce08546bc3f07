import { existingNetns } from "./rig/network";
import { Rig } from "./rig/rig";

/** Before all live tests: the rig, which is taken down again afterwards unless it stood before (`npm run rig up`). */
export default async function rigUp(): Promise<void> {
  process.env.RIG_STOOD_BEFORE = existingNetns().length > 0 ? "yes" : "";
  const rig = await Rig.up({ progress: (line) => process.stderr.write(`${line}\n`) });
  await rig.reset();
}
