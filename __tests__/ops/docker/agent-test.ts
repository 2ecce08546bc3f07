import type { AgentDescription } from "../../../cluster/model";
import { withAgent } from "../../../ops/docker/agent";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { api, ContainerStandIn } from "../../rollout/container-stand-in";

const described = load(FOUR_HOSTS).agents.find(({ name }) => name === "s1") as AgentDescription;
const LEADER = { method: "GET", path: "/v1/status/leader" } as const;
const { PATH } = process.env;
let container: ContainerStandIn;
let agent: AgentDescription;

beforeEach(async () => {
  container = new ContainerStandIn({ "rollout.header": "X-Consul-Token: own" });
  process.env.PATH = container.path;
  process.env.DOCKER_HOST = "tcp://elsewhere";
  const local = await api(({ headers }, response) => response.end(headers["x-consul-token"]));
  agent = { ...described, endpoints: { ...described.endpoints, local } };
});
afterEach(() => {
  process.env.PATH = PATH;
  delete process.env.DOCKER_HOST;
});

test("an agent answers at the address that the cluster file gives it, with its own token", async () => {
  expect(await withAgent(agent, ({ api }) => api.send(LEADER))).toMatchObject({ status: 200, body: "own" });
  expect(container.calls()).toEqual([expect.stringMatching(/^-H ssh:\/\/root@10\.0\.0\.1 exec -i s1 \/bin\/sh -c /)]);
});

test("an agent answers in a container of another name, and by a daemon with certificates", async () => {
  const host = { ...agent.host, daemon: { kind: "tls", url: "tcp://h:2376", certs: "/certs" } } as const;
  await withAgent({ ...agent, host }, ({ api }) => api.send(LEADER), { container: "by-hand" });
  expect(container.calls()[0]).toMatch(/^-H tcp:\/\/h:2376 --tlsverify --tlscacert=\/certs\/ca\.pem .* by-hand /);
});

test("the variables that would redirect the docker CLI do not reach it", async () => {
  container.program("docker", `#!/bin/sh\necho "DOCKER_HOST=$DOCKER_HOST" >&2\nexit 1`);
  await expect(withAgent(agent, ({ api }) => api.send(LEADER))).rejects.toThrow(/^DOCKER_HOST=$/);
});

test("no docker CLI is left, whether the work succeeds or fails", async () => {
  await withAgent(agent, ({ api }) => api.send(LEADER));
  const failing = withAgent(agent, async ({ api }) => {
    await api.send(LEADER);
    throw new Error("failed");
  });
  await expect(failing).rejects.toThrow("failed");
  expect(container.processes()).toEqual({ started: 2, running: 0 });
});
