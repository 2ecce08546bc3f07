import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

describe("secrets are rotated while users work, and a container restarts only where Consul requires it", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  const AGENTS = ["consul-client1", "consul-client2", "consul-server1", "consul-server2", "consul-server3"];
  /** Does what an operator does: a command on the folder of secrets, then a deploy. */
  const bring = (...args: string[]) => bringReplacing([], ...args);
  const bringReplacing = async (replaced: readonly string[], ...args: string[]): Promise<void> => {
    const seen = await cluster.during(async () => {
      const touched = await cluster.touchedBy(async () => {
        await cluster.secrets(...args);
        await cluster.deploy();
      });
      expect(touched).toEqual(replaced);
    });
    expectUndisturbed(seen);
    if (replaced.length === 0) expect(seen.users.failed).toBe(0);
    await cluster.expectSound(seen);
  };
  /** The certificate that a server presents, as openssl prints it. */
  const shown = async (server: string, ...what: string[]): Promise<string> => {
    const address = String(cluster.file.hosts[server]);
    const { stdout } = await testBed.operator.machine.run("sh", [
      "-c",
      `openssl s_client -connect ${address}:8501 </dev/null 2>/dev/null | openssl x509 -noout ${what.join(" ")}`,
    ]);
    return stdout.trim();
  };
  const inside = async (agent: string, command: string): Promise<string> =>
    (await cluster.docker(agent, "exec", agent, "sh", "-c", command)).stdout.trim();
  const statusOf = (token: string) =>
    inside(
      "consul-server1",
      `curl -sS -o /dev/null -w '%{http_code}' -H 'X-Consul-Token: ${token}' http://127.0.0.1:8500/v1/acl/token/self`,
    );
  const restartedWorks = async () => {
    for (const agent of ["consul-server1", "consul-client1"]) {
      await cluster.docker(agent, "restart", "-t", "30", agent);
      await cluster.expectWhole();
    }
  };

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "rotating", { security: "on" });
  });
  afterAll(() => cluster.down());

  test("the gossip key: every agent has the new one, and none has the old one", async () => {
    const keys = () =>
      inside("consul-server1", "curl -sS -H @/consul/secrets/rollout.header http://127.0.0.1:8500/v1/operator/keyring");
    const before = Object.keys(JSON.parse(await keys())[0].Keys);
    await bring("rotate", "gossip");
    const rings: { Keys: Record<string, number>; PrimaryKeys: Record<string, number>; NumNodes: number }[] = JSON.parse(
      await keys(),
    );
    for (const { Keys, PrimaryKeys, NumNodes } of rings) {
      expect(Object.keys(Keys)).not.toEqual(before);
      expect(Object.values(Keys)).toEqual([NumNodes]);
      expect(PrimaryKeys).toEqual(Keys);
    }
  });

  test("a server's certificate, by reload", async () => {
    const before = await shown("consul-server1", "-serial");
    await bring("rotate", "certificates");
    expect(await shown("consul-server1", "-serial")).not.toBe(before);
  });

  test("all tokens: the old ones are valid until they are revoked", async () => {
    const old = await inside("consul-client1", "cat /consul/secrets/health.token");
    const management = await inside("consul-server1", "cut -d ' ' -f 2 /consul/secrets/management.header");
    await bring("rotate", "tokens");
    expect(await inside("consul-client1", "cat /consul/secrets/health.token")).not.toBe(old);
    expect(await Promise.all([old, management].map(statusOf))).toEqual(["200", "200"]);
    // A server that becomes the leader creates the management token that it was started with.
    await bringReplacing(["consul-server1", "consul-server2", "consul-server3"], "revoke");
    for (let election = 0; election < 3; election++) {
      const leader = await cluster.leader();
      await cluster.docker(leader, "restart", "-t", "30", leader);
      await cluster.expectWhole();
      expect(await Promise.all([old, management].map(statusOf))).toEqual(["403", "403"]);
    }
    await restartedWorks();
  });

  test("the CA: first both are trusted, then the new one issues the certificates, then it alone is trusted", async () => {
    const before = await inside("consul-server1", "cat /consul/secrets/ca.pem");
    await bring("rotate", "ca");
    expect(await inside("consul-client1", "cat /consul/secrets/ca.pem")).toContain(before);
    await bring("rotate", "certificates");
    await bring("revoke");
    for (const agent of AGENTS) expect(await inside(agent, "cat /consul/secrets/ca.pem")).not.toContain(before);
    await restartedWorks();
  });

  test("agents that are recreated afterwards become ready with the folder's current secrets", async () => {
    cluster.changeAll();
    const seen = await cluster.during(() => cluster.deploy());
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
  });
});
