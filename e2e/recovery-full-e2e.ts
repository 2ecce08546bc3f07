import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { ClusterFile } from "../cluster/file/schema";
import { type ConsulApi, ConsulHttp, eventually } from "./consul";
import { documented } from "./documented";
import { LoopbackHttp } from "./loopback-http";
import { Project } from "./project";
import { typeAtTerminal } from "./terminal";
import { TestBed } from "./test-bed/test-bed";

const SERVERS = ["consul-server1", "consul-server2", "consul-server3"];
const SURVIVOR = "consul-server3";
const LOST = ["consul-server1", "consul-server2"];
const SEED = readFileSync(join(__dirname, "../clusters/seed.yaml"), "utf8");
const [SAVE, RECOVER, VERIFY, DEPLOY] = documented("docs/lost-quorum.md", "sh", "## Steps") as [
  string,
  string,
  string,
  string,
];

/** The article's cluster, and a cluster of the same hosts with all defaults: security, and an API on loopback. */
const FILES = {
  "without security": SEED.replace(/^images:.*$/m, "ready_timeout: 60"),
  "with security, its API on loopback": securedByDefault(),
} as const;

function securedByDefault(): string {
  const { name, daemon, hosts, servers, clients } = parse(SEED) as ClusterFile;
  return JSON.stringify({ name, daemon, hosts, servers, clients });
}

describe.each(Object.entries(FILES))(
  "two of three servers are permanently lost, %s: the commands of docs/lost-quorum.md",
  (kind, file) => {
    const testBed = TestBed.standing();
    const project = new Project(testBed.operator, "clusters/recovered.yaml");
    const secured = kind !== "without security";
    const at = (agent: string): ConsulApi =>
      secured
        ? new LoopbackHttp(testBed.host(agent), agent, join(project.folder, "secrets/consul/operator/token.header"))
        : new ConsulHttp(testBed.operator.machine, `http://${testBed.host(agent).address}:8500`);
    const survivor = at(SURVIVOR);
    const client = at("consul-client1");
    let written: readonly string[];

    beforeAll(async () => {
      await testBed.reset();
      writeFileSync(join(project.folder, "clusters/recovered.yaml"), file);
      if (secured) await project.run("npm", ["run", "-s", "secrets", "--", "init"]);
      await project.deploy();
      await client.put("/v1/agent/service/register", { Name: "redis", Address: "172.16.8.110", Port: 6379 });
      // The two are lost while keys are written: only the keys that the survivor has by then can be expected.
      let lost = false;
      const writing = (async () => {
        for (let n = 0; !lost; n++) await client.put(`/v1/kv/load/${n}`, String(n)).catch(() => undefined);
      })();
      await eventually(async () => expect((await survivor.json("/v1/kv/load?keys&stale")).length).toBeGreaterThan(20));
      await Promise.all(
        LOST.map(async (name) => {
          await testBed.host(name).docker("rm", "-fv", name);
          await testBed.host(name).docker("volume", "rm", `${name}-data`);
        }),
      );
      lost = true;
      await writing;
      written = await survivor.json("/v1/kv/load?keys&stale");
    });
    afterAll(async () => {
      await project.destroy();
      project.remove();
    });

    test("the survivor has the written keys, and no leader", async () => {
      expect(written.length).toBeGreaterThan(20);
      await eventually(async () => expect(await survivor.json("/v1/status/leader")).toBe(""));
    });

    test("a deploy does not stop the survivor", async () => {
      const id = () => testBed.host(SURVIVOR).incarnation(SURVIVOR);
      const before = await id();
      const { exitCode, stdout, stderr } = await project.terraform(
        "consul",
        [
          "apply",
          "-auto-approve",
          "-input=false",
          "-no-color",
          `-replace=docker_container.${SURVIVOR}`,
          `-target=docker_container.${SURVIVOR}`,
        ],
        { check: false },
      );
      expect(exitCode).not.toBe(0);
      expect(stdout + stderr).toContain("this server knows no leader");
      expect(await id()).toBe(before);
    });

    test("its recovery makes it the leader of itself alone, with all its keys", async () => {
      expect(RECOVER).toContain("peers.json");
      const { stdout } = await project.run("sh", ["-euc", SAVE + RECOVER + VERIFY]);
      process.stderr.write(`${stdout}\n`);
      expect(stdout).toMatch(/^consul-server3 .* leader +true /m);
      const { size, mode } = statSync(join(project.folder, "consul-server3-data.tar"));
      expect(size).toBeGreaterThan(10_000);
      expect(mode & 0o777).toBe(0o600);
      await eventually(async () => expect(await survivor.json("/v1/status/leader")).toBe("172.16.8.122:8300"));
      expect(await survivor.json("/v1/status/peers")).toEqual(["172.16.8.122:8300"]);
      expect(await survivor.json("/v1/kv/load?keys")).toEqual(expect.arrayContaining([...written]));
    });

    test("a deploy recreates the others, empty, and they become voters; no key of the survivor is lost", async () => {
      await typeAtTerminal(project, DEPLOY.trim());
      for (const server of SERVERS) {
        const { Servers } = await at(server).json("/v1/operator/raft/configuration");
        expect(
          Servers.filter(({ Voter }: { Voter: boolean }) => Voter)
            .map(({ Node }: { Node: string }) => Node)
            .sort(),
        ).toEqual(SERVERS);
        await eventually(async () =>
          expect(await at(server).json("/v1/kv/load?keys&stale")).toEqual(expect.arrayContaining([...written])),
        );
      }
      expect(await client.json("/v1/catalog/service/redis")).toHaveLength(1);
      expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
    });
  },
);
