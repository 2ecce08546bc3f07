import { reserveTestBed } from "./test-bed/lock";
import { existingNetns } from "./test-bed/network";
import { TestBed } from "./test-bed/test-bed";

declare global {
  /** Releases the test bed; jest calls set-up and tear-down in one process. */
  var releaseTestBed: () => void;
}

/**
 * Brings up the test bed before all end-to-end tests, and reserves it. It is taken down afterwards, unless it was up
 * before (`npm run rig up`).
 */
export default async function testBedUp(): Promise<void> {
  const progress = (line: string) => void process.stderr.write(`${line}\n`);
  globalThis.releaseTestBed = await reserveTestBed(progress);
  process.env.TEST_BED_WAS_UP = existingNetns().length > 0 ? "yes" : "";
  const testBed = await TestBed.up({ progress });
  await testBed.reset();
}
