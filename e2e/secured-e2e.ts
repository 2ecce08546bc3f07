import { chmodSync, cpSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HealthProblem } from "../ops/inspect/health-problem";
import { issue, makeCa } from "../ops/secrets/certificates";
import { sectionOf } from "./documented";
import { LiveCluster } from "./live-cluster";
import { tellingPaths } from "./telling-paths";
import { TestBed } from "./test-bed/test-bed";
import type { Intrusion } from "./users/intruder";

/** The unauthenticated endpoints that docs/security.md lists. */
const DOCUMENTED = readFileSync(join(__dirname, "../docs/security.md"), "utf8");
const UNAUTHENTICATED = [...sectionOf(DOCUMENTED, "## Unauthenticated endpoints\n").matchAll(/`(\/v1\/[^`]+)`/g)].map(
  ([, path]) => path as string,
);

describe("a secure cluster, from nothing in one deploy", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  const addresses = () => Object.values(cluster.file.hosts).map(String);
  const servers = () => cluster.serverNames.map((name) => String(cluster.file.hosts[name]));

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "secured", { security: "on" });
  });
  afterAll(() => cluster.down());

  test("is whole, and a second plan is empty", async () => {
    await cluster.expectWhole();
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("users work with a token of their own", async () => {
    const { users } = await cluster.during(() => new Promise((done) => setTimeout(done, 3000)));
    expect(users).toMatchObject({ failed: 0, lost: 0, sessionLosses: 0, unresolved: 0 });
    expect(users.written).toBeGreaterThan(20);
  });

  test("`consul members` works in a container, and its token may only read", async () => {
    const { stdout } = await cluster.docker("consul-client1", "exec", "consul-client1", "consul", "members");
    expect(stdout.match(/alive/g)).toHaveLength(5);
    const write = await testBed
      .host("consul-client1")
      .dockerWith({ check: false }, "exec", "consul-client1", "consul", "kv", "put", "a", "b");
    expect(write.stderr).toContain("Permission denied");
  });

  describe("from another host", () => {
    let found: Intrusion;
    beforeAll(async () => {
      const folder = join(cluster.project.folder, "intruder");
      const { stdout } = await testBed.operator.run("sh", ["-c", `mkdir -p ${folder} && echo ok`]);
      expect(stdout).toBe("ok\n");
      const other = await issue(await makeCa("other", new Date()), { commonName: "server.dc1.consul" }, new Date());
      writeFileSync(join(folder, "cert.pem"), other.cert);
      writeFileSync(join(folder, "key.pem"), other.key);
      const own = join(cluster.project.folder, "secrets", cluster.file.name, "operator");
      const files = (place: string) => ({ cert: join(place, "cert.pem"), key: join(place, "key.pem") });
      const env = { CREDENTIALS: JSON.stringify({ "other-ca": files(folder), own: files(own) }) };
      const args = ["--require", "./typescript.cjs", join(__dirname, "users/intruder.ts"), ...addresses()];
      found = JSON.parse(
        (await testBed.operator.run("node", args, { cwd: join(__dirname, ".."), env, timeoutMs: 240_000 })).stdout,
      );
    });

    test("only gossip, RPC, HTTPS, gRPC with TLS and DNS are open, beside the host's own ssh and Docker's", () => {
      for (const address of addresses()) {
        const expected = servers().includes(address) ? [8300, 8301, 8302, 8501, 8503, 8600] : [8301, 8501, 8600];
        expect({
          address,
          open: found.open[address]?.filter((port) => port > 1024 && port !== 2375 && port !== 2376),
        }).toEqual({
          address,
          open: expected,
        });
      }
    });

    test("plain HTTP is answered nowhere", () => {
      expect(Object.keys(found.plain).length).toBeGreaterThan(20);
      expect(
        Object.entries(found.plain).filter(
          ([place, line]) => /^HTTP\/\S+ [123]/.test(line) && !/:237[56]$/.test(place),
        ),
      ).toEqual([]);
    });

    test("RPC and HTTPS accept certificates of the cluster's CA only", () => {
      const connections = Object.entries(found.accepted);
      expect(connections.filter(([, accepted]) => accepted).map(([what]) => what.split(" ").at(-1))).toEqual(
        Array(servers().length + addresses().length).fill("own"),
      );
      expect(connections.filter(([what]) => what.startsWith("rpc"))).toHaveLength(3 * servers().length);
      expect(connections.filter(([what]) => what.startsWith("https"))).toHaveLength(3 * addresses().length);
    });
  });

  test.each([
    ["without the gossip key", []],
    ["with another gossip key", ["-encrypt=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="]],
  ])("an agent %s cannot join", async (_, flags) => {
    const host = testBed.host("consul-client2");
    const { image } = JSON.parse(
      (await host.docker("inspect", "-f", '{"image": "{{.Image}}"}', "consul-client2")).stdout,
    );
    const address = String(cluster.file.hosts["consul-client2"]);
    const ports = ["-serf-lan-port=9301", "-http-port=9500", "-dns-port=9600", "-grpc-port=-1"];
    const joins = servers().map((server) => `-retry-join=${server}:8301`);
    const agent = ["agent", "-node=stranger", `-bind=${address}`, "-retry-interval=1s", ...ports, ...joins, ...flags];
    await host.docker("run", "-d", "--name", "stranger", "--network", "host", image, ...agent);
    try {
      await new Promise((done) => setTimeout(done, 6000));
      const { stdout, stderr } = await host.docker("logs", "stranger");
      expect(stdout + stderr).toContain("couldn't join");
      const members: { Name: string }[] = await cluster.api("consul-server1").json("/v1/agent/members");
      expect(members.map(({ Name }) => Name)).not.toContain("stranger");
    } finally {
      await host.docker("rm", "-f", "stranger");
    }
  });

  test("without a token every path of the API is denied or empty, except those of docs/security.md", async () => {
    const host = testBed.host("consul-server1");
    const telling = await tellingPaths({ url: "http://127.0.0.1:8500" }, (script, input) =>
      host.dockerWith({ input }, "exec", "-i", "consul-server1", "sh", "-c", script),
    );
    expect(telling.filter((what) => !UNAUTHENTICATED.includes(what.split(" ")[1] ?? ""))).toEqual([]);
    expect(UNAUTHENTICATED.length).toBeGreaterThan(3);
    // None of these requests changed anything.
    await cluster.expectWhole();
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("doctor finds secrets that were changed by hand, and delivers them again without a restart", async () => {
    const doctor = (...args: string[]) =>
      cluster.project.run("npm", ["run", "-s", "doctor", "--", "--json", ...args], { check: false });
    const found = async (...args: string[]) =>
      JSON.parse((await doctor(...args)).stdout).problems.map(({ location, code, message, fix }: HealthProblem) => [
        location.agent,
        code,
        message,
        fix,
      ]);
    expect(await found()).toEqual([]);
    await cluster.docker(
      "consul-server2",
      "exec",
      "consul-server2",
      "sh",
      "-c",
      "cd /consul/secrets && rm -f health.token ca.pem && echo other >ca.pem",
    );
    expect(await found()).toEqual([
      [
        "consul-server2",
        "secrets-changed",
        "its container has other secrets than the last deploy delivered: /consul/secrets/ca.pem, /consul/secrets/health.token",
        "deliver-secrets",
      ],
    ]);
    const touched = await cluster.touchedBy(async () => expect(await found("--fix")).toEqual([]));
    expect(touched).toEqual([]);
    await cluster.expectWhole();
  });

  describe("wrong secrets are rejected before anything is touched", () => {
    const secrets = (...path: string[]) => join(cluster.project.folder, "secrets", cluster.file.name, ...path);
    const npm = (...args: string[]) => cluster.project.run("npm", ["run", "-s", ...args], { check: false });
    /** Works with a folder of secrets in which something is wrong, and restores the cluster's own afterwards. */
    const withSpoilt = async (spoil: () => Promise<void> | void, work: () => Promise<void>) => {
      cpSync(secrets(), `${secrets()}.saved`, { recursive: true });
      try {
        await spoil();
        await work();
      } finally {
        rmSync(secrets(), { recursive: true, force: true });
        renameSync(`${secrets()}.saved`, secrets());
      }
    };
    const day = 24 * 60 * 60 * 1000;

    test.each<[string, () => Promise<void> | void, RegExp]>([
      [
        "another CA",
        async () => writeFileSync(secrets("ca.pem"), (await makeCa("other", new Date())).cert),
        /agents\/consul-server1\/cert\.pem: error certificate-untrusted: .*signed/,
      ],
      [
        "a key of another certificate",
        () => cpSync(secrets("agents/consul-server2/key.pem"), secrets("agents/consul-server1/key.pem")),
        /agents\/consul-server1\/key\.pem: error key-mismatch: /,
      ],
      [
        "a missing file",
        () => rmSync(secrets("agents/consul-client1/tokens.json")),
        /agents\/consul-client1\/tokens\.json: error secret-missing: /,
      ],
      [
        "an expired certificate",
        async () => {
          const ca = {
            cert: readFileSync(secrets("ca.pem"), "utf8"),
            key: readFileSync(secrets("ca-key.pem"), "utf8"),
          };
          const { cert, key } = await issue(ca, { commonName: "consul-server1" }, new Date(Date.now() - 800 * day));
          writeFileSync(secrets("agents/consul-server1/cert.pem"), cert);
          writeFileSync(secrets("agents/consul-server1/key.pem"), key);
        },
        /agents\/consul-server1\/cert\.pem: error certificate-expired: .*expired/,
      ],
      [
        "a key that everybody can read",
        () => chmodSync(secrets("agents/consul-server1/key.pem"), 0o644),
        /agents\/consul-server1\/key\.pem: error secrets-permissions: other users can read/,
      ],
    ])("%s", async (_, spoil, message) => {
      await withSpoilt(spoil, async () => {
        const { config } = cluster.file;
        cluster.changeAll();
        cluster.write();
        cluster.file.config = config;
        let output = "";
        const touched = await cluster.touchedBy(async () => {
          const { exitCode, stdout, stderr } = await npm("deploy", "--", "--auto-approve");
          expect(exitCode).toBe(1);
          output = stdout + stderr;
        });
        expect(output).toMatch(message);
        expect(output).toContain("nothing was changed");
        expect(touched).toEqual([]);
      });
    });

    test("none at all, with plain cdktf too; once a pipeline has imported them, nothing is wrong", async () => {
      const { stdout: line } = await npm("secrets", "--", "export", "--without-ca-key");
      await withSpoilt(
        () => rmSync(secrets(), { recursive: true }),
        async () => {
          cluster.write();
          const { exitCode, stdout, stderr } = await cluster.project.cdktf(["deploy", "--auto-approve"], {
            check: false,
          });
          expect(exitCode).not.toBe(0);
          expect((stdout + stderr).replace(/[^\S ]*\n[^\w]*/g, " ")).toContain(
            "Make them with `npm run secrets -- init`",
          );
          const imported = await cluster.project.run("npm", ["run", "-s", "secrets", "--", "import"], {
            env: { CONSUL_SECRETS: line.trim() },
          });
          expect(imported.exitCode).toBe(0);
          expect((await npm("secrets", "--", "check")).exitCode).toBe(0);
          expect((await cluster.diff()).stdout).toContain("No changes.");
          expect((await npm("secrets", "--", "clean")).exitCode).toBe(0);
          cpSync(`${secrets()}.saved`, secrets(), { recursive: true });
        },
      );
    });
  });
});
