import fc from "fast-check";
import { KV } from "../../consul/contract";
import { DockerInTurn, MOST_BEGINNINGS } from "../../rollout/docker-in-turn";
import { TerraformRun } from "../../rollout/parallelism";
import { preStop } from "../../rollout/pre-stop";
import type { Processes } from "../../rollout/processes";
import { Queue } from "../../rollout/queue";
import { readiness } from "../../rollout/readiness";
import type { ReplaceRequest, Role } from "../../rollout/request";
import { checksAtOnce } from "../../rollout/stop-check";
import { folder } from "../cluster-files";
import { FakeDocker } from "./docker-fake";
import { SimulatedCluster, Simulation } from "./simulation";
import { asking, memoryFolder } from "./stop-tools";

const PROCESSES: Processes = { commandLine: () => "-parallelism=100", isAlive: () => true, startOf: () => "" };
const SECONDS = 60;
const silent = (): void => undefined;
afterEach(() => jest.restoreAllMocks());

const requestOf = (role: Role, name: string, maxParallelClients: number): ReplaceRequest => ({
  step: "pre-stop",
  target: { daemon: "ssh://root@10.0.0.1", container: name },
  role,
  owner: name,
  node: name,
  servers: [],
  limit: role === "server" ? 3 : maxParallelClients,
  seconds: SECONDS,
  next: { image: "consul:next", config: {}, network: "host", stage: "strict" },
});

/**
 * One run of Terraform that replaces three servers and some client agents, whose checks all come at once.
 * @param broken agents whose next container does not become ready
 * @param limit how many client agents may be replaced at a time
 * @param held agents that hold the deploy lock or a rollout slot since a deploy that was killed
 */
async function roll(
  clients: number,
  choose: (count: number) => number,
  { broken = [], limit = 1, held = [] }: { broken?: readonly string[]; limit?: number; held?: readonly string[] },
) {
  const simulation = new Simulation(choose);
  const { clock } = simulation;
  jest.spyOn(Date, "now").mockImplementation(() => clock.now());
  const cluster = new SimulatedCluster(simulation);
  for (let at = 1; at <= clients; at++) cluster.clients.push({ name: `c${at}`, status: "alive" });
  for (const name of held) cluster.store(name.startsWith("s") ? KV.lock : KV.slots + name, name);
  const queues = { server: memoryFolder(), client: memoryFolder(), docker: memoryFolder() };
  const data = folder();
  const asks = { server: 0, client: 0 };
  const mostAsks = { server: 0, client: 0 };
  const stopped = { server: 0, client: 0 };
  const mostStopped = { server: 0, client: 0 };

  const replace = async (role: Role, name: string, pid: number): Promise<string> => {
    const docker = new FakeDocker((line) => {
      if (line.startsWith("container inspect")) return "running sha256:a";
      return line.startsWith("run ") ? "Consul v1.22.2\naccepted\n" : "sha256:a";
    });
    const others = cluster.servers.map((server) => server.name).filter((server) => server !== name);
    const ask = asking(cluster, [name, ...others], name);
    const request = requestOf(role, name, limit);
    const outcome = await preStop(
      request,
      { quorumLoss: false, downgrade: false },
      {
        docker,
        dockerInTurn: new DockerInTurn(docker, new Queue(queues.docker, PROCESSES, pid, MOST_BEGINNINGS), clock),
        ask: async (decide) => {
          asks[role] += 1;
          mostAsks[role] = Math.max(mostAsks[role], asks[role]);
          const answer = await ask(decide);
          asks[role] -= 1;
          return answer;
        },
        run: new TerraformRun(100, { TF_DATA_DIR: data }, PROCESSES, pid),
        queue: new Queue(queues[role], PROCESSES, pid, checksAtOnce(request)),
        clock,
        log: silent,
      },
    );
    if (outcome.kind !== "allow") return outcome.kind;
    const server = role === "server" ? cluster.server(name) : undefined;
    if (server) Object.assign(server, { up: false, healthy: false, status: "failed" });
    if (broken.includes(name)) return "broken";
    stopped[role] += 1;
    mostStopped[role] = Math.max(mostStopped[role], stopped[role]);
    await clock.sleep(3000);
    stopped[role] -= 1;
    if (server) Object.assign(server, { up: true, healthy: true, status: "alive" });
    const agent = {
      api: cluster.api(name),
      isSecured: async () => false,
      wasReady: async () => true,
      markReady: async () => undefined,
      tokenStatus: async () => 0,
    };
    return (await readiness({ ...request, expect: 3 }, agent, clock, silent)).kind;
  };
  const servers = cluster.servers.map(({ name }, at) => replace("server", name, at + 1));
  const agents = cluster.clients.map(({ name }, at) => replace("client", name, at + 11));
  const outcomes = await simulation.until(Promise.all([...servers, ...agents]), 3600);
  return { outcomes, mostAsks, mostStopped, seconds: simulation.seconds };
}

