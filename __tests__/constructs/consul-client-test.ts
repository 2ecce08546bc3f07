import { TerraformStack } from "cdktf";
import { ConsulClient } from "../../constructs/consul-client";
import { ConsulServer } from "../../constructs/consul-server";
import { DockerHost } from "../../constructs/docker-host";
import { agentConfigOf, containerOf, flagValues, requestOf, synthesize } from "../synthesized";

/** A server and a client agent in a user's own stack, without a cluster file. */
function pair(serverPort?: number, clientPort?: number) {
  return synthesize((app) => {
    const stack = new TerraformStack(app, "mine");
    const daemon = "ssh://root@{address}";
    const server = new ConsulServer(stack, "server", {
      host: new DockerHost(stack, "h1", { address: "10.0.0.1", daemon }),
      bootstrapExpect: 1,
      ports: serverPort === undefined ? {} : { serfLan: serverPort },
    });
    new ConsulClient(stack, "client", {
      host: new DockerHost(stack, "h2", { address: "10.0.0.2", daemon }),
      join: [server],
      ports: clientPort === undefined ? {} : { serfLan: clientPort },
    });
  });
}

describe("a client joins a server by its joinAddress", () => {
  test.each([
    ["both on Consul's port", undefined, undefined, "10.0.0.1"],
    ["the server on a port of its own", 9301, undefined, "10.0.0.1:9301"],
    ["the client on a port of its own", undefined, 9301, "10.0.0.1:8301"],
    ["both on one port of their own: without a port, Consul takes the joiner's", 9301, 9301, "10.0.0.1"],
    ["each on a port of its own", 9301, 9302, "10.0.0.1:9301"],
  ])("%s", (_, serverPort, clientPort, join) => {
    expect(flagValues(containerOf(pair(serverPort, clientPort), "client"), "-retry-join")).toEqual([join]);
  });
});

test("a client agent is no server, and has no bootstrap_expect", () => {
  const { command } = containerOf(pair(), "client");
  expect(command.filter((word) => /^-(server|bootstrap)/.test(word))).toEqual([]);
});

test("a client agent that is replaced keeps its registrations, because it does not leave and its data is on a volume", () => {
  const container = containerOf(pair(), "client");
  expect(agentConfigOf(container).leave_on_terminate).toBe(false);
  expect(container.volumes).toEqual([
    { container_path: "/consul/data", volume_name: "client-data" },
    { container_path: "/consul/declared", volume_name: "client-declared" },
  ]);
});

test("a client agent is ready when it knows a leader, after each start", () => {
  const { stacks } = pair();
  expect(requestOf("readiness", stacks.mine?.resource.terraform_data.client)).toEqual({
    step: "readiness",
    target: { daemon: "ssh://root@10.0.0.2", container: "client" },
    owner: "client",
    role: "client",
    node: "client",
    expect: 1,
    seconds: 120,
  });
});

test("further servers can be added, until the app is synthesized", () => {
  const { stacks } = synthesize((app) => {
    const stack = new TerraformStack(app, "mine");
    const host = (name: string, address: string) =>
      new DockerHost(stack, name, { address, daemon: "ssh://root@{address}" });
    const client = new ConsulClient(stack, "client", { host: host("h2", "10.0.0.2") });
    const server = new ConsulServer(stack, "server", { host: host("h1", "10.0.0.1"), bootstrapExpect: 1 });
    client.addJoin(server);
  });
  expect(stacks.mine?.resource.docker_container.client?.command).toContain("-retry-join=10.0.0.1");
});
