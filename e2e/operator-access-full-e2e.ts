import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./consul";
import { documented } from "./documented";
import { PAYMENTS } from "./payments";
import { Project } from "./project";
import type { CommandResult, RunningCommand } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

/** The commands of the page, at the test bed's address of node1. */
const [TUNNEL, REQUEST, CLI, HTTPS] = documented("docs/secrets.md", "sh", "## Using the API, the CLI and the UI").map(
  (block) => block.replaceAll("10.0.0.11", "172.16.8.120"),
) as [string, string, string, string];

describe("a secured cluster with the default client_addr: the commands of docs/secrets.md", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/payments.yaml");
  const sh = (commands: string, check = true): Promise<CommandResult> =>
    project.run("sh", ["-euc", commands], { check });
  const deploy = async (settings: object = {}) => {
    const file = {
      ...PAYMENTS,
      daemon: "ssh://root@{address}",
      hosts: { node1: "172.16.8.120", node2: "172.16.8.121", node3: "172.16.8.122", web1: "172.16.8.110" },
      servers: [{ name: "node1", ...settings }, "node2", "node3"],
      clients: ["web1"],
    };
    writeFileSync(join(project.folder, project.clusterFile), JSON.stringify(file));
    await project.run("npm", ["run", "-s", "secrets", "--", "init"]);
    await project.deploy();
  };
  let tunnel: RunningCommand | undefined;

  beforeAll(async () => {
    await testBed.reset();
    await deploy();
  });
  afterAll(async () => {
    tunnel?.killAll();
    await project.destroy();
    project.remove();
  });

  test("the API is closed to the network", async () => {
    expect((await sh(HTTPS, false)).exitCode).not.toBe(0);
  });

  test("through an ssh tunnel the API accepts the operator's token, and serves the UI", async () => {
    tunnel = testBed.operator.spawn("sh", ["-c", `exec ${TUNNEL.trim()}`]);
    await eventually(async () => {
      const nodes: { readonly Node: string }[] = JSON.parse((await sh(REQUEST)).stdout);
      expect(nodes.map(({ Node }) => Node).sort()).toEqual(["node1", "node2", "node3", "web1"]);
    });
    expect((await sh("curl -fsS http://127.0.0.1:8500/ui/")).stdout).toMatch(/<title>.*Consul/);
  });

  test("the CLI in a server's container may read, and with the management token it may write", async () => {
    const inContainer = (...args: string[]) =>
      testBed.host("consul-server1").dockerWith({ check: false }, "exec", "node1", "consul", ...args);
    expect((await inContainer("members")).stdout.match(/alive/g)).toHaveLength(4);
    expect((await inContainer("kv", "get", "shop")).stderr).toContain("Permission denied");
    expect((await sh(CLI)).stdout.match(/\btrue\b/g)).toHaveLength(3);
  });

  test("a server whose client_addr is open serves HTTPS to the operator's certificate", async () => {
    await deploy({ client_addr: "0.0.0.0" });
    expect(JSON.parse((await sh(HTTPS)).stdout)).toHaveLength(4);
  });
});