const choices = fc.infiniteStream(fc.nat({ max: 1_000_000 }));
const chooser = (stream: Iterator<number>) => (count: number) => (stream.next().value as number) % count;

test("all agents of a run are replaced: one server, and as many client agents as may be, at a time", async () => {
  const limits = fc.constantFrom(1, 2, 3);
  await fc.assert(
    fc.asyncProperty(choices, fc.integer({ min: 0, max: 6 }), limits, async (stream, clients, limit) => {
      const { outcomes, mostAsks, mostStopped } = await roll(clients, chooser(stream), { limit });
      expect(outcomes).toEqual(Array(3 + clients).fill("ready"));
      const most = { server: 1, client: Math.min(clients, limit) };
      expect(mostAsks).toEqual(most);
      expect(mostStopped).toEqual(most);
    }),
    { numRuns: 12 },
  );
});

test("the run after a killed one replaces all agents: whoever holds the lock or a slot since then need not queue", async () => {
  const names = ["s1", "s2", "s3", "c1", "c2", "c3", "c4", "c5", "c6"];
  const limits = fc.constantFrom(1, 2, 3);
  await fc.assert(
    fc.asyncProperty(choices, fc.subarray(names), limits, async (stream, chosen, limit) => {
      const servers = chosen.filter((name) => name.startsWith("s"));
      const clients = chosen.filter((name) => name.startsWith("c"));
      const held = [...servers.slice(0, 1), ...clients.slice(0, limit)];
      const { outcomes, mostStopped, seconds } = await roll(6, chooser(stream), { limit, held });
      expect(outcomes).toEqual(Array(9).fill("ready"));
      expect(mostStopped).toEqual({ server: 1, client: limit });
      // Nobody's patience came to its end.
      expect(seconds).toBeLessThan(120);
    }),
    { numRuns: 12 },
  );
});

test("of client agents, at most eight checks ask the cluster at a time, whatever the limit", () => {
  expect([1, 8, 100].map((limit) => checksAtOnce({ role: "client", limit }))).toEqual([1, 8, 8]);
});

test("an agent that does not become ready stops the run of its role, as soon for a long queue as for a short one", async () => {
  const patience = 2 * SECONDS + 30;
  await fc.assert(
    fc.asyncProperty(choices, fc.constantFrom(3, 12), async (stream, clients) => {
      const names = Array.from({ length: clients }, (_, at) => `c${at + 1}`);
      const { outcomes, seconds } = await roll(clients, chooser(stream), { broken: names });
      expect(outcomes.slice(0, 3)).toEqual(["ready", "ready", "ready"]);
      expect(outcomes.slice(3).sort()).toEqual(["broken", ...Array(clients - 1).fill("deny")]);
      // Three servers first; then one patience for all, and some seconds for each check to look for itself.
      expect(seconds).toBeLessThan(60 + patience + 5 * clients);
    }),
    { numRuns: 3 },
  );
});
