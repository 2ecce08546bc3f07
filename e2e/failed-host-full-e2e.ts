import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { eventually } from "./consul";
import { CONSUL_IN, documented } from "./documented";
import { Project } from "./project";
import { typeAtTerminal } from "./terminal";
import { TestBed } from "./test-bed/test-bed";

/** The page's names, at the test bed's addresses. */
const HOSTS = {
  node1: "172.16.8.120",
  node2: "172.16.8.121",
  node3: "172.16.8.122",
  node4: "172.16.8.123",
  web1: "172.16.8.110",
};
const BLOCKS = documented("docs/failed-host.md", "sh", "## Steps").map((block) =>
  block.replaceAll("10.0.0.11", HOSTS.node1),
);
const [ADD, PEERS, REMOVE_PEER, LIST_STATE, REMOVE_STATE, DEPLOY] = BLOCKS as [
  string,
  string,
  string,
  string,
  string,
  string,
];

describe("a host has failed permanently: docs/failed-host.md, on a secured cluster with its API on loopback", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/payments.yaml");

  /** Writes the cluster file. @param gone hosts that it no longer has */
  function write(servers: readonly string[], joins: readonly string[], gone: readonly string[] = []): void {
    const file: ClusterFile = {
      name: "payments",
      daemon: "ssh://root@{address}",
      hosts: Object.fromEntries(Object.entries(HOSTS).filter(([name]) => !gone.includes(name))),
      servers: [...servers],
      clients: ["web1"],
      join: [...joins],
      // By itself, autopilot removes the failed server before anybody can do so by hand.
      autopilot: { cleanup_dead_servers: false },
    };
    writeFileSync(join(project.folder, project.clusterFile), JSON.stringify(file));
  }
  const shell = (script: string) => project.run("sh", ["-euc", script]);
  const peers = async (): Promise<string[]> => {
    const [, ...lines] = (await shell(PEERS)).stdout.trim().split("\n");
    return lines.map((line) => line.split(/\s+/)[0] as string).sort();
  };

  beforeAll(async () => {
    await testBed.reset();
    await testBed.addHost("consul-server4", HOSTS.node4);
    write(["node1", "node2", "node3"], ["node1", "node2", "node3"], ["node4"]);
    await project.run("npm", ["run", "-s", "secrets", "--", "init"]);
    await project.deploy();
    await testBed.removeHost("consul-server3");
  });
  afterAll(async () => {
    await testBed.addHost("consul-server3", HOSTS.node3);
    await testBed.reset();
    await testBed.removeHost("consul-server4");
    project.remove();
  });

  test("a new server is added without the failed host", async () => {
    write(["node1", "node2", "node3", "node4"], ["node1", "node2", "node3"]);
    const { stdout } = await typeAtTerminal(project, ADD);
    expect(stdout).toContain("node3");
    await eventually(async () => expect(await peers()).toEqual(["node1", "node2", "node3", "node4"]));
  });

  test("the failed server is removed from Raft and gossip, in a container with the management token", async () => {
    const denied = await testBed
      .host("consul-server1")
      .dockerWith({ check: false }, "exec", "node1", "consul", "force-leave", "-prune", "node3");
    expect(denied.exitCode).not.toBe(0);
    await shell(CONSUL_IN + REMOVE_PEER);
    expect(await peers()).toEqual(["node1", "node2", "node4"]);
    await eventually(async () => {
      const { stdout } = await testBed.host("consul-server1").docker("exec", "node1", "consul", "members");
      expect(stdout).not.toContain("node3");
    });
  });

  test("its resources are removed from the Terraform state", async () => {
    const { stdout } = await shell(LIST_STATE + REMOVE_STATE);
    expect(stdout).toMatch(/^docker_container\.node3$/m);
    expect(stdout).toMatch(/Successfully removed [1-9]/);
  });

  test("its lines are deleted, and a deploy is rejected no more; then the plan is empty", async () => {
    write(["node1", "node2", "node4"], ["node1", "node2", "node4"], ["node3"]);
    await typeAtTerminal(project, DEPLOY);
    expect(await peers()).toEqual(["node1", "node2", "node4"]);
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
  });
});
