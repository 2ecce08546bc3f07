import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { eventually } from "./consul";
import { CONSUL_IN } from "./documented";
import { Page } from "./page";
import { FOUR, HOSTS, paymentsFile, THREE } from "./payments";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

const AFTERWARDS = ["node1", "node2", "node4"];

describe("a host has failed permanently: docs/failed-host.md, on a secured cluster with its API on loopback", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/payments.yaml");
  const page = Page.open("docs/failed-host.md", project, { "10.0.0.11": HOSTS.node1 });
  const failed = () => testBed.host("consul-server3");
  const removePeer = () => page.commands("### 2. ")[1] as string;

  /** Writes the cluster file. @param hosts that it has beside the client agent's */
  function write(servers: ClusterFile["servers"], hosts: readonly string[], joined: readonly string[] = THREE): void {
    // By itself, autopilot removes the failed server before anybody can do so by hand.
    const autopilot = { cleanup_dead_servers: false };
    const file = paymentsFile(servers, hosts, { join: [...joined], autopilot });
    writeFileSync(join(project.folder, project.clusterFile), JSON.stringify(file));
  }
  const peers = async (): Promise<string[]> => {
    const [list = ""] = page.commands("### 2. ");
    const [, ...lines] = (await page.type(list)).trim().split("\n");
    return lines.map((line) => line.split(/\s+/)[0] as string).sort();
  };
  const expectPeers = (servers: readonly string[]) =>
    eventually(async () => expect(await peers()).toEqual(servers), 60);
  async function deploy(): Promise<void> {
    await project.run("npm", ["run", "-s", "secrets", "--", "init"]);
    await project.npmDeploy();
  }

  beforeAll(async () => {
    await testBed.reset();
    await testBed.addHost("consul-server4", HOSTS.node4);
    write(THREE, THREE);
    await deploy();
    await failed().powerOff();
  });
  afterAll(async () => {
    await testBed.addHost("consul-server3", HOSTS.node3);
    await testBed.reset();
    await testBed.removeHost("consul-server4");
    project.remove();
  });

  test("what is seen: the host is unreachable, gossip has its server as failed, and a deploy names its option", async () => {
    await eventually(async () => {
      const shown = await page.follow("## Check", { check: false });
      expect(shown).toContain("node3: its Docker daemon is unreachable");
      expect(shown).toMatch(/^node3 +172\.16\.8\.122:8301 +failed +server .*host unreachable/m);
    }, 60);
    const { exitCode, stdout, stderr } = await project.npmDeploy({ check: false });
    expect(exitCode).toBe(1);
    expect(stdout + stderr).toContain("--without node3");
  });

  test("step 1: a new server is added without the failed host", async () => {
    write(FOUR, FOUR);
    await page.follow("### 1. ");
    await expectPeers(FOUR);
  });

  test("undo before step 3: the host comes back, a deploy completes it, and the new server is decommissioned", async () => {
    await failed().ensureUp();
    await page.type(page.inSentences("## Undo", "npm run deploy"));
    write([...THREE, { name: "node4", decommission: true }], FOUR);
    await deploy();
    await expectPeers(THREE);
    // Its host's line stays until Terraform has removed what it had there.
    write(THREE, FOUR);
    await deploy();
    write(THREE, THREE);
    const shown = await page.follow("## Verification");
    expect(shown).toContain("nothing is wrong");
    expect(shown).toContain("nothing to do");
  });

  test("step 2: the failed server is removed from Raft and gossip, in a container with the management token", async () => {
    await testBed.host("consul-server4").docker("volume", "rm", "node4-data", "node4-declared");
    await testBed.removeHost("consul-server3");
    write(FOUR, FOUR);
    await page.follow("### 1. ");
    await expectPeers(FOUR);
    const denied = await testBed
      .host("consul-server1")
      .dockerWith({ check: false }, "exec", "node1", "consul", "force-leave", "-prune", "node3");
    expect(denied.exitCode).not.toBe(0);
    await page.type(CONSUL_IN + removePeer());
    expect(await peers()).toEqual(AFTERWARDS);
    await eventually(async () => {
      const { stdout } = await testBed.host("consul-server1").docker("exec", "node1", "consul", "members");
      expect(stdout).not.toContain("node3");
    });
  });

  test("step 3: its resources are removed from the Terraform state", async () => {
    expect(await page.follow("### 3. ")).toMatch(/Successfully removed [1-9]/);
  });

  test("step 4: its lines are deleted, and a deploy is rejected no more", async () => {
    write(AFTERWARDS, AFTERWARDS, AFTERWARDS);
    await page.follow("### 4. ");
    expect(await peers()).toEqual(AFTERWARDS);
    const shown = await page.follow("## Verification");
    expect(shown).toContain("nothing is wrong");
    expect(shown).toContain("nothing to do");
    expect(page.untyped).toEqual([]);
  });
});
