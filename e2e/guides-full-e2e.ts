import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { eventually } from "./consul";
import { LoopbackHttp } from "./loopback-http";
import { Page } from "./page";
import { FOUR, HOSTS, MACHINES, PAYMENTS, paymentsFile, THREE } from "./payments";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

const EXAMPLE = "2026-11-25T010516Z.snap";

describe("the commands of the guides, on a secured cluster with scheduled backups", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/payments.yaml");
  const machine = (host: string) => testBed.host(MACHINES[host] as string);
  const web1 = new LoopbackHttp(machine("web1"), "web1", project.operatorHeader(PAYMENTS));
  const open = (page: string, here: Readonly<Record<string, string>> = {}) =>
    Page.open(page, project, { "10.0.0.11": HOSTS.node1, ...here });
  const get = (key: string): Promise<string> => web1.get(`/v1/kv/load/${key}?raw`);

  function write(servers: ClusterFile["servers"], hosts: readonly string[], more: Partial<ClusterFile> = {}): void {
    const file = paymentsFile(servers, hosts, { ready_timeout: 60, backups: { every: "10s", keep: 4 }, ...more });
    writeFileSync(join(project.folder, project.clusterFile), JSON.stringify(file));
  }

  beforeAll(async () => {
    await testBed.reset();
    await testBed.addHost("consul-server4", HOSTS.node4);
    write(THREE, THREE);
    await open("docs/membership.md").follow("## More servers", { edit: () => undefined });
    await web1.put("/v1/kv/load/key", "before");
  });
  afterAll(async () => {
    await testBed.reset();
    await testBed.removeHost("consul-server4");
    project.remove();
  });

  test("docs/status.md, docs/architecture.md, docs/recovery.md, docs/second-operator.md", async () => {
    const status = open("docs/status.md", { "consul-server*": "node*" });
    const [all = "", some = ""] = status.commands("# ").concat(status.commands("## Logs"));
    for (const command of [...all.trim().split("\n"), ...some.trim().split("\n")]) {
      const follows = command.startsWith("npm run logs") && !command.includes("--no-follow");
      const shown = await status.type(follows ? `timeout --signal=INT 8 ${command} || [ $? = 124 ]` : command);
      if (command.startsWith("npm run logs")) expect(shown).toMatch(/node[123]/);
    }
    expect(readdirSync(project.folder)).toContain("now.svg");
    const [list = ""] = open("docs/architecture.md").commands("## What is on a host");
    const { stdout } = await machine("node1").run("sh", ["-euc", list]);
    expect(stdout).toMatch(/ node1\n/);
    expect(stdout).toContain("node1-data");
    const recovery = open("docs/recovery.md");
    expect(await recovery.follow("# ")).toMatch(/nothing is wrong.*nothing is wrong/s);
    const shown = await open("docs/second-operator.md").follow("## What an operator needs");
    expect(shown).toContain("nothing to do");
    expect(shown).toMatch(/^healthy$/m);
  });

  test("docs/backups.md: by hand, and on a schedule", async () => {
    await open("docs/backups.md").type("npm run backup");
    const [snapshot = ""] = readdirSync(project.privatePath(PAYMENTS, "backups/payments"));
    await web1.put("/v1/kv/load/key", "after");
    const shown = await open("docs/backups.md", { [EXAMPLE]: snapshot }).follow("# ");
    expect(shown).toContain(snapshot);
    expect(await get("key")).toBe("before");
    const [scheduled, server] = await eventually(async () => {
      for (const name of THREE) {
        const { stdout } = await machine(name).docker("logs", `${name}-backups`);
        const [, file] = /^saved (\S+\.snap), index \d+, term \d+, \d+ bytes$/m.exec(stdout) ?? [];
        if (file !== undefined)
          return [
            stdout
              .match(/saved \S+\.snap/g)
              ?.at(-1)
              ?.slice(6) as string,
            name,
          ] as const;
      }
      throw new Error("no schedule has saved a snapshot");
    }, 60);
    const fetched = open("docs/backups.md", { [EXAMPLE]: scheduled, node2: server });
    expect(await fetched.follow("## On a schedule", { compare: () => undefined })).toContain(scheduled);
  });

  test("docs/backups.md: restores, on the same cluster and on a new one", async () => {
    await web1.put("/v1/kv/load/key", "later");
    await open("docs/backups.md", { FILE: "before-upgrade.snap" }).follow("## Restoring on the same cluster");
    expect(await get("key")).toBe("after");
    await open("docs/backups.md").type("npm run backup");
    const newest = readdirSync(project.privatePath(PAYMENTS, "backups/payments")).sort().at(-1) as string;
    await testBed.reset();
    const privateFolder = project.privatePath(PAYMENTS, ".");
    for (const file of readdirSync(privateFolder))
      if (/^terraform\..*tfstate/.test(file)) rmSync(join(privateFolder, file));
    await open("docs/backups.md", { [EXAMPLE]: newest }).follow("## Restoring onto a new cluster");
    expect(await get("key")).toBe("after");
  });

  test("docs/changing.md: a plan that is deployed later", async () => {
    write(THREE, THREE, { labels: { round: "2" } });
    const changing = open("docs/changing.md");
    const [saved = ""] = changing.commands("## Approving a plan before the deploy");
    const shown = await changing.type(saved);
    expect(shown).toMatch(/3 to replace|4 to replace/);
    const { stdout } = await machine("node1").docker("inspect", "-f", '{{index .Config.Labels "round"}}', "node1");
    expect(stdout.trim()).toBe("2");
  });

  test("docs/membership.md: more servers, fewer servers, a host that comes back empty", async () => {
    const membership = open("docs/membership.md");
    await membership.follow("# ");
    const peers = async (): Promise<string[]> => {
      const { Servers } = await web1.json("/v1/operator/raft/configuration");
      return Servers.map(({ Node }: { Node: string }) => Node).sort();
    };
    write(FOUR, FOUR, { labels: { round: "2" } });
    await membership.follow("## More servers");
    expect(await peers()).toEqual(FOUR);
    write([...THREE, { name: "node4", decommission: true }], FOUR, { labels: { round: "2" } });
    await membership.follow("## Fewer servers");
    expect(await peers()).toEqual(THREE);
    write(THREE, FOUR, { labels: { round: "2" } });
    await membership.follow("## Fewer servers");
    await testBed.removeHost("consul-server3");
    await testBed.addHost("consul-server3", HOSTS.node3);
    await membership.follow("## A host that comes back empty");
    expect(await peers()).toEqual(THREE);
    expect(await get("key")).toBe("after");
    expect(await membership.type("npm run doctor")).toContain("nothing is wrong");
    expect(membership.untyped).toEqual([]);
  });

  test("docs/state.md: no lock is left, and no state unsaved", async () => {
    const state = open("docs/state.md");
    await state.follow("## A state that could not be stored", { check: false });
    expect(await state.follow("## A lock that was left", { check: false })).toContain("no Terraform state is locked");
  });
});
