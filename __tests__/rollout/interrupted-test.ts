import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEPLOY_VARIABLE } from "../../consul/contract";
import { decommission } from "../../rollout/decommission";
import { deployFileText } from "../../rollout/deploy-file";
import type { Outcome } from "../../rollout/outcome";
import { preStop } from "../../rollout/pre-stop";
import type { ReplaceRequest } from "../../rollout/request";
import { whenAllowed } from "../../rollout/stop-check";
import { folder } from "../cluster-files";
import { FakeDocker } from "./docker-fake";
import { SimulatedCluster, Simulation } from "./simulation";
import { STOP_OF_SERVER, stopTools } from "./stop-tools";

const LOCK = "consul-cdktf/replacing";
const next = { image: "consul:next", config: {}, network: "host", stage: "strict" } as const;
const REPLACE: ReplaceRequest = { step: "pre-stop", next, ...STOP_OF_SERVER };
const CLIENT: ReplaceRequest = { ...REPLACE, role: "client", owner: "c1", node: "c1", limit: 1 };
const INTERRUPTED = { kind: "deny", reason: "the deploy was interrupted" };

/** A deploy that may be interrupted, and a check in it. */
function deploying() {
  const cluster = new SimulatedCluster(new Simulation());
  cluster.clients.push({ name: "c1", status: "alive" });
  const file = join(folder(), "deploying");
  writeFileSync(file, deployFileText(1));
  const docker = new FakeDocker(() => "running sha256:a");
  const made = stopTools(cluster, docker, { [DEPLOY_VARIABLE]: file });
  return { ...made, cluster, docker, interrupt: () => rmSync(file, { force: true }) };
}

test.each([
  ["is to be replaced", preStop, REPLACE],
  ["leaves", decommission, { ...STOP_OF_SERVER, step: "decommission" }],
])("an agent that %s is not touched after an interruption, even with consent", async (_, check, request) => {
  const { cluster, tools, docker, interrupt } = deploying();
  interrupt();
  const consent = { quorumLoss: true, downgrade: false };
  const outcome = await cluster.simulation.until(check(request as never, consent, tools as never) as Promise<Outcome>);
  expect(outcome).toMatchObject(INTERRUPTED);
  expect([docker.calls, cluster.requests]).toEqual([[], []]);
});

test.each([
  ["an agent whose container is down", "exited sha256:a", 1],
  ["an agent that runs", "running sha256:a", 1],
])(
  "%s is not touched, and nothing else is tried, if the deploy is interrupted while its check begins",
  async (_, state, calls) => {
    const { cluster, tools, docker, interrupt } = deploying();
    docker.answer = () => {
      interrupt();
      return state;
    };
    const outcome = preStop(REPLACE, { quorumLoss: false, downgrade: false }, tools);
    expect(await cluster.simulation.until(outcome)).toMatchObject(INTERRUPTED);
    expect([docker.calls.length, cluster.requests]).toEqual([calls, []]);
  },
);

test("nor is one whose container is found to be down while the deploy is interrupted", async () => {
  const { cluster, tools, docker, interrupt } = deploying();
  docker.answer = (line, calls) => {
    if (calls === 3) interrupt();
    if (!line.startsWith("container inspect")) return "sha256:b";
    return calls === 1 ? "running sha256:a" : "exited sha256:a";
  };
  const outcome = preStop(REPLACE, { quorumLoss: false, downgrade: false }, tools);
  expect(await cluster.simulation.until(outcome)).toMatchObject(INTERRUPTED);
});

test("a check that comes after an interruption does not queue", async () => {
  const { cluster, tools, interrupt } = deploying();
  interrupt();
  const stop = jest.fn();
  expect(await cluster.simulation.until(whenAllowed(REPLACE, tools, stop))).toMatchObject(INTERRUPTED);
  expect([stop.mock.calls, cluster.requests]).toEqual([[], []]);
});

test.each([
  ["server", REPLACE],
  ["client agent", CLIENT],
])("the check of a %s that waits for another one is denied, and has acquired nothing", async (_, request) => {
  const { cluster, tools, interrupt } = deploying();
  cluster.store(LOCK, "s9");
  cluster.simulation.at(10, interrupt);
  expect(await cluster.simulation.until(whenAllowed(request, tools, jest.fn()))).toMatchObject(INTERRUPTED);
  expect(cluster.simulation.seconds).toBeLessThan(12);
  expect(cluster.keys()).toEqual([LOCK]);
  expect(cluster.stored(LOCK)).toBe("s9");
});

test("a check in a queue is denied without waiting for those ahead of it", async () => {
  const { cluster, tools, queue, interrupt } = deploying();
  queue.files.add("1.5.start.abc");
  cluster.simulation.at(10, interrupt);
  expect(await cluster.simulation.until(whenAllowed(REPLACE, tools, jest.fn()))).toMatchObject(INTERRUPTED);
  expect(cluster.simulation.seconds).toBeLessThan(12);
});

test("what an interrupted check has acquired is released, also if it was just allowed", async () => {
  const { cluster, tools, interrupt } = deploying();
  const stop = jest.fn();
  const ask: typeof tools.ask = async (decide) => {
    const outcome = await tools.ask(decide);
    interrupt();
    return outcome;
  };
  expect(await cluster.simulation.until(whenAllowed(REPLACE, { ...tools, ask }, stop))).toMatchObject(INTERRUPTED);
  expect([stop.mock.calls, cluster.keys()]).toEqual([[], []]);
});
