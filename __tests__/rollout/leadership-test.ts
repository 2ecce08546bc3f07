import type { Authority, ConsulApi, ConsulRequest } from "../../rollout/consul-api";
import { transferLeadership } from "../../rollout/leadership";
import { SimulatedCluster, Simulation } from "./simulation";

const TRANSFER = "POST /v1/operator/raft/transfer-leader";

/** A cluster whose leader, s1, transfers its leadership as a test says. */
async function transferred(prepare: (cluster: SimulatedCluster) => void, authority?: Authority) {
  const cluster = new SimulatedCluster(new Simulation());
  prepare(cluster);
  const sent: ConsulRequest[] = [];
  const api = cluster.api("s2");
  const recording: ConsulApi = {
    send: (request) => {
      sent.push(request);
      return api.send(request);
    },
  };
  const { simulation } = cluster;
  const result = await simulation.until(transferLeadership(recording, simulation.clock, authority));
  return { result, sent, cluster };
}
const LEADER = /status\/leader/;
const leads = (cluster: SimulatedCluster, address: string) =>
  cluster.exceptions.set(LEADER, { status: 200, body: JSON.stringify(address) });

test("it waits until another server leads, though there is no leader at first", async () => {
  const { result, cluster } = await transferred((cluster) => {
    cluster.simulation.at(0.3, () => leads(cluster, ""));
    cluster.simulation.at(1, () => leads(cluster, "10.0.0.2:8300"));
  });
  expect(result).toBe(true);
  expect(cluster.simulation.seconds).toBeCloseTo(1, 0);
});

test("a transfer without an answer may have happened", async () => {
  const { result } = await transferred((cluster) => {
    cluster.exceptions.set(/transfer-leader/, "none");
    cluster.simulation.at(1, () => leads(cluster, "10.0.0.2:8300"));
  });
  expect(result).toBe(true);
});

test("a leader that keeps its leadership is waited for as long as an election takes", async () => {
  const { result, cluster } = await transferred(() => undefined);
  expect([result, cluster.simulation.seconds]).toEqual([false, 8]);
});

test.each<[string, (cluster: SimulatedCluster) => void]>([
  ["that does not know the operation", ({ exceptions }) => exceptions.set(/transfer-leader/, { status: 404 })],
  ["that is nobody's yet", (cluster) => leads(cluster, "")],
])("a leadership %s is not waited for", async (_, prepare) => {
  const { result, cluster } = await transferred(prepare);
  expect([result, cluster.simulation.seconds, cluster.requests.at(-1)]).toEqual([false, 0, TRANSFER]);
});

test("the operation can be asked for by the management token", async () => {
  const { sent } = await transferred(
    (cluster) => cluster.exceptions.set(/transfer-leader/, { status: 500 }),
    "management",
  );
  expect(sent.at(-1)).toEqual({
    method: "POST",
    path: "/v1/operator/raft/transfer-leader",
    authority: "management",
    waitSeconds: 5,
  });
});
