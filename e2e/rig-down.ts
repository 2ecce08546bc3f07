import { Rig } from "./rig/rig";

export default async function rigDown(): Promise<void> {
  if (process.env.RIG_STOOD_BEFORE) return;
  await Rig.down((line) => process.stderr.write(`${line}\n`));
}
