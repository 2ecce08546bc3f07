import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import type { Clock } from "../../rollout/clock";
import { type Processes, SystemProcesses } from "../../rollout/processes";
import { Queue, queueFolder, type SharedFolder } from "../../rollout/queue";
import { folder } from "../cluster-files";
import { Simulation } from "./simulation";
import { memoryFolder } from "./stop-tools";

/** A check: when it comes, how long it is at the head, and whether it is killed. */
interface Check {
  readonly arrives: number;
  readonly holds: number;
  /** By SIGKILL: at an operation on the folder, or at a time. */
  readonly killed?: { readonly operation: number } | { readonly ms: number };
  /** Whether its process id is given to a process that stays. */
  readonly reused: boolean;
}

/** Checks of one queue whose every operation on the folder happens at a moment of its own. */
class SimulatedQueue {
  readonly heads = new Set<number>();
  mostHeads = 0;
  readonly order: number[] = [];
  private readonly files = new Set<string>();
  private readonly dead = new Map<number, { reused: boolean }>();

  constructor(
    readonly simulation: Simulation,
    private readonly places = 1,
  ) {}

  readonly processes: Processes = {
    commandLine: () => "",
    isAlive: (pid) => this.dead.get(pid)?.reused ?? true,
    startOf: (pid) => (this.dead.has(pid) ? "later" : "1"),
  };

  names(): string[] {
    return [...this.files];
  }

  /** @returns when the check is over, or killed */
  run(pid: number, check: Check): Promise<void> {
    const { clock } = this.simulation;
    return new Promise((over) => {
      const kill = () => {
        this.dead.set(pid, check);
        this.heads.delete(pid);
        over();
      };
      let operations = 0;
      /** What a killed process does not see the end of. */
      const operation = <Value>(work: () => Value): Promise<Value> =>
        new Promise((done) => {
          void this.simulation.moment(() => {
            operations += 1;
            if (check.killed && "operation" in check.killed && operations === check.killed.operation) kill();
            if (!this.dead.has(pid)) done(work());
          });
        });
      const shared: SharedFolder = {
        // A list is no moment: what comes and goes meanwhile may be in it or not.
        list: async () => {
          const even = await operation(() => this.names().filter((name) => name.length % 2 === 0));
          const odd = await operation(() => this.names().filter((name) => name.length % 2 === 1));
          return [...even, ...odd];
        },
        create: (name) => operation(() => void this.files.add(name)),
        remove: (name) => operation(() => void this.files.delete(name)),
      };
      const queue = new Queue(shared, this.processes, pid, this.places);
      if (check.killed && "ms" in check.killed) this.simulation.at(check.killed.ms / 1000, kill);
      const wait = async () => {
        await clock.sleep(check.arrives);
        await queue.turn(clock);
        if (this.dead.has(pid)) return;
        this.heads.add(pid);
        this.order.push(pid);
        this.mostHeads = Math.max(this.mostHeads, this.heads.size);
        await clock.sleep(check.holds);
        if (this.dead.has(pid)) return;
        // It is over before its file goes.
        this.heads.delete(pid);
        await queue.leave();
        over();
      };
      void wait();
    });
  }
}

const ALIVE: Processes = { commandLine: () => "", isAlive: () => true, startOf: () => "1" };

