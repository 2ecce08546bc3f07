import type { DockerResult } from "../../rollout/docker";
import { DockerInTurn } from "../../rollout/docker-in-turn";
import type { Processes } from "../../rollout/processes";
import { Queue } from "../../rollout/queue";
import { Simulation } from "./simulation";
import { memoryFolder } from "./stop-tools";

const PROCESSES: Processes = { commandLine: () => "", isAlive: () => true, startOf: () => "" };

/** Runs commands of as many checks at once, with two places; each takes a second, and one in three fails. */
async function mostAtOnce(command: string, checks: number) {
  const simulation = new Simulation();
  const files = memoryFolder();
  let now = 0;
  let most = 0;
  const docker = {
    run: async (args: readonly string[]): Promise<DockerResult> => {
      now += 1;
      most = Math.max(most, now);
      await simulation.clock.sleep(1000);
      now -= 1;
      if (args[1] === "2") throw new Error("broken");
      return { ok: true, output: args.join(" "), error: "" };
    },
  };
  const outputs = Array.from({ length: checks }, async (_, check) => {
    const queue = () => new Queue(files, PROCESSES, check, 2);
    const inTurn = new DockerInTurn(docker, queue, simulation.clock);
    return inTurn.run([command, String(check)]).then(
      ({ output }) => output,
      (error: Error) => error.message,
    );
  });
  return { outputs: await simulation.until(Promise.all(outputs)), most, left: files.files.size };
}

test("commands of many checks wait for each other, and one that fails makes way as well", async () => {
  const outputs = ["image 0", "image 1", "broken", "image 3", "image 4"];
  expect(await mostAtOnce("image", 5)).toEqual({ outputs, most: 2, left: 0 });
});

test("a pull waits for nobody", async () => {
  expect(await mostAtOnce("pull", 5)).toMatchObject({ most: 5 });
});
