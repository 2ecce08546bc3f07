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

  /**
   * Changes all agents again and again, each time with a plain deploy after it, until enough processes were killed.
   * @param kill during a deploy that applies. @returns how many it has killed
   */
  const changeWhile = (kill: (over: () => boolean) => Promise<number>, { failsDeploy }: { failsDeploy: boolean }) =>
    cluster.bear(async () => {
      const seen = await cluster.during(async () => {
        for (let kills = 0; kills < KILLS; ) {
          cluster.changeAll();
          cluster.write();
          const deploy = cluster.startDeploy();
          const over = isOver(deploy);
          await cluster.untilApplying(deploy);
          const killed = await kill(over);
          kills += killed;
          const { exitCode } = await deploy.finished;
          process.stderr.write(`    ${killed} killed; the deploy ended with ${exitCode}\n`);
          if (killed > 0 && failsDeploy) expect(exitCode).not.toBe(0);
          await expectNothingLeft(cluster);
          await cluster.deploy();
        }
      });
      await expectServed(seen);
      await expectNothingLeft(cluster);
    });
  /** @returns whether there was one to kill */
  const killSoon = async (kind: RegExp, over: () => boolean): Promise<boolean> => {
    await pause(random.next() * LONGEST_PAUSE);
    const killed = await killOne(kind, over);
    if (killed !== undefined) process.stderr.write(`    killed: ${killed}\n`);
    return killed !== undefined;
  };

  test("is killed at random moments: the next plain deploy completes, nothing is left behind", () =>
    changeWhile(async (over) => ((await killSoon(PROGRAM, over)) ? 1 : 0), { failsDeploy: true }));

  test("loses its docker CLIs at random moments: it asks again, or the next plain deploy completes", () =>
    changeWhile(
      async (over) => {
        let killed = 0;
        while (await killSoon(DOCKER_CLI, over)) killed++;
        return killed;
      },
      { failsDeploy: false },
    ));
});
