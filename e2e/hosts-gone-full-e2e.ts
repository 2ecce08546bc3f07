import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { ClusterFile } from "../cluster/file/schema";
import { eventually } from "./consul";
import { LoopbackHttp } from "./loopback-http";
import { expectPrinted, Page } from "./page";
import { HOSTS, MACHINES, PAYMENTS } from "./payments";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

/** The pages' addresses, at the test bed. */
const ADDRESSES = {
  "10.0.0.11": HOSTS.node1,
  "10.0.0.12": HOSTS.node2,
  "10.0.0.13": HOSTS.node3,
  "10.0.0.14": HOSTS.node4,
  "10.0.0.15": HOSTS.node5,
  "10.0.0.21": HOSTS.web1,
};
const FORMER = ["node1", "node2", "node3"];
const AFTERWARDS = ["node1", "node4", "node5"];

describe("most servers are lost with their hosts: docs/lost-quorum-hosts-gone.md, on a secured cluster", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/payments.yaml");
  const page = Page.open("docs/lost-quorum-hosts-gone.md", project, ADDRESSES);
  const survival = Page.open("docs/lost-quorum.md", project, {
    "consul-server3": "node1",
    "172.16.8.122": "172.16.8.120",
  });
  const machine = (host: string) => testBed.host(MACHINES[host] as string);
  const header = project.operatorHeader(PAYMENTS);
  const at = (agent: string) => new LoopbackHttp(machine(agent), agent, header);
  const run = (...words: string[]) => project.run("npm", ["run", "-s", ...words], { check: false });
  let file: ClusterFile;
  let written: readonly string[] = [];

  function write(changed: Partial<ClusterFile>): void {
    file = { ...file, ...changed };
    writeFileSync(join(project.folder, project.clusterFile), JSON.stringify(file));
  }
  const only = (hosts: readonly string[]): ClusterFile["hosts"] =>
    Object.fromEntries(Object.entries(file.hosts).filter(([name]) => hosts.includes(name)));
  /** The voters that a list of Raft's peers shows. */
  const votersIn = (list: string): string[] =>
    list
      .split("\n")
      .flatMap((line) => (/ true +\d/.test(line) ? [line.split(/\s+/)[0] as string] : []))
      .sort();

  beforeAll(async () => {
    await testBed.reset();
    await testBed.addHost("consul-server4", ADDRESSES["10.0.0.14"]);
    await testBed.addHost("consul-server5", ADDRESSES["10.0.0.15"]);
    const [edit = ""] = page.files("### 2. ");
    const { hosts } = parse(edit) as ClusterFile;
    file = { ...PAYMENTS, daemon: "ssh://root@{address}", hosts, servers: FORMER, clients: ["web1"] };
    write({ hosts: only([...FORMER, "web1"]) });
    await project.run("npm", ["run", "-s", "secrets", "--", "init"]);
    await project.npmDeploy();
    // The hosts are lost while keys are written: only the keys that the survivor has by then can be expected.
    let lost = false;
    const writing = (async () => {
      for (let n = 0; !lost; n++)
        await at("web1")
          .put(`/v1/kv/load/${n}`, String(n))
          .catch(() => undefined);
    })();
    const stored = (): Promise<string[]> => at("node1").json("/v1/kv/load?keys&stale");
    await eventually(async () => expect((await stored()).length).toBeGreaterThan(10), 60);
    await Promise.all(["node2", "node3"].map((host) => testBed.removeHost(MACHINES[host] as string)));
    lost = true;
    await writing;
    written = await stored();
  });
  afterAll(async () => {
    await testBed.addHost("consul-server2", ADDRESSES["10.0.0.12"]);
    await testBed.addHost("consul-server3", ADDRESSES["10.0.0.13"]);
    await testBed.reset();
    await testBed.removeHost("consul-server4");
    await testBed.removeHost("consul-server5");
    project.remove();
  });

  test("what is seen: the remaining server knows no leader, and a deploy names the lost hosts", async () => {
    await eventually(async () => {
      const { stdout } = await run("status");
      expect(stdout.match(/its Docker daemon is unreachable/g)?.length).toBeGreaterThanOrEqual(2);
      expect(stdout).toContain("it is not ready: it knows no leader");
    }, 60);
    const rejected = await run("deploy", "--", "--auto-approve");
    expect(rejected.exitCode).toBe(1);
    expect(`${rejected.stdout}${rejected.stderr}`).toMatch(/node2.*node3/s);
    expect(await page.follow("## Check", { check: false })).toContain("its Docker daemon is unreachable");
  });

  test("step 1: the remaining server leads alone, with all its keys", async () => {
    expect((await run("backup", "--", "--stale")).exitCode).toBe(0);
    await survival.follow("### 4. ");
    await survival.follow("### 5. ");
    const shown = await survival.follow("### 6. ");
    expect(votersIn(shown)).toEqual(["node1"]);
    expect(await at("node1").json("/v1/kv/load?keys")).toEqual(expect.arrayContaining([...written]));
  });

  test("step 2: new servers become voters, and no running agent changes", async () => {
    const running = () => Promise.all(["node1", "web1"].map((host) => machine(host).incarnation(host)));
    const before = await running();
    const [edit = ""] = page.files("### 2. ");
    write(parse(edit));
    const [deploy = "", list = ""] = page.commands("### 2. ");
    expectPrinted(page.outputs("### 2. ")[0] as string, await page.type(deploy));
    await eventually(async () => expect(votersIn(await page.type(list))).toEqual(AFTERWARDS), 90);
    expect(await running()).toEqual(before);
  });

  test("step 3: the lost hosts are removed, and a deploy is rejected no more", async () => {
    for (const host of ["node2", "node3"]) {
      const removal = Page.open("docs/failed-host.md", project, { ...ADDRESSES, node3: host });
      const listed = await removal.follow("### 3. ", {
        // The first one has no services of its own.
        compare: (shown, printed) => {
          for (const line of shown.trim().split("\n")) expect(printed).toContain(line);
        },
      });
      expect(listed).toMatch(/Successfully removed [1-9]/);
    }
    write({ hosts: only([...AFTERWARDS, "web1"]), servers: AFTERWARDS, join: AFTERWARDS });
    await Page.open("docs/failed-host.md", project).follow("### 4. ");
  });

  test("verification: nothing is wrong, nothing is to do, and every server has the keys", async () => {
    const printed = await page.follow("## Verification");
    expect(printed).toContain("nothing is wrong");
    expect(printed).toContain("nothing to do; containers: 4 unchanged");
    for (const server of AFTERWARDS)
      await eventually(async () =>
        expect(await at(server).json("/v1/kv/load?keys&stale")).toEqual(expect.arrayContaining([...written])),
      );
    rmSync(join(project.folder, "node1-data.tar"));
  });

  test("no command of the page was left out", () => expect(page.untyped).toEqual([]));
});
