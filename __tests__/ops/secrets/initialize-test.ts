import { createPrivateKey, randomUUID, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AGENT_SECRETS } from "../../../consul/secrets";
import { issue, makeCa } from "../../../ops/secrets/certificates";
import { SecretsFolder } from "../../../ops/secrets/folder";
import { initialize } from "../../../ops/secrets/initialize";
import { expiries } from "../../../ops/secrets/inventory";
import { rotateCertificates, rotateTokens } from "../../../ops/secrets/rotate";
import { holdersOf } from "../../../ops/secrets/sources";
import { BRIDGE, folder, HEAD, load } from "../../cluster-files";
import { ClusterSecrets, daysAgo } from "./cluster-secrets";

const TOKEN_NAMES = [
  "agent:c1",
  "agent:s1",
  "agent:s2",
  "agent:s3",
  "dns",
  "health",
  "management",
  "rollout-client",
  "rollout-server",
];

describe("what a first init creates", () => {
  const stored = new ClusterSecrets();
  let made: readonly string[];
  beforeAll(async () => {
    ({ made } = await stored.init());
  });

  test("is complete and valid", () => {
    expect(stored.found()).toEqual([]);
    expect(readdirSync(stored.path).sort()).toEqual([
      ".gitignore",
      "acl.json",
      "agents",
      "ca-key.pem",
      "ca.pem",
      "cluster.name",
      "gossip.key",
      "history.txt",
      "operator",
      "tokens.json",
    ]);
    for (const { name, role } of stored.cluster().agents) {
      expect(readdirSync(join(stored.path, "agents", name)).sort()).toEqual([...AGENT_SECRETS[role]].sort());
    }
    expect(readdirSync(join(stored.path, "operator")).sort()).toEqual([
      "ca.pem",
      "cert.pem",
      "key.pem",
      "token.header",
    ]);
  });
  test("is private to this user", () => {
    const modes = readdirSync(stored.path, { recursive: true, encoding: "utf8" }).map((file) =>
      statSync(join(stored.path, file)),
    );
    for (const entry of [statSync(stored.path), ...modes])
      expect((entry.mode & 0o777).toString(8)).toBe(entry.isDirectory() ? "700" : "600");
  });
  test("is ignored by git, wherever it is", () => expect(stored.read(".gitignore")).toBe("*\n"));
  test("is reported without any secret", () => {
    const text = made.join("\n");
    expect(text).toContain("agents/s1/cert.pem");
    expect(text).toContain("10.0.0.1");
    for (const secret of [stored.read("gossip.key").trim(), ...Object.values(stored.json("tokens.json").current)])
      expect(text).not.toContain(secret);
  });
  test("has a different token for each purpose and agent, and a gossip key of 32 bytes", () => {
    const { current, retiring } = stored.json("tokens.json");
    expect(Object.keys(current)).toEqual(TOKEN_NAMES);
    expect(new Set(Object.values(current)).size).toBe(TOKEN_NAMES.length);
    expect(retiring).toEqual({});
    expect(Buffer.from(stored.read("gossip.key"), "base64")).toHaveLength(32);
  });
  test("gives a client agent its own tokens, and none with more rights", () => {
    const { current } = stored.json("tokens.json");
    expect(stored.json("agents/c1/tokens.json")).toEqual({
      acl: {
        tokens: { agent: current["agent:c1"], dns: current.dns, config_file_service_registration: current["agent:c1"] },
      },
    });
    expect(stored.json("agents/c1/gossip.json")).toEqual({ encrypt: stored.read("gossip.key").trim() });
    expect(stored.read("agents/c1/rollout.header")).toBe(`X-Consul-Token: ${current["rollout-client"]}\n`);
    expect(stored.read("agents/c1/health.token")).toBe(`${current.health}\n`);
    const all = AGENT_SECRETS.client.map((file) => stored.read(`agents/c1/${file}`)).join();
    for (const name of ["management", "rollout-server", "agent:s1"]) expect(all).not.toContain(current[name]);
    expect(all).not.toContain("PRIVATE KEY");
  });
  test("gives a server the secrets to create the tokens, too", () => {
    const { current } = stored.json("tokens.json");
    expect(stored.json("agents/s1/management.json")).toEqual({
      acl: { tokens: { initial_management: current.management } },
    });
    expect(stored.read("agents/s1/management.header")).toBe(`X-Consul-Token: ${current.management}\n`);
    expect(stored.read("agents/s1/rollout.header")).toBe(`X-Consul-Token: ${current["rollout-server"]}\n`);
    expect(stored.json("acl.json")).toEqual({ current, retiring: [] });
    expect(stored.read("operator/token.header")).toBe(stored.read("agents/s1/management.header"));
    expect(stored.read("agents/s1/ca.pem")).toBe(stored.read("ca.pem"));
  });
  test("is not changed by a second init: no byte, time or mode differs", async () => {
    const before = stored.everything();
    expect(await stored.init()).toEqual({ made: [], removed: [], needed: [] });
    expect(stored.everything()).toEqual(before);
  });
});

