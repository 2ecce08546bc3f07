import { TestBed } from "./test-bed/test-bed";

export default async function testBedDown(): Promise<void> {
  if (!process.env.TEST_BED_WAS_UP) await TestBed.down((line) => void process.stderr.write(`${line}\n`));
  globalThis.releaseTestBed();
}
