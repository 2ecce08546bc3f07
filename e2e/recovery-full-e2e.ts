import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { ClusterFile } from "../cluster/file/schema";
import { type ConsulApi, ConsulHttp, eventually } from "./consul";
import { LoopbackHttp } from "./loopback-http";
import { Page } from "./page";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

const SEED = readFileSync(join(__dirname, "../clusters/seed.yaml"), "utf8");
/** The page's server that becomes the whole cluster. */
const SURVIVOR = "consul-server3";
/** A lost server that comes back once. */
const OTHER = "consul-server2";
const LOST = "consul-server1";

/** The article's cluster, and a cluster of the same hosts with all defaults: security, and an API on loopback. */
const FILES = {
  "without security": SEED.replace(/^images:.*$/m, "ready_timeout: 60\nprivate_folder: ../consul-private"),
  "with security, its API on loopback": securedByDefault(),
} as const;

function securedByDefault(): string {
  const { name, daemon, hosts, servers, clients } = parse(SEED) as ClusterFile;
  return JSON.stringify({ name, private_folder: "../consul-private", daemon, hosts, servers, clients });
}

describe.each(Object.entries(FILES))(
  "two of three servers are lost with their data, %s: docs/lost-quorum.md",
  (kind, file) => {
    const testBed = TestBed.standing();
    const project = new Project(testBed.operator, "clusters/recovered.yaml");
    const page = Page.open("docs/lost-quorum.md", project);
    const servers = (parse(file) as ClusterFile).servers as string[];
    const secured = kind !== "without security";
    const at = (agent: string): ConsulApi =>
      secured
        ? new LoopbackHttp(testBed.host(agent), agent, project.operatorHeader(parse(file)))
        : new ConsulHttp(testBed.operator.machine, `http://${testBed.host(agent).address}:8500`);
    const survivor = at(SURVIVOR);
    const client = at("consul-client1");
    const docker = (server: string, ...words: string[]) => testBed.host(server).docker(...words);
    let written: readonly string[];

    const keys = (agent: string, consistency = ""): Promise<string[]> =>
      at(agent).json(`/v1/kv/load?keys${consistency}`);
    /** The key is there afterwards, even if its write was not acknowledged. */
    async function write(prefix: string, until: () => boolean): Promise<void> {
      for (let n = 0; !until(); n++) await client.put(`/v1/kv/load/${prefix}/${n}`, String(n)).catch(() => undefined);
    }
    /** A leader would take a server back that gossip has not lost yet. */
    async function lose(server: string): Promise<void> {
      const since = new Date().toISOString();
      await docker(server, "rm", "-fv", server);
      await docker(server, "volume", "rm", `${server}-data`);
      await eventually(async () => {
        const { stdout } = await docker(SURVIVOR, "logs", "--since", since, SURVIVOR);
        expect(stdout).toContain(`serf: EventMemberFailed: ${server}`);
      }, 60);
    }
    const expectNoLeader = () => eventually(async () => expect(await survivor.json("/v1/status/leader")).toBe(""));

    beforeAll(async () => {
      await testBed.reset();
      writeFileSync(join(project.folder, "clusters/recovered.yaml"), file);
      if (secured) await project.run("npm", ["run", "-s", "secrets", "--", "init"]);
      await project.deploy();
      await client.put("/v1/agent/service/register", { Name: "redis", Address: "172.16.8.110", Port: 6379 });
      // This one misses what is written from here on.
      await docker(OTHER, "stop", "-t", "30", OTHER);
      // The other one is lost while keys are written: only the keys that the survivor has by then can be expected.
      let over = false;
      const writing = write("before", () => over);
      await eventually(async () => expect((await keys(SURVIVOR, "&stale")).length).toBeGreaterThan(20));
      await lose(LOST);
      over = true;
      await writing;
      written = await keys(SURVIVOR, "&stale");
    });
    afterAll(async () => {
      await project.destroy();
      project.remove();
    });

    test("what is seen: the remaining servers have the written keys and no leader, and a deploy stops none", async () => {
      expect(written.length).toBeGreaterThan(20);
      await expectNoLeader();
      const before = await testBed.host(SURVIVOR).incarnation(SURVIVOR);
      const target = `docker_container.${SURVIVOR}`;
      const words = ["apply", "-auto-approve", "-input=false", "-no-color", `-replace=${target}`, `-target=${target}`];
      const { exitCode, stdout, stderr } = await project.terraform("consul", words, {
        check: false,
        timeoutMs: 480_000,
      });
      expect(exitCode).not.toBe(0);
      expect(stdout + stderr).toContain("this server knows no leader");
      expect(await testBed.host(SURVIVOR).incarnation(SURVIVOR)).toBe(before);
      expect(await page.follow("## Check", { check: false })).toContain("it knows no leader");
    });

    test("steps 1 to 4: a snapshot, the server with the newest data, and a copy of it", async () => {
      await page.follow("### 1. ");
      const { stdout } = await testBed
        .host(SURVIVOR)
        .run("sh", ["-c", page.inSentences("### 2. ", `docker exec ${SURVIVOR} consul info`)]);
      expect(Number(/last_log_index = (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(0);
      // No other server remains that would have to be kept down.
      page.leaveOut("### 3. ");
      await page.follow("### 4. ");
      const { size, mode } = statSync(join(project.folder, `${SURVIVOR}-data.tar`));
      expect(size).toBeGreaterThan(10_000);
      expect(mode & 0o777).toBe(0o600);
    });

    test("undo before step 5: the server has no quorum, as before, until another one comes back with its data", async () => {
      await page.type(page.inSentences("## Undo", `docker start ${SURVIVOR}`));
      await expectNoLeader();
      await expect(keys(SURVIVOR, "&stale")).rejects.toThrow();
      await docker(OTHER, "start", OTHER);
      await eventually(async () => expect(await keys(OTHER)).toEqual(expect.arrayContaining([...written])), 60);
      await lose(OTHER);
      await expectNoLeader();
      await page.follow("### 4. ");
    });

    test("steps 5 and 6 make it the leader of itself alone, with all its keys", async () => {
      expect(await page.follow("### 5. ")).toContain('"address": "172.16.8.122:8300", "non_voter": false');
      expect(await page.follow("### 6. ")).toMatch(/^consul-server3 .* leader +true /m);
      await eventually(async () => expect(await survivor.json("/v1/status/leader")).toBe("172.16.8.122:8300"));
      expect(await survivor.json("/v1/status/peers")).toEqual(["172.16.8.122:8300"]);
      expect(await keys(SURVIVOR)).toEqual(expect.arrayContaining([...written]));
    });

    test("steps 7 and 8: the others come back empty, and become voters; no key of the survivor is lost", async () => {
      // Of a server that is lost, there is no container to remove, and its name is not printed.
      await page.follow("### 7. ", { check: false, compare: () => undefined });
      await page.follow("### 8. ");
      for (const server of servers) {
        const { Servers } = await at(server).json("/v1/operator/raft/configuration");
        const voters = Servers.filter(({ Voter }: { Voter: boolean }) => Voter);
        expect(voters.map(({ Node }: { Node: string }) => Node).sort()).toEqual(servers);
        await eventually(async () =>
          expect(await keys(server, "&stale")).toEqual(expect.arrayContaining([...written])),
        );
      }
      expect(await client.json("/v1/catalog/service/redis")).toHaveLength(1);
    });

    test("verification: nothing is wrong, and nothing is to do; the copy has the server's files from before", async () => {
      const printed = await page.follow("## Verification");
      expect(printed).toContain("nothing is wrong");
      expect(printed).toContain("nothing to do");
      const copy = join(project.folder, `${SURVIVOR}-data.tar`);
      const { stdout: files } = await project.run("tar", ["-tf", copy]);
      expect(files.split("\n")).toEqual(
        expect.arrayContaining(["data/node-id", expect.stringMatching(/^data\/raft\/wal\/./)]),
      );
      rmSync(copy);
      expect(page.untyped).toEqual([]);
    });
  },
);
