import fc from "fast-check";
import { releaseLock } from "../../rollout/lock";
import type { Outcome } from "../../rollout/outcome";
import { preStopClient } from "../../rollout/pre-stop-client";
import { preStopServer } from "../../rollout/pre-stop-server";
import { readiness, type StartedAgent } from "../../rollout/readiness";
import { SimulatedCluster, Simulation } from "./simulation";

/** How an agent is replaced: seconds that its new container takes to be ready, or "never". */
type Start = number | "never";

const SECONDS = 60;
const silent = (): void => undefined;

const started = (cluster: SimulatedCluster, name: string): StartedAgent => ({
  api: cluster.api(name),
  isSecured: async () => false,
  wasReady: async () => true,
  markReady: async () => undefined,
  tokenStatus: async () => 0,
});

/**
 * A rolling change of all servers at once, as Terraform begins it; what it saw of the servers that were down together.
 */
async function rollServers(count: number, starts: readonly Start[], choose: (count: number) => number) {
  const simulation = new Simulation(choose);
  const cluster = new SimulatedCluster(simulation, count);
  let mostDown = 0;
  const replace = async (name: string, start: Start): Promise<Outcome["kind"] | "late"> => {
    const stop = {
      owner: name,
      node: name,
      purpose: "replace",
      servers: count,
      stage: "strict",
      seconds: SECONDS,
    } as const;
    const asked = { api: cluster.api(name), isOwn: true, connects: cluster.connects };
    const outcome = await preStopServer(stop, asked, simulation.clock, silent);
    if (outcome.kind !== "allow") return outcome.kind;
    const server = cluster.server(name);
    Object.assign(server, { up: false, healthy: false, status: "failed" });
    mostDown = Math.max(mostDown, cluster.servers.filter(({ up }) => !up).length);
    if (start === "never") return "late";
    await simulation.clock.sleep(start * 1000);
    Object.assign(server, { up: true, healthy: true, status: "alive" });
    const check = { owner: name, role: "server", node: name, expect: count, seconds: SECONDS } as const;
    const ready = await readiness(check, started(cluster, name), simulation.clock, silent);
    return ready.kind === "ready" ? "allow" : "late";
  };
  const outcomes = await simulation.until(
    Promise.all(cluster.servers.map(({ name }, at) => replace(name, starts[at] ?? 1))),
    count * (4 * SECONDS + 60),
  );
  return { cluster, outcomes, mostDown };
}

const choices = fc.infiniteStream(fc.nat({ max: 1_000_000 }));
const chooser = (stream: Iterator<number>) => (count: number) => (stream.next().value as number) % count;

test("servers are stopped one at a time, whatever the order in which their checks are answered, and all are replaced", async () => {
  await fc.assert(
    fc.asyncProperty(
      choices,
      fc.constantFrom(3, 5),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 5, maxLength: 5 }),
      async (stream, count, starts) => {
        const { cluster, outcomes, mostDown } = await rollServers(count, starts, chooser(stream));
        expect([outcomes, mostDown, cluster.keys()]).toEqual([Array(count).fill("allow"), 1, []]);
      },
    ),
    { numRuns: 25 },
  );
});

test("when a server does not become ready, no other is stopped after it, and none waits for ever", async () => {
  await fc.assert(
    fc.asyncProperty(choices, fc.constantFrom(3, 5), fc.nat({ max: 4 }), async (stream, count, broken) => {
      const starts = Array.from({ length: count }, (_, at): Start => (at === broken % count ? "never" : 2));
      const { cluster, outcomes, mostDown } = await rollServers(count, starts, chooser(stream));
      expect(mostDown).toBe(1);
      expect(outcomes.filter((outcome) => outcome === "late")).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === "unknown")).toEqual([]);
      expect(cluster.stored("consul-cdktf/replacing")).toBe(`s${(broken % count) + 1}`);
    }),
    { numRuns: 25 },
  );
});

test("no server is stopped while one hangs without which there would be no quorum, though nobody has lost that one yet", async () => {
  await fc.assert(
    fc.asyncProperty(
      choices,
      fc.nat({ max: 1999 }),
      fc.nat({ max: 15_000 }),
      fc.nat({ max: 2 }),
      async (stream, autopilotFrom, hangs, hanging) => {
        const simulation = new Simulation(chooser(stream));
        const cluster = new SimulatedCluster(simulation);
        cluster.autopilotFrom = autopilotFrom;
        simulation.at(hangs / 1000, () => {
          cluster.server(`s${hanging + 1}`).hangs = hangs;
        });
        const stops: [by: string, at: number][] = [];
        const stopOne = async (name: string): Promise<void> => {
          const stop = { owner: name, node: name, purpose: "replace", servers: 3, stage: "strict" } as const;
          const asked = {
            api: cluster.api(name),
            isOwn: true,
            connects: cluster.connects,
          };
          const check = preStopServer({ ...stop, seconds: 5 }, asked, simulation.clock, silent);
          const { kind } = await check;
          // As its claim does; here nobody had it before.
          if (kind !== "allow") return void (await releaseLock(cluster.api(name), { owner: name }));
          stops.push([name, simulation.clock.now()]);
          // Its replacement.
          await simulation.clock.sleep(2000);
          await releaseLock(cluster.api(name), { owner: name });
        };
        for (let round = 0; round < 3; round++)
          await simulation.until(Promise.all(cluster.servers.map(({ name }) => stopOne(name))));
        const late = stops.filter(([name, at]) => name !== `s${hanging + 1}` && at > hangs + 2500);
        expect(late).toEqual([]);
        expect(stops.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 25 },
  );
});

test("never more client agents than allowed are stopped, and all are replaced", async () => {
  await fc.assert(
    fc.asyncProperty(
      choices,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 3 }),
      async (stream, count, limit) => {
        const simulation = new Simulation(chooser(stream));
        const cluster = new SimulatedCluster(simulation);
        for (let at = 1; at <= count; at++) cluster.clients.push({ name: `c${at}`, status: "alive" });
        let down = 0;
        let mostDown = 0;
        const replace = async (name: string): Promise<string> => {
          const stop = { owner: name, node: name, purpose: "replace", limit, stage: "strict", seconds: 600 } as const;
          const outcome = await preStopClient(stop, cluster.api(name), simulation.clock, silent);
          if (outcome.kind !== "allow") return outcome.kind;
          down += 1;
          mostDown = Math.max(mostDown, down);
          await simulation.clock.sleep(3000);
          down -= 1;
          const check = { owner: name, role: "client", node: name, expect: 3, seconds: SECONDS } as const;
          return (await readiness(check, started(cluster, name), simulation.clock, silent)).kind;
        };
        const outcomes = await simulation.until(Promise.all(cluster.clients.map(({ name }) => replace(name))));
        expect(outcomes).toEqual(Array(count).fill("ready"));
        expect([mostDown <= limit, cluster.keys()]).toEqual([true, []]);
      },
    ),
    { numRuns: 25 },
  );
});