describe("a cluster file that changes", () => {
  let stored: ClusterSecrets;
  const made = new ClusterSecrets();
  beforeAll(() => made.init());
  beforeEach(() => {
    stored = new ClusterSecrets().copy(made);
  });
  const again = (change: (text: string) => string) => initialize(stored.cluster(change), stored.secrets, {});
  const GROWN = (text: string) =>
    text
      .replace("s3: 10.0.0.3", "s3: 10.0.0.3, s4: 10.0.0.14, s5: 10.0.0.15")
      .replace("[s1, s2, s3]", "[s1, s2, s3, s4, s5]")
      .concat("join: [s1, s2, s3]\n");

  test("with two more servers: their certificates and tokens are created, the others' stay", async () => {
    const before = stored.everything();
    const { made } = await again(GROWN);
    expect(made.filter((line) => line.includes("cert.pem"))).toEqual([
      expect.stringMatching(/^agents\/s4\/.* 10\.0\.0\.14 \(new\)$/),
      expect.stringMatching(/^agents\/s5\/.* 10\.0\.0\.15 \(new\)$/),
    ]);
    expect(stored.found(stored.cluster(GROWN))).toEqual([]);
    const after = stored.everything();
    for (const file of ["ca.pem", "agents/s1/cert.pem", "agents/s1/key.pem", "agents/c1/tokens.json"])
      expect(after[file]).toBe(before[file]);
  });
  test("with another address of a server: its certificate alone is reissued, with the reason", async () => {
    const before = stored.everything();
    const { made } = await again((text) => text.replace("10.0.0.2", "10.0.0.22"));
    expect(made.filter((line) => line.includes("cert.pem"))).toEqual([
      expect.stringMatching(/^agents\/s2\/.*\(the old one is not valid for IP 10\.0\.0\.22\)$/),
    ]);
    expect(new X509Certificate(stored.read("agents/s2/cert.pem")).checkIP("10.0.0.22")).toBe("10.0.0.22");
    expect(stored.everything()["agents/s1/cert.pem"]).toBe(before["agents/s1/cert.pem"]);
  });
  test("without an agent: its folder is deleted, and its token is to be revoked", async () => {
    const { current } = stored.json("tokens.json");
    const without = (text: string) => text.replace("clients: [c1]\n", "");
    const { removed, made } = await again(without);
    expect(removed).toEqual(["agents/c1"]);
    expect(made[0]).toBe("tokens.json: to be revoked, because nothing in the cluster file uses them: agent:c1");
    expect(existsSync(join(stored.path, "agents/c1"))).toBe(false);
    expect(stored.json("tokens.json").retiring).toEqual({ "agent:c1": [current["agent:c1"]] });
    expect(stored.json("acl.json").retiring).toEqual([current["agent:c1"]]);
  });
  test("with a server that becomes a client agent: files that only servers have are deleted", async () => {
    const { removed } = await again((text) => text.replace("[s1, s2, s3]", "[s1]").replace("[c1]", "[c1, s2, s3]"));
    expect(removed).toContain("agents/s2/key.pem");
    expect(readdirSync(join(stored.path, "agents/s2")).sort()).toEqual([...AGENT_SECRETS.client].sort());
  });
  test("with an agent to be decommissioned: its secrets stay", async () => {
    const before = stored.everything();
    await again((text) => text.replace("[c1]", "[{ name: c1, decommission: true }]"));
    expect(stored.everything()).toEqual(before);
  });
  test("with registrator turned on, and off: its token is a file for all hosts, and is deleted", async () => {
    const on = stored.cluster((text) => `${text}registrator: on\n`);
    expect(stored.found(on)).toContain("error tokens.json: token registrator is missing");
    await initialize(on, stored.secrets, {});
    expect(stored.found(on)).toEqual([]);
    expect(stored.read("registrator.token")).toBe(`${stored.json("tokens.json").current.registrator}\n`);
    expect(stored.found()).toContainEqual(expect.stringMatching(/^warning registrator\.token: is orphaned/));
    await stored.init();
    expect(existsSync(join(stored.path, "registrator.token"))).toBe(false);
    expect(stored.found()).toEqual(["warning tokens.json: old tokens are still accepted: registrator"]);
  });
  test("with its own tokens, whatever their names", async () => {
    const own =
      ', tokens: { constructor: { policies: [x] }, shop: { policies: [x] } }, policies: { x: \'key_prefix "x" { policy = "read" }\' } }';
    await initialize(load(stored.written().replace(" }", own)), stored.secrets, {});
    const { current } = stored.json("tokens.json");
    expect(Object.keys(current)).toEqual([...TOKEN_NAMES, "constructor", "shop"].sort());
    expect(stored.json("acl.json").current).toEqual(current);
  });
});

