import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { eventually } from "./consul";
import { LiveCluster } from "./live-cluster";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const SERVERS = ["consul-server1", "consul-server2", "consul-server3"];
const CLIENTS = [1, 2, 3, 4, 5].map((number) => `consul-client${number}`);

describe("the pre-stop checks of a deploy", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  let base: ClusterFile;
  /** Sets the cluster file to the first one with these changes. */
  const change = (changes: Partial<ClusterFile>) => {
    cluster.file = { ...base, ...changes };
  };
  const outputOf = ({ stdout, stderr }: CommandResult) => stdout + stderr;
  const expectEmptyPlan = async () => expect((await cluster.diff()).stdout).toContain("No changes.");

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "pre-stop", { clients: CLIENTS.length });
    base = cluster.file;
  });
  afterAll(() => cluster.down());

  describe("a version", () => {
    test("that is older than the running one is rejected, and nothing is stopped", async () => {
      change({ image: "hashicorp/consul:1.21.5" });
      const why = await cluster.expectRejected();
      for (const agent of SERVERS) expect(why).toContain(`${agent}: not stopped: 1.21.5 is older than 1.22.7`);
      expect(why).toContain("CONSUL_ALLOW_DOWNGRADE=yes");
    });

    test("more than two minor versions ahead is rejected, and nothing is stopped", async () => {
      // An image whose `consul version` prints this version. Its other contents do not matter, since it never runs as
      // an agent.
      for (const name of [...SERVERS, ...CLIENTS]) {
        await cluster.docker(
          name,
          "create",
          "--name",
          "newer",
          "--entrypoint",
          "consul",
          "hashicorp/consul:1.22.7",
          "version",
        );
        const program = join(cluster.project.folder, "newer-consul");
        writeFileSync(program, "#!/bin/sh\necho Consul v1.25.0\n", { mode: 0o755 });
        await cluster.docker(name, "cp", program, "newer:/bin/consul");
        await cluster.docker(name, "commit", "newer", "hashicorp/consul:1.25.0");
        await cluster.docker(name, "rm", "newer");
      }
      change({ image: "hashicorp/consul:1.25.0" });
      expect(await cluster.expectRejected()).toContain(
        "consul-server1: not stopped: from 1.22.7 to 1.25.0 are 3 minor versions",
      );
    });

    test("that is older is deployed with consent, one server at a time", async () => {
      change({ image: "hashicorp/consul:1.21.5" });
      const { stdout } = await cluster.deploy({ env: { CONSUL_ALLOW_DOWNGRADE: "yes" } });
      for (const name of SERVERS)
        expect(stdout).toContain(`${name}: stop allowed: 2 of 3 voters are healthy without it`);
      change({});
      await cluster.deploy();
      await expectEmptyPlan();
    });
  });

  test("client agents are replaced after the servers, as many at a time as the file allows", async () => {
    change({ max_parallel_clients: 2, config: { log_level: "debug" } });
    const { stdout } = await cluster.deploy({ env: { TF_CLI_ARGS_apply: "-parallelism=30" } });
    // A slot is released before Terraform shows its agent as ready, and the next check is allowed at once.
    const others = [...stdout.matchAll(/consul-client\d: stop allowed: (\d+) other client agents/g)].map(([, count]) =>
      Number(count),
    );
    expect(others).toHaveLength(CLIENTS.length);
    expect(Math.max(...others)).toBe(1);
    let gone = 0;
    const mostGone = stdout.split("\n").reduce((most, line) => {
      if (/docker_container\.consul-client\d: Destruction complete/.test(line)) gone++;
      if (/docker_container\.consul-client\d: Creation complete/.test(line)) gone--;
      return Math.max(most, gone);
    }, 0);
    expect([1, 2]).toContain(mostGone);
    expect(stdout.lastIndexOf("server3: ready, a voter")).toBeGreaterThan(0);
    const lastServer = Math.max(...SERVERS.map((name) => stdout.lastIndexOf(`${name}: ready, a voter`)));
    const firstClient = Math.min(...CLIENTS.map((name) => stdout.indexOf(`${name}: stop allowed`)));
    expect(lastServer).toBeLessThan(firstClient);
    await cluster.expectWhole();
    await expectEmptyPlan();
  });

  test.each([1, 2])(
    "with a parallelism of %i one server at most is down; repeated deploys, as the message says, complete the change",
    async (parallelism) => {
      const servers = SERVERS.map((name) => ({ name, labels: { slots: String(parallelism) } }));
      change({ max_parallel_clients: 2, config: { log_level: "debug" }, servers });
      let deploys = 0;
      for (let exitCode = 1; exitCode !== 0; deploys++) {
        expect(deploys).toBeLessThan(4);
        const result = await cluster.deploy({
          check: false,
          env: { TF_CLI_ARGS_apply: `-parallelism=${parallelism}` },
        });
        exitCode = result.exitCode;
        if (exitCode !== 0) expect(outputOf(result)).toContain(`Terraform's -parallelism is ${parallelism},`);
        // Between two deploys all servers are ready; autopilot takes a moment to find the last one healthy.
        await eventually(async () => {
          const { Healthy, FailureTolerance } = await cluster
            .api("consul-server1")
            .json("/v1/operator/autopilot/health");
          expect({ Healthy, FailureTolerance }).toEqual({ Healthy: true, FailureTolerance: 1 });
        });
      }
      await expectEmptyPlan();
    },
  );

  test("autopilot's settings are changed in the running cluster, and no agent restarts", async () => {
    const common = { max_parallel_clients: 2, config: { log_level: "debug" } };
    change(common);
    await cluster.deploy();
    change({ ...common, autopilot: { last_contact_threshold: "500ms", cleanup_dead_servers: false } });
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    expect(await cluster.api("consul-server1").json("/v1/operator/autopilot/configuration")).toMatchObject({
      CleanupDeadServers: false,
      LastContactThreshold: "500ms",
      MinQuorum: 3,
    });
    await expectEmptyPlan();
  });
});
