import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { articleCommand } from "./article";
import { ConsulHttp, eventually } from "./consul";
import { Load, missingKeys } from "./load";
import { Page } from "./page";
import { Project } from "./project";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const SERVERS = ["consul-server1", "consul-server2", "consul-server3"];
const CLIENT = "consul-client1";
/** Users have another agent to turn to while the article's client agent is moved. */
const SECOND_CLIENT = { name: "consul-client2", address: "172.16.8.111" };
const AGENTS = [...SERVERS, CLIENT, SECOND_CLIENT.name];
const CLIENT_HTTP = "http://172.16.8.110:8500";
const USERS = [CLIENT_HTTP, `http://${SECOND_CLIENT.address}:8500`] as const;
const ARTICLE = readFileSync(join(__dirname, "../clusters/seed.yaml"), "utf8")
  .replace("clients: [consul-client1]", "clients: [consul-client1, consul-client2]")
  .replace(
    "  consul-client1: 172.16.8.110",
    `  consul-client1: 172.16.8.110\n  consul-client2: ${SECOND_CLIENT.address}`,
  )
  .replace(/^images:.*$/m, "ready_timeout: 30");
/**
 * Users may see this: a write meets a server's stop, and the other client agent was connected to that server as well.
 */
const FEW = 3;

describe("a cluster that was made by the article's docker run commands is adopted under load", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/adopted.yaml");
  const file = join(project.folder, "clusters/adopted.yaml");
  const page = Page.open("docs/adopting.md", project);
  const [dryRun = "", adoption = "", completion = ""] = page.commands("## The commands");
  const [undo = "", snapshot = ""] = page.commands("## When something goes wrong");
  const server = (number: number) => new ConsulHttp(testBed.operator.machine, `http://172.16.8.12${number - 1}:8500`);
  const client = new ConsulHttp(testBed.operator.machine, CLIENT_HTTP);
  const adopt = (args: readonly string[] = [], check = true): Promise<CommandResult> =>
    project.run("npm", ["run", "-s", "adopt", "--", ...args], { check, timeoutMs: 400_000 });
  const nodeIds = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await server(1).json("/v1/catalog/nodes")).map(({ Node, ID }: { Node: string; ID: string }) => [Node, ID]),
    );
  const containers = async (name: string) =>
    (await testBed.host(name).docker("ps", "-a", "--format", "{{.Names}} {{.State}}")).stdout.trim().split("\n").sort();
  let ids: Record<string, string>;

  beforeAll(async () => {
    await testBed.reset();
    await testBed.addHost(SECOND_CLIENT.name, SECOND_CLIENT.address);
    writeFileSync(file, ARTICLE);
    for (const name of AGENTS) await testBed.host(name).docker("pull", "-q", "hashicorp/consul:1.22.7");
    // The second server has its data on a volume of its own name, the third on an anonymous one, the rest as in the
    // article.
    for (const name of AGENTS) {
      const data: Record<string, readonly string[]> = {
        "consul-server2": ["-v", "consul-server2-data:/consul/data"],
        "consul-server3": [],
      };
      const own = data[name];
      const command = articleCommand(
        name,
        name === SECOND_CLIENT.name ? { address: SECOND_CLIENT.address } : {},
      ).filter((word) => own === undefined || !word.startsWith("-data-dir="));
      if (own) command.splice(2, 0, ...own);
      await testBed.host(name).docker(...command);
    }
    await eventually(async () => expect(await client.json("/v1/status/peers")).toHaveLength(3), 60);
    await client.put("/v1/kv/before/adoption", "kept");
    await client.put("/v1/agent/service/register", { Name: "redis", Address: "172.16.8.110", Port: 6379 });
    await eventually(async () => expect(await server(1).json("/v1/catalog/service/redis")).toHaveLength(1));
    ids = await nodeIds();
  });
  afterAll(async () => {
    await project.destroy();
    for (const name of AGENTS) await testBed.host(name).docker("rm", "-fv", `${name}-before`);
    await testBed.removeHost(SECOND_CLIENT.name);
    project.remove();
  });

  test("every difference from the file is reported at once, before anything is touched", async () => {
    writeFileSync(
      file,
      ARTICLE.replace(/^name: .*$/m, "name: consul\ndatacenter: dc2")
        .replace("servers: [consul-server1,", "servers: [{ name: consul-server1, node: other },")
        .replace("clients: [consul-client1,", "clients: [{ name: consul-client1, ports: { serf_lan: 9301 } },"),
    );
    const { exitCode, stderr } = await adopt([], false);
    writeFileSync(file, ARTICLE);
    expect(exitCode).toBe(1);
    for (const name of AGENTS)
      expect(stderr).toContain(
        `${name}: error adopt-setting-differs: its datacenter is dc1; the file has dc2\n    hint: set \`datacenter: dc1\``,
      );
    expect(stderr).toContain("its node name is consul-server1; the file has other");
    expect(stderr).toContain("its serf_lan port is 8301; the file has 9301");
    for (const name of AGENTS) expect(await containers(name)).toEqual([`${name} running`]);
  });

  test("a version other than the running one is rejected before an agent is touched", async () => {
    writeFileSync(file, ARTICLE.replace("ready_timeout: 30", "ready_timeout: 30\nimage: hashicorp/consul:1.21.5"));
    const { exitCode, stderr } = await adopt([], false);
    writeFileSync(file, ARTICLE);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("it runs Consul 1.22.7, and hashicorp/consul:1.21.5 is 1.21.5");
    for (const name of AGENTS) expect(await containers(name)).toEqual([`${name} running`]);
  });

  test("--dry-run shows what would be done, and does nothing", async () => {
    const shown = await page.type(dryRun);
    expect(shown).toContain(
      "consul-server1 on consul-server1: runs in consul-server1 (hashicorp/consul:1.22.7); its data is copied from /tmp/data-dir in it",
    );
    expect(shown).toContain("its data stays in consul-server2-data");
    expect(shown).toContain("its data is copied from /consul/data in it to the volume consul-client1-data");
    for (const name of AGENTS) expect(await containers(name)).toEqual([`${name} running`]);
  });

  test("a snapshot is taken on the host, before it begins", async () => {
    const { stdout } = await testBed.host("consul-server1").run("sh", ["-euc", `cd "$(mktemp -d)"; ${snapshot}ls -s`]);
    expect(stdout).toMatch(/[1-9]\d* before\.snap\n/);
  });

  test("a successor that does not become ready is replaced by its predecessor, and nothing is lost", async () => {
    writeFileSync(
      file,
      ARTICLE.replace("servers: [consul-server1,", "servers: [{ name: consul-server1, flags: [-no-such-flag] },"),
    );
    const load = await Load.start(testBed.operator, USERS);
    const { exitCode, stderr } = await adopt([], false);
    const seen = await load.stop();
    process.stderr.write(`    users saw: ${JSON.stringify({ ...seen, unacknowledged: undefined })}\n`);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("consul-server1: not adopted");
    expect(await containers("consul-server1")).toEqual(["consul-server1 running"]);
    expect(seen.lost).toBeLessThan(FEW);
    expect(seen).toMatchObject({ sessionLosses: 0, unresolved: 0 });
    for (const number of [1, 2, 3])
      await eventually(async () => expect(await missingKeys(server(number), seen)).toEqual([]));
    expect(await nodeIds()).toEqual(ids);
  });

  test("an adoption that was interrupted while it copied data continues when it is run again", async () => {
    writeFileSync(file, ARTICLE);
    const running = testBed.operator.spawn("npm", ["run", "-s", "adopt"], {
      cwd: project.folder,
      env: { CLUSTER: project.clusterFile },
    });
    await eventually(async () => expect(running.stderr).toContain("copying its data"), 120);
    running.killAll();
    await running.finished;
    expect((await Promise.all(SERVERS.map(containers))).flat().join()).toContain("-before exited");
    const load = await Load.start(testBed.operator, USERS);
    const shown = await page.type(adoption);
    const seen = await load.stop();
    process.stderr.write(`    users saw: ${JSON.stringify({ ...seen, unacknowledged: undefined })}\n`);
    expect(shown).toContain("in progress, from");
    expect(shown).toContain("rm -v consul-server1-before");
    expect(seen.lost).toBeLessThan(FEW);
    expect(seen.unresolved).toBe(0);
    for (const number of [1, 2, 3])
      await eventually(async () => expect(await missingKeys(server(number), seen)).toEqual([]));
  });

  test("data, node ids and services are kept; the plan has only the last step, and after a deploy nothing", async () => {
    for (const name of AGENTS)
      expect(await containers(name)).toEqual([`${name} running`, `${name}-before exited`].sort());
    expect(await nodeIds()).toEqual(ids);
    expect(await client.get("/v1/kv/before/adoption?raw")).toBe("kept");
    expect(await server(1).json("/v1/catalog/service/redis")).toHaveLength(1);
    expect(
      await server(1)
        .json("/v1/kv/consul-cdktf?keys")
        .catch(() => []),
    ).toEqual([]);
    const planned = await project.plannedActions("consul");
    expect(planned.filter((action) => action.startsWith("docker_"))).toEqual([]);
    expect(await page.type(completion)).toContain("nothing to do; containers: 5 unchanged");
  });

  test("--undo restores the original containers one by one, with current data; they can be adopted again", async () => {
    await client.put("/v1/kv/after/adoption", "kept too");
    const load = await Load.start(testBed.operator, USERS);
    await page.type(undo);
    const seen = await load.stop();
    process.stderr.write(`    users saw: ${JSON.stringify({ ...seen, unacknowledged: undefined })}\n`);
    for (const name of AGENTS) expect(await containers(name)).toEqual([`${name} running`]);
    expect(seen.lost).toBeLessThan(FEW);
    for (const number of [1, 2, 3]) {
      // A server that has just started may not have applied its log yet.
      await eventually(async () =>
        expect(await server(number).get("/v1/kv/after/adoption?raw&stale")).toBe("kept too"),
      );
      await eventually(async () => expect(await missingKeys(server(number), seen)).toEqual([]));
    }
    const result = JSON.parse((await adopt(["--json"])).stdout);
    expect(result.agents.map(({ state }: { state: string }) => state)).toEqual(AGENTS.map(() => "adopted"));
    expect(await nodeIds()).toEqual(ids);
    expect(page.untyped).toEqual([]);
  });
});