describe("a server's names and addresses", () => {
  const namesOf = (text: string) => holdersOf(new ClusterSecrets(text).cluster())[0]?.names;
  const server = (settings: string) =>
    `${HEAD}hosts: { s1: 10.0.0.1 }\nservers: [{ name: s1, node: n1, ${settings} }]\n`;

  test("are Consul's names for its datacenter and node, localhost, and its host's address", () =>
    expect(namesOf(`${server("").replace("name: c", "name: c\ndatacenter: east")}`)).toEqual({
      dns: ["server.east.consul", "n1.server.east.consul", "localhost"],
      ip: ["127.0.0.1", "10.0.0.1"],
    }));
  test("use the configured domain", () =>
    expect(namesOf(server("config: { domain: Example.com. }"))?.dns.slice(0, 2)).toEqual([
      "server.dc1.example.com",
      "n1.server.dc1.example.com",
    ]));
  test("include the addresses that it binds to, advertises and listens on, except wildcards and templates", () => {
    expect(
      namesOf(server("bind_addr: 10.1.0.1, advertise_addr: 10.2.0.1, client_addr: 127.0.0.1 10.3.0.1"))?.ip,
    ).toEqual(["127.0.0.1", "10.0.0.1", "10.1.0.1", "10.2.0.1", "10.3.0.1"]);
    expect(
      namesOf(server(`bind_addr: 0.0.0.0, advertise_addr: '{{ GetInterfaceIP "eth1" }}', client_addr: 0.0.0.0`))?.ip,
    ).toEqual(["127.0.0.1", "10.0.0.1"]);
  });
  test("are of IPv6, and its loopback where it listens there", () =>
    expect(namesOf(server(`client_addr: "::"`).replaceAll("10.0.0.1", `"fd00::1"`))?.ip).toEqual([
      "127.0.0.1",
      "fd00::1",
      "::1",
    ]));
  test("are the container's in a bridge network", () =>
    expect(namesOf(`${BRIDGE}servers: [{ name: s1, host: local, container: consul_1 }]\n`)).toEqual({
      dns: ["server.dc1.consul", "s1.server.dc1.consul", "localhost", "consul_1"],
      ip: ["127.0.0.1"],
    }));
  test("are in the certificate of such a server", async () => {
    const stored = new ClusterSecrets(`${BRIDGE}servers: [{ name: s1, host: local, container: consul_1 }]\n`);
    await stored.init();
    expect(stored.found()).toEqual([]);
  });
});

