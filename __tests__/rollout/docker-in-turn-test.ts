import type { DockerResult } from "../../rollout/docker";
import { DockerInTurn } from "../../rollout/docker-in-turn";
import type { Processes } from "../../rollout/processes";
import { Queue } from "../../rollout/queue";
import { Simulation } from "./simulation";
import { memoryFolder } from "./stop-tools";

const PROCESSES: Processes = { commandLine: () => "", isAlive: () => true, startOf: () => "" };

/** Checks that run some commands each and leave, all at once, with two places. A command takes a second. */
async function run(commands: readonly string[], checks: number) {
  const simulation = new Simulation();
  const files = memoryFolder();
  const order: string[] = [];
  const now: string[] = [];
  const most: Record<string, number> = {};
  const note = (name: string, count: number): void => {
    most[name] = Math.max(most[name] ?? 0, count);
  };
  const docker = {
    run: async ([command = "", check]: readonly string[]): Promise<DockerResult> => {
      order.push(`${command} ${check}`);
      now.push(command);
      note("all", now.length);
      note(command, now.filter((other) => other === command).length);
      await simulation.clock.sleep(1000);
      now.splice(now.indexOf(command), 1);
      return { ok: true, output: "", error: "" };
    },
  };
  const ends = Array.from({ length: checks }, async (_, check) => {
    const inTurn = new DockerInTurn(docker, new Queue(files, PROCESSES, check, 2), simulation.clock);
    for (const command of commands) await inTurn.run([command, String(check)]);
    await inTurn.leave();
  });
  await simulation.until(Promise.all(ends));
  expect(files.files.size).toBe(0);
  return { order, most };
}

test("of many checks, two have begun before the next two begin", async () => {
  const { order, most } = await run(["inspect", "image"], 5);
  expect(most.all).toBe(2);
  expect([order.slice(0, 4), order.slice(4, 8), order.slice(8)].map((lines) => [...lines].sort())).toEqual([
    ["image 0", "image 1", "inspect 0", "inspect 1"],
    ["image 2", "image 3", "inspect 2", "inspect 3"],
    ["image 4", "inspect 4"],
  ]);
});

test("a pull waits for nobody, and nobody waits for a check that pulls", async () => {
  expect((await run(["pull"], 5)).most).toEqual({ all: 5, pull: 5 });
  expect((await run(["inspect", "pull"], 4)).most).toEqual({ all: 4, inspect: 2, pull: 2 });
});

test("after its pull, a check waits for a place again", async () =>
  expect((await run(["pull", "image"], 5)).most).toEqual({ all: 5, pull: 5, image: 2 }));
