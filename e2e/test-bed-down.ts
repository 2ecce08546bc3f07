import { TestBed } from "./test-bed/test-bed";

export default async function rigDown(): Promise<void> {
  if (!process.env.RIG_STOOD_BEFORE) await TestBed.down((line) => void process.stderr.write(`${line}\n`));
  globalThis.releaseRig();
}