describe("existing secrets", () => {
  test("a gossip key and a management token are used", async () => {
    const stored = new ClusterSecrets();
    const [key, management] = [Buffer.alloc(16, 7).toString("base64"), randomUUID()];
    mkdirSync(stored.path, { mode: 0o700 });
    writeFileSync(join(stored.path, "gossip.key"), key, { mode: 0o600 });
    writeFileSync(join(stored.path, "tokens.json"), JSON.stringify({ current: { management }, retiring: {} }), {
      mode: 0o600,
    });
    await stored.init();
    expect(stored.found()).toEqual([]);
    expect(stored.json("agents/s1/gossip.json")).toEqual({ encrypt: key });
    expect(stored.json("tokens.json").current.management).toBe(management);
  });

  const written = (file: string, content: string): string => {
    const path = join(folder(), file);
    writeFileSync(path, content);
    return path;
  };

  test("a CA with its key issues the certificates", async () => {
    const stored = new ClusterSecrets();
    const ca = await makeCa("mine", new Date());
    const given = { ca: written("ca.pem", `a comment\n${ca.cert}`), caKey: written("ca-key.pem", ca.key) };
    await initialize(stored.cluster(), stored.secrets, given);
    expect(stored.found()).toEqual([]);
    expect(new X509Certificate(stored.read("ca.pem")).fingerprint256).toBe(new X509Certificate(ca.cert).fingerprint256);
    expect(await initialize(stored.cluster(), stored.secrets, given)).toEqual({ made: [], removed: [], needed: [] });
  });
  test("a CA that cannot be one is refused, and nothing is written", async () => {
    const stored = new ClusterSecrets();
    const [ca, other, expired] = [
      await makeCa("mine", new Date()),
      await makeCa("other", new Date()),
      await makeCa("old", daysAgo(4000)),
    ];
    const leaf = await issue(ca, { commonName: "x" }, new Date());
    const refusal = (given: object) => initialize(stored.cluster(), stored.secrets, given);
    await expect(refusal({ ca: written("a", leaf.cert) })).rejects.toThrow(
      "its first certificate is no certificate of a CA",
    );
    await expect(refusal({ ca: written("a", expired.cert) })).rejects.toThrow(
      /its first certificate expired on \d{4}-\d\d-\d\d\n/,
    );
    await expect(refusal({ ca: written("a", ca.cert), caKey: written("k", other.key) })).rejects.toThrow(
      /k is not the key of the first certificate in \S+a\n {2}give that CA's own key, as PEM and decrypted$/,
    );
    const locked = createPrivateKey(ca.key)
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
      .toString();
    await expect(refusal({ ca: written("a", ca.cert), caKey: written("k", locked) })).rejects.toThrow(
      /k is encrypted with a passphrase\n.*decrypted/,
    );
    await expect(refusal({ ca: written("a", ca.cert), caKey: written("k", "x") })).rejects.toThrow(
      /k has no private key in PEM\n/,
    );
    await expect(refusal({ ca: written("a", "nothing") })).rejects.toThrow("there is no PEM certificate in it");
    await expect(refusal({ ca: written("a", ca.cert.replace(/\n[^-]{20}/, "\n")) })).rejects.toThrow("is damaged");
    await expect(refusal({ ca: "/nonexistent/ca.pem" })).rejects.toThrow("/nonexistent/ca.pem cannot be read: ENOENT");
    await expect(refusal({ caKey: "/x" })).rejects.toThrow("--ca-key needs --ca");
    await expect(refusal({ certificates: folder() })).rejects.toThrow(
      /^--certificates needs the CA that issued them, .*\n {2}.*--ca FILE$/,
    );
    expect(existsSync(stored.path)).toBe(false);
  });
  test("another CA than the present one is refused", async () => {
    const stored = new ClusterSecrets();
    await stored.init();
    const before = stored.everything();
    const ca = written("ca.pem", (await makeCa("mine", new Date())).cert);
    await expect(initialize(stored.cluster(), stored.secrets, { ca })).rejects.toThrow(
      "npm run secrets -- rotate ca --ca FILE",
    );
    expect(stored.everything()).toEqual(before);
  });

  describe("a CA whose key is elsewhere", () => {
    const stored = new ClusterSecrets();
    let ca: Awaited<ReturnType<typeof makeCa>>;
    beforeAll(async () => {
      ca = await makeCa("vault", new Date());
    });

    test("has what is missing listed, with the names that it needs, and all else is made", async () => {
      const { needed } = await initialize(stored.cluster(), stored.secrets, { ca: written("ca.pem", ca.cert) });
      expect(needed.map(({ name }) => name)).toEqual(["s1", "s2", "s3", "operator"]);
      expect(needed[0]).toEqual({
        name: "s1",
        why: "new",
        dns: ["server.dc1.consul", "s1.server.dc1.consul", "localhost"],
        ip: ["127.0.0.1", "10.0.0.1"],
      });
      expect(stored.found().every((line) => /(cert|key)\.pem: is missing$/.test(line))).toBe(true);
      expect(existsSync(join(stored.path, "ca-key.pem"))).toBe(false);
    });
    test("has given certificates refused that do not fit, before any is taken", async () => {
      const certificates = folder();
      const stranger = await makeCa("stranger", new Date());
      for (const { name, commonName, names } of holdersOf(stored.cluster())) {
        const { cert, key } = await issue(name === "s3" ? stranger : ca, { commonName, names }, new Date());
        writeFileSync(join(certificates, `${name}.pem`), cert);
        if (name !== "s2") writeFileSync(join(certificates, `${name}-key.pem`), key);
      }
      const before = stored.everything();
      await expect(initialize(stored.cluster(), stored.secrets, { certificates: certificates })).rejects.toThrow(
        "s2-key.pem is missing",
      );
      rmSync(join(certificates, "s2.pem"));
      await expect(initialize(stored.cluster(), stored.secrets, { certificates: certificates })).rejects.toThrow(
        "s3.pem is not signed by a CA of ca.pem",
      );
      expect(stored.everything()).toEqual(before);
    });
    test("has given certificates taken", async () => {
      const certificates = folder();
      for (const { name, commonName, names } of holdersOf(stored.cluster())) {
        const { cert, key } = await issue(ca, { commonName, names }, new Date());
        writeFileSync(join(certificates, `${name}.pem`), cert);
        writeFileSync(join(certificates, `${name}-key.pem`), key);
      }
      const { needed, made } = await initialize(stored.cluster(), stored.secrets, { certificates: certificates });
      expect(needed).toEqual([]);
      expect(made[0]).toMatch(/^agents\/s1\/cert\.pem, key\.pem: taken from --certificates/);
      expect(stored.found()).toEqual([]);
    });
  });
});

