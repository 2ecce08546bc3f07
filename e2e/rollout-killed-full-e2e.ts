import { LiveCluster, type Seen } from "./live-cluster";
import { pause } from "./pause";
import { Random } from "./random";
import { DOCKER_CLI, expectNothingLeft, PROGRAM } from "./rollout-processes";
import type { RunningCommand } from "./test-bed/command";
import { commandLine } from "./test-bed/processes";
import { TestBed } from "./test-bed/test-bed";

const KILLS = 5;
/** Seconds until a kill, at most: a change of five agents takes about twice as long. */
const LONGEST_PAUSE = 12;

describe("the rollout's program in a rolling change", () => {
  const testBed = TestBed.standing();
  const random = Random.seeded();
  let cluster: LiveCluster;

  const isOver = (deploy: RunningCommand) => {
    let ended = false;
    void deploy.finished.then(() => {
      ended = true;
    });
    return () => ended;
  };
  /** Kills a process of a kind, as soon as there is one. @returns its command line; undefined after the deploy's end */
  const killOne = async (kind: RegExp, over: () => boolean): Promise<string | undefined> => {
    while (!over()) {
      const there = testBed.operator.machine.processes(kind);
      if (there.length > 0) {
        const pid = random.pick(there);
        const killed = commandLine(pid);
        process.kill(pid, "SIGKILL");
        return killed.split("\n", 1)[0];
      }
      await pause(0.02);
    }
    return undefined;
  };
  /** A client agent that is stopped and not yet started takes its users' session with it. */
  const expectServed = async (seen: Seen) => {
    expect(seen.servers.mostDown).toBeLessThan(2);
    await cluster.expectSound(seen);
  };
  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "rollout-killed", { security: "on" });
  });
  afterAll(() => cluster.down());

  test("is killed at random moments: the next plain deploy completes, nothing is left behind", () =>
    cluster.bear(async () => {
      const seen = await cluster.during(async () => {
        for (let kills = 0; kills < KILLS; ) {
          cluster.changeAll();
          cluster.write();
          const deploy = cluster.startDeploy();
          const over = isOver(deploy);
          await cluster.untilApplying(deploy);
          await pause(random.next() * LONGEST_PAUSE);
          const killed = await killOne(PROGRAM, over);
          const { exitCode } = await deploy.finished;
          process.stderr.write(`    killed: ${killed ?? "nothing"}; the deploy ended with ${exitCode}\n`);
          if (killed !== undefined) {
            expect(exitCode).not.toBe(0);
            kills++;
          }
          await expectNothingLeft(cluster);
          await cluster.deploy();
        }
      });
      await expectServed(seen);
      await expectNothingLeft(cluster);
    }));

  test("loses its docker CLIs at random moments: it asks again, or the next plain deploy completes", () =>
    cluster.bear(async () => {
      const seen = await cluster.during(async () => {
        for (let kills = 0; kills < KILLS; ) {
          cluster.changeAll();
          cluster.write();
          const deploy = cluster.startDeploy();
          const over = isOver(deploy);
          await cluster.untilApplying(deploy);
          for (;;) {
            await pause(random.next() * LONGEST_PAUSE);
            const killed = await killOne(DOCKER_CLI, over);
            if (killed === undefined) break;
            process.stderr.write(`    killed: ${killed}\n`);
            kills++;
          }
          process.stderr.write(`    the deploy ended with ${(await deploy.finished).exitCode}\n`);
          await expectNothingLeft(cluster);
          await cluster.deploy();
        }
      });
      await expectServed(seen);
      await expectNothingLeft(cluster);
    }));
});