const choices = fc.infiniteStream(fc.nat({ max: 1_000_000 }));
/** Often one process does several steps while another stands still, as processes do. */
const inBursts = (stream: Iterator<number>) => (count: number) => {
  const choice = stream.next().value as number;
  return choice % 4 === 0 ? Math.floor(choice / 4) % count : count - 1;
};
const checks = fc.array(
  fc.record({
    // Most come at once, as Terraform starts them.
    arrives: fc.constantFrom(0, 0, 0, 150, 400),
    holds: fc.constantFrom(0, 100, 500),
    killed: fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      fc.record({ operation: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ ms: fc.integer({ min: 0, max: 2000 }) }),
    ),
    reused: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

test("no more are at the head than may be, and none waits for ever, whatever the order in which they come, end and are killed", async () => {
  await fc.assert(
    fc.asyncProperty(choices, checks, fc.constantFrom(1, 1, 2, 3), async (stream, all, places) => {
      const queue = new SimulatedQueue(new Simulation(inBursts(stream)), places);
      // Each process id that was used again is noticed after 5 s.
      await queue.simulation.until(Promise.all(all.map((check, at) => queue.run(at + 1, check))), 60);
      expect(queue.mostHeads).toBeLessThanOrEqual(places);
      const killed = new Set(all.flatMap(({ killed }, at) => (killed ? [at + 1] : [])));
      const others = all.map((_, at) => at + 1).filter((pid) => !killed.has(pid));
      expect(queue.order).toEqual(expect.arrayContaining(others));
    }),
    { numRuns: 300 },
  );
});

const LIFE = { holds: 1000, reused: false };

test("checks come to the head in the order of their arrival", async () => {
  const queue = new SimulatedQueue(new Simulation());
  const arrivals = [300, 0, 200, 100];
  await queue.simulation.until(Promise.all(arrivals.map((arrives, at) => queue.run(at + 1, { ...LIFE, arrives }))));
  expect(queue.order).toEqual([2, 4, 3, 1]);
  expect(queue.names()).toEqual([]);
});

test("where two may be at the head, four need the time of two", async () => {
  const queue = new SimulatedQueue(new Simulation(), 2);
  await queue.simulation.until(Promise.all([1, 2, 3, 4].map((pid) => queue.run(pid, { ...LIFE, arrives: 0 }))));
  expect(queue.mostHeads).toBe(2);
  expect(queue.simulation.seconds).toBeLessThan(2.4);
});

test("who is called does not wait for those that are ahead, and they do not wait for it", async () => {
  const queue = memoryFolder();
  const { clock } = new Simulation();
  const processes: Processes = { commandLine: () => "", isAlive: () => true, startOf: () => "" };
  const [first, called] = [1, 2].map((pid) => new Queue(queue, processes, pid)) as [Queue, Queue];
  await first.turn(clock);
  await called.turn(clock, () => true);
  await called.leave();
  await first.leave();
  expect(queue.files.size).toBe(0);
});

test("a killed check blocks nobody; if its process id is used again, for some seconds only", async () => {
  for (const [reused, seconds] of [
    [false, 1],
    [true, 6],
  ] as const) {
    const queue = new SimulatedQueue(new Simulation());
    const first = queue.run(1, { ...LIFE, arrives: 0, killed: { ms: 500 }, reused });
    const second = queue.run(2, { ...LIFE, arrives: 100, holds: 0 });
    await queue.simulation.until(Promise.all([first, second]));
    expect(queue.order).toEqual([1, 2]);
    expect(queue.simulation.seconds).toBeGreaterThan(0.5);
    expect(queue.simulation.seconds).toBeLessThan(seconds);
  }
});

test("a process whose start is unknown is taken for the one that queued", async () => {
  const simulation = new Simulation();
  const names = new Set(["1.7..ab"]);
  const shared: SharedFolder = {
    list: async () => [...names],
    create: async (name) => void names.add(name),
    remove: async (name) => void names.delete(name),
  };
  const starts = { 7: "" } as Record<number, string>;
  const processes: Processes = { commandLine: () => "", isAlive: () => true, startOf: (pid) => starts[pid] ?? "1" };
  const turn = new Queue(shared, processes, 8).turn(simulation.clock);
  simulation.at(20, () => {
    starts[7] = "9";
  });
  simulation.at(40, () => names.delete("1.7..ab"));
  await simulation.until(turn);
  expect(simulation.seconds).toBeGreaterThanOrEqual(40);
});

test("a check whose file was removed is not at the head: another one may be", async () => {
  const run = folder();
  const shared = queueFolder(run, "server");
  const swept = { ...shared, remove: () => rm(join(run, "queue.server"), { recursive: true }) };
  const queue = new Queue(swept, new SystemProcesses());
  await expect(queue.turn(new Simulation().clock)).rejects.toThrow("its file in Terraform's data folder was removed");
});

test("of a hundred, those far behind look seldom, and the next one often", async () => {
  const simulation = new Simulation();
  const shared = memoryFolder();
  const looks = (pid: number) => {
    let count = 0;
    const list = () => {
      count += 1;
      return shared.list();
    };
    const queue = new Queue({ ...shared, list }, ALIVE, pid);
    return { queue, counted: () => count };
  };
  const all = Array.from({ length: 100 }, (_, at) => looks(at + 1));
  for (const { queue } of all) await queue.join();
  const joined = all.map(({ counted }) => counted());
  const [first, ...others] = all.map(({ queue }) => queue);
  for (const queue of others) void queue.turn(simulation.clock);
  simulation.at(9, () => void first?.leave());
  await simulation.until(simulation.clock.sleep(9_000));
  // Each look is two lists.
  const perSecond = all.map(({ counted }, at) => (counted() - (joined[at] ?? 0)) / 2 / 9);
  expect(perSecond[1]).toBeGreaterThan(6);
  expect(perSecond[99]).toBeLessThan(0.8);
  expect(perSecond.reduce((sum, count) => sum + count)).toBeLessThan(100);
});

describe("those who are not in a queue", () => {
  test("wait until it is empty, whether its processes wait or have only joined, leave, die, or are others by now", async () => {
    const simulation = new Simulation();
    const { clock } = simulation;
    const shared = memoryFolder();
    const dead = new Set<number>();
    const processes: Processes = {
      commandLine: () => "",
      isAlive: (pid) => !dead.has(pid),
      startOf: (pid) => (pid === 3 && clock.now() > 0 ? "later" : "1"),
    };
    const [leaves, dies, reused] = [1, 2, 3].map((pid) => new Queue(shared, processes, pid)) as [Queue, Queue, Queue];
    for (const queue of [leaves, dies, reused]) await queue.join();
    simulation.at(2, () => void leaves.leave());
    simulation.at(4, () => void dead.add(2));
    const last = new Queue(shared, processes, 9);
    expect(await simulation.until(last.whenEmpty(clock))).toBe(true);
    expect(await simulation.until(last.whenEmpty(clock))).toBe(false);
    expect(simulation.seconds).toBeGreaterThan(4);
    expect(simulation.seconds).toBeLessThan(11);
    expect([...shared.files]).toEqual([]);
  });

  test("do not wait for one that nobody has joined", async () => {
    const simulation = new Simulation();
    await simulation.until(new Queue(queueFolder(folder(), "server"), ALIVE, 9).whenEmpty(simulation.clock));
    expect(simulation.seconds).toBe(0);
  });
});

test("who joins early has that place when it waits", async () => {
  const simulation = new Simulation();
  const shared = memoryFolder();
  const [first, second] = [1, 2].map((pid) => new Queue(shared, ALIVE, pid)) as [Queue, Queue];
  await first.join();
  await second.join();
  simulation.at(3, () => void first.turn(simulation.clock).then(() => first.leave()));
  await simulation.until(second.turn(simulation.clock));
  expect(simulation.seconds).toBeGreaterThanOrEqual(3);
});

test("a process that is not in the queue leaves it without a trace", async () => {
  const run = folder();
  await new Queue(queueFolder(run, "server"), new SystemProcesses()).leave();
  expect(readdirSync(run)).toEqual([]);
});

test("servers and client agents have queues of their own; a real process that was killed is skipped", async () => {
  const run = folder();
  const clock: Clock = { now: () => performance.now(), sleep: (ms) => setTimeout(ms) };
  const processes = new SystemProcesses();
  const child: ChildProcess = spawn("sleep", ["60"]);
  const pid = child.pid ?? 0;
  mkdirSync(join(run, "queue.client"));
  for (const name of [`1.${pid}.${processes.startOf(pid)}.ab`, "a file of another kind"])
    writeFileSync(join(run, "queue.client", name), "");
  const server = new Queue(queueFolder(run, "server"), processes);
  await server.turn(clock);
  expect(readdirSync(join(run, "queue.server"))).toEqual([expect.stringMatching(/^1\./)]);
  child.kill("SIGKILL");
  await once(child, "exit");
  const client = new Queue(queueFolder(run, "client"), processes);
  await client.turn(clock);
  expect(readdirSync(join(run, "queue.client"))).toEqual([expect.stringMatching(/^2\./), "a file of another kind"]);
  await Promise.all([server.leave(), client.leave()]);
  expect(readdirSync(join(run, "queue.server"))).toEqual([]);
});
