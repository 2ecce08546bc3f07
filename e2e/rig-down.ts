import { Rig } from "./rig/rig";

export default async function rigDown(): Promise<void> {
  if (!process.env.RIG_STOOD_BEFORE) await Rig.down((line) => void process.stderr.write(`${line}\n`));
  globalThis.releaseRig();
}