describe("a cluster that turns backups on", () => {
  const stored = new ClusterSecrets();
  const saving = (text: string) => `${text}backups: {}\n`;
  let before: Record<string, string>;
  beforeAll(async () => {
    await stored.init();
    before = stored.everything();
  });

  test("lacks a token, which is an error", () => {
    expect(stored.found(stored.cluster(saving))).toEqual(["error tokens.json: token backups is missing"]);
  });
  test("gets one from init, apart from the agents' files, which do not change", async () => {
    await initialize(stored.cluster(saving), stored.secrets, {});
    const { backups } = stored.json("tokens.json").current;
    expect([stored.found(stored.cluster(saving)), stored.read("backups.header")]).toEqual([
      [],
      `X-Consul-Token: ${backups}\n`,
    ]);
    const after = stored.everything();
    const ofAgents = (files: Record<string, string>) =>
      Object.entries(files).filter(([file]) => /^(agents|operator)\//.test(file));
    expect(ofAgents(after)).toEqual(ofAgents(before));
  });
  test("gets another one from a rotation, while the old one is still accepted", async () => {
    const old = stored.json("tokens.json").current.backups;
    await rotateTokens(stored.cluster(saving), stored.secrets, ["backups"]);
    const { current, retiring } = stored.json("tokens.json");
    expect([retiring, stored.read("backups.header")]).toEqual([
      { backups: [old] },
      `X-Consul-Token: ${current.backups}\n`,
    ]);
  });
  test("and off again: the file is orphaned, and the token is to be revoked", async () => {
    expect(stored.found()).toContain(
      "warning backups.header: is orphaned: nothing in the cluster file uses it, or an interrupted run left it",
    );
    const { removed } = await stored.init();
    expect([removed, existsSync(join(stored.path, "backups.header"))]).toEqual([["backups.header"], false]);
    expect(Object.keys(stored.json("tokens.json").retiring)).toEqual(["backups"]);
  });
});

describe("a cluster that turns metrics on", () => {
  const stored = new ClusterSecrets();
  const on = (text: string) => `${text}metrics: on\n`;
  let before: Record<string, string>;
  beforeAll(async () => {
    await stored.init();
    before = stored.everything();
  });

  test("lacks a token and a certificate, which are errors", () => {
    expect(stored.found(stored.cluster(on))).toEqual([
      "error tokens.json: token metrics is missing",
      "error metrics/cert.pem: is missing",
      "error metrics/key.pem: is missing",
    ]);
  });
  test("gets both from init, in a folder for Prometheus, and the agents' files do not change", async () => {
    await initialize(stored.cluster(on), stored.secrets, {});
    expect([stored.found(stored.cluster(on)), readdirSync(join(stored.path, "metrics"))]).toEqual([
      [],
      ["ca.pem", "cert.pem", "key.pem", "token"],
    ]);
    expect(stored.read("metrics/token")).toBe(`${stored.json("tokens.json").current.metrics}\n`);
    const ofAgents = (files: Record<string, string>) =>
      Object.entries(files).filter(([file]) => /^(agents|operator)\//.test(file));
    expect(ofAgents(stored.everything())).toEqual(ofAgents(before));
  });
  test("has the expiry of each certificate for status", () =>
    expect(expiries(stored.cluster(on), stored.secrets).map(({ file }) => file)).toEqual([
      "ca.pem",
      ...["s1", "s2", "s3"].map((server) => `agents/${server}/cert.pem`),
      "operator/cert.pem",
      "metrics/cert.pem",
    ]));
  test("gets another token from a rotation, while the old one is still accepted", async () => {
    const old = stored.json("tokens.json").current.metrics;
    await rotateTokens(stored.cluster(on), stored.secrets, ["metrics"]);
    const { current, retiring } = stored.json("tokens.json");
    expect([retiring, stored.read("metrics/token")]).toEqual([{ metrics: [old] }, `${current.metrics}\n`]);
  });
  test("gets another certificate from a rotation", async () => {
    const old = stored.read("metrics/cert.pem");
    await rotateCertificates(stored.cluster(on), stored.secrets, ["metrics"], {});
    expect(stored.read("metrics/cert.pem")).not.toBe(old);
    expect(stored.found(stored.cluster(on)).filter((line) => line.includes("metrics/"))).toEqual([]);
  });
  test("and off again: the folder is orphaned, and the token is to be revoked", async () => {
    expect(stored.found()).toContain(
      "warning metrics: is orphaned: nothing in the cluster file uses it, or an interrupted run left it",
    );
    const { removed } = await stored.init();
    expect([removed, existsSync(join(stored.path, "metrics"))]).toEqual([["metrics"], false]);
    expect(Object.keys(stored.json("tokens.json").retiring)).toEqual(["metrics"]);
  });
});

describe("an interrupted run", () => {
  const whole = new ClusterSecrets();
  beforeAll(() => whole.init());
  const ORDER = [
    "ca-key.pem",
    "ca.pem",
    "gossip.key",
    "tokens.json",
    "agents/s1/key.pem",
    "agents/s1/cert.pem",
    "agents/s2/key.pem",
    "agents/c1/ca.pem",
  ];
  test.each(ORDER)("after %s is completed by the next", async (last) => {
    const stored = new ClusterSecrets();
    mkdirSync(stored.path, { mode: 0o700 });
    for (const file of ORDER.slice(0, ORDER.indexOf(last) + 1)) stored.secrets.write(file, whole.read(file));
    writeFileSync(join(stored.path, "gossip.key.unfinished"), "half of a ", { mode: 0o600 });
    await stored.init();
    expect(stored.found()).toEqual([]);
    expect(readdirSync(stored.path).filter((file) => file.endsWith(".unfinished"))).toEqual([]);
  });
  test("between the two files of a certificate is completed by init", async () => {
    const [stored, other] = [new ClusterSecrets(), new ClusterSecrets()];
    await Promise.all([stored.init(), other.init()]);
    stored.secrets.write("agents/s1/key.pem", other.read("agents/s1/key.pem"));
    expect(stored.found()).toEqual(["error agents/s1/key.pem: is not the key of its certificate"]);
    const { made } = await stored.init();
    expect(made).toEqual([expect.stringMatching(/^agents\/s1\/.*\(the old one is not the key of its certificate\)$/)]);
    expect(stored.found()).toEqual([]);
  });
});

test("a lost source of a running cluster is not recreated, because the cluster would not accept another one", async () => {
  for (const [file, copy] of Object.entries({
    "ca.pem": "operator/ca.pem",
    "gossip.key": "gossip.json",
    "tokens.json": "acl.json",
  })) {
    const stored = new ClusterSecrets();
    await stored.init();
    rmSync(join(stored.path, file));
    await expect(stored.init()).rejects.toThrow(copy);
    expect(existsSync(join(stored.path, file))).toBe(false);
  }
});

test("a broken link is an error", async () => {
  const stored = new ClusterSecrets();
  symlinkSync("/nonexistent/secrets", stored.path);
  await expect(stored.init()).rejects.toThrow("a link to one that is gone");
});

test("a folder below a file is an error", async () => {
  const path = join(new ClusterSecrets().file(), "secrets");
  const cluster = load(new ClusterSecrets().text.replace("security: off", `security: { secrets: ${path} }`));
  await expect(initialize(cluster, new SecretsFolder(path), {})).rejects.toThrow(
    `${path}: error secrets-folder-unusable: cannot be examined: ENOTDIR\n    hint: name a folder that this user can make`,
  );
});
