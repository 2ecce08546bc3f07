import { createPrivateKey, randomUUID, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AGENT_SECRETS } from "../../../cluster/resolve/security";
import { issue, makeCa } from "../../../ops/secrets/certificates";
import { SecretsFolder } from "../../../ops/secrets/folder";
import { initialize } from "../../../ops/secrets/initialize";
import { rotateTokens } from "../../../ops/secrets/rotation";
import { holdersOf } from "../../../ops/secrets/sources";
import { BRIDGE, folder, HEAD, load } from "../../cluster-files";
import { daysAgo, Kept } from "./kept";

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

describe("what init makes of nothing", () => {
  const kept = new Kept();
  let made: readonly string[];
  beforeAll(async () => {
    ({ made } = await kept.init());
  });

  test("is all that a cluster needs, and nothing is wrong with it", () => {
    expect(kept.found()).toEqual([]);
    expect(readdirSync(kept.path).sort()).toEqual([
      ".gitignore",
      "acl.json",
      "agents",
      "ca-key.pem",
      "ca.pem",
      "cluster.name",
      "gossip.key",
      "operator",
      "tokens.json",
    ]);
    for (const { name, role } of kept.cluster().agents) {
      expect(readdirSync(join(kept.path, "agents", name)).sort()).toEqual([...AGENT_SECRETS[role]].sort());
    }
    expect(readdirSync(join(kept.path, "operator")).sort()).toEqual(["ca.pem", "cert.pem", "key.pem", "token.header"]);
  });
  test("is this user's alone", () => {
    const modes = readdirSync(kept.path, { recursive: true, encoding: "utf8" }).map((file) =>
      statSync(join(kept.path, file)),
    );
    for (const entry of [statSync(kept.path), ...modes])
      expect((entry.mode & 0o777).toString(8)).toBe(entry.isDirectory() ? "700" : "600");
  });
  test("is not for git, wherever it is", () => expect(kept.read(".gitignore")).toBe("*\n"));
  test("is said without any secret", () => {
    const text = made.join("\n");
    expect(text).toContain("agents/s1/cert.pem");
    expect(text).toContain("10.0.0.1");
    for (const secret of [kept.read("gossip.key").trim(), ...Object.values(kept.json("tokens.json").current)])
      expect(text).not.toContain(secret);
  });
  test("has a token for each purpose and agent, no two alike, and a gossip key of 32 bytes", () => {
    const { current, retiring } = kept.json("tokens.json");
    expect(Object.keys(current)).toEqual(TOKEN_NAMES);
    expect(new Set(Object.values(current)).size).toBe(TOKEN_NAMES.length);
    expect(retiring).toEqual({});
    expect(Buffer.from(kept.read("gossip.key"), "base64")).toHaveLength(32);
  });
  test("goes to a client: its own tokens, and none that can do more", () => {
    const { current } = kept.json("tokens.json");
    expect(kept.json("agents/c1/tokens.json")).toEqual({
      acl: {
        tokens: { agent: current["agent:c1"], dns: current.dns, config_file_service_registration: current["agent:c1"] },
      },
    });
    expect(kept.json("agents/c1/gossip.json")).toEqual({ encrypt: kept.read("gossip.key").trim() });
    expect(kept.read("agents/c1/rollout.header")).toBe(`X-Consul-Token: ${current["rollout-client"]}\n`);
    expect(kept.read("agents/c1/health.token")).toBe(`${current.health}\n`);
    const all = AGENT_SECRETS.client.map((file) => kept.read(`agents/c1/${file}`)).join();
    for (const name of ["management", "rollout-server", "agent:s1"]) expect(all).not.toContain(current[name]);
    expect(all).not.toContain("PRIVATE KEY");
  });
  test("goes to a server: what it needs to make the tokens, too", () => {
    const { current } = kept.json("tokens.json");
    expect(kept.json("agents/s1/management.json")).toEqual({
      acl: { tokens: { initial_management: current.management } },
    });
    expect(kept.read("agents/s1/management.header")).toBe(`X-Consul-Token: ${current.management}\n`);
    expect(kept.read("agents/s1/rollout.header")).toBe(`X-Consul-Token: ${current["rollout-server"]}\n`);
    expect(kept.json("acl.json")).toEqual({ current, retiring: [] });
    expect(kept.read("operator/token.header")).toBe(kept.read("agents/s1/management.header"));
    expect(kept.read("agents/s1/ca.pem")).toBe(kept.read("ca.pem"));
  });
  test("a second time is nothing: no byte, time or mode is another", async () => {
    const before = kept.everything();
    expect(await kept.init()).toEqual({ made: [], removed: [], needed: [] });
    expect(kept.everything()).toEqual(before);
  });
});

describe("a cluster file that changes", () => {
  let kept: Kept;
  const made = new Kept();
  beforeAll(() => made.init());
  beforeEach(() => {
    kept = new Kept().copy(made);
  });
  const again = (change: (text: string) => string) => initialize(kept.cluster(change), kept.secrets, {});
  const GROWN = (text: string) =>
    text
      .replace("s3: 10.0.0.3", "s3: 10.0.0.3, s4: 10.0.0.14, s5: 10.0.0.15")
      .replace("[s1, s2, s3]", "[s1, s2, s3, s4, s5]")
      .concat("join: [s1, s2, s3]\n");

  test("with two servers more: their certificates and tokens are made, the others' stay", async () => {
    const before = kept.everything();
    const { made } = await again(GROWN);
    expect(made.filter((line) => line.includes("cert.pem"))).toEqual([
      expect.stringMatching(/^agents\/s4\/.* 10\.0\.0\.14 \(new\)$/),
      expect.stringMatching(/^agents\/s5\/.* 10\.0\.0\.15 \(new\)$/),
    ]);
    expect(kept.found(kept.cluster(GROWN))).toEqual([]);
    const after = kept.everything();
    for (const file of ["ca.pem", "agents/s1/cert.pem", "agents/s1/key.pem", "agents/c1/tokens.json"])
      expect(after[file]).toBe(before[file]);
  });
  test("with another address of a server: its certificate alone is issued again, and why is said", async () => {
    const before = kept.everything();
    const { made } = await again((text) => text.replace("10.0.0.2", "10.0.0.22"));
    expect(made.filter((line) => line.includes("cert.pem"))).toEqual([
      expect.stringMatching(/^agents\/s2\/.*\(the old one is not valid for IP 10\.0\.0\.22\)$/),
    ]);
    expect(new X509Certificate(kept.read("agents/s2/cert.pem")).checkIP("10.0.0.22")).toBe("10.0.0.22");
    expect(kept.everything()["agents/s1/cert.pem"]).toBe(before["agents/s1/cert.pem"]);
  });
  test("without an agent: its folder goes, and its token retires", async () => {
    const { current } = kept.json("tokens.json");
    const without = (text: string) => text.replace("clients: [c1]\n", "");
    const { removed, made } = await again(without);
    expect(removed).toEqual(["agents/c1"]);
    expect(made[0]).toBe("tokens.json: retiring now, since nobody needs them: agent:c1");
    expect(existsSync(join(kept.path, "agents/c1"))).toBe(false);
    expect(kept.json("tokens.json").retiring).toEqual({ "agent:c1": [current["agent:c1"]] });
    expect(kept.json("acl.json").retiring).toEqual([current["agent:c1"]]);
  });
  test("with a server that becomes a client: what only servers have goes", async () => {
    const { removed } = await again((text) => text.replace("[s1, s2, s3]", "[s1]").replace("[c1]", "[c1, s2, s3]"));
    expect(removed).toContain("agents/s2/key.pem");
    expect(readdirSync(join(kept.path, "agents/s2")).sort()).toEqual([...AGENT_SECRETS.client].sort());
  });
  test("with an agent that is to leave: it keeps what it has", async () => {
    const before = kept.everything();
    await again((text) => text.replace("[c1]", "[{ name: c1, decommission: true }]"));
    expect(kept.everything()).toEqual(before);
  });
  test("with registrator turned on, and off: its token is a file for all hosts, and goes", async () => {
    const on = kept.cluster((text) => `${text}registrator: on\n`);
    expect(kept.found(on)).toContain("error tokens.json: token registrator is missing");
    await initialize(on, kept.secrets, {});
    expect(kept.found(on)).toEqual([]);
    expect(kept.read("registrator.token")).toBe(`${kept.json("tokens.json").current.registrator}\n`);
    expect(kept.found()).toContainEqual(expect.stringMatching(/^warning registrator\.token: is nobody's/));
    await kept.init();
    expect(existsSync(join(kept.path, "registrator.token"))).toBe(false);
    expect(kept.found()).toEqual(["warning tokens.json: old tokens are still taken: registrator"]);
  });
  test("with tokens of its own, whatever they are called", async () => {
    const own =
      ', tokens: { constructor: { policies: [x] }, shop: { policies: [x] } }, policies: { x: \'key_prefix "x" { policy = "read" }\' } }';
    await initialize(load(kept.written().replace(" }", own)), kept.secrets, {});
    const { current } = kept.json("tokens.json");
    expect(Object.keys(current)).toEqual([...TOKEN_NAMES, "constructor", "shop"].sort());
    expect(kept.json("acl.json").current).toEqual(current);
  });
});

describe("a server's names and addresses", () => {
  const namesOf = (text: string) => holdersOf(new Kept(text).cluster())[0]?.names;
  const server = (settings: string) =>
    `${HEAD}hosts: { s1: 10.0.0.1 }\nservers: [{ name: s1, node: n1, ${settings} }]\n`;

  test("are Consul's of its datacenter and node, localhost, and its host's address", () =>
    expect(namesOf(`${server("").replace("name: c", "name: c\ndatacenter: east")}`)).toEqual({
      dns: ["server.east.consul", "n1.server.east.consul", "localhost"],
      ip: ["127.0.0.1", "10.0.0.1"],
    }));
  test("are of the domain that is configured", () =>
    expect(namesOf(server("config: { domain: Example.com. }"))?.dns.slice(0, 2)).toEqual([
      "server.dc1.example.com",
      "n1.server.dc1.example.com",
    ]));
  test("are those that it binds to, advertises and listens on, but for wildcards and templates", () => {
    expect(namesOf(server("bind: 10.1.0.1, advertise: 10.2.0.1, client: 127.0.0.1 10.3.0.1"))?.ip).toEqual([
      "127.0.0.1",
      "10.0.0.1",
      "10.1.0.1",
      "10.2.0.1",
      "10.3.0.1",
    ]);
    expect(namesOf(server(`bind: 0.0.0.0, advertise: '{{ GetInterfaceIP "eth1" }}', client: 0.0.0.0`))?.ip).toEqual([
      "127.0.0.1",
      "10.0.0.1",
    ]);
  });
  test("are of IPv6, and its loopback where it listens there", () =>
    expect(namesOf(server(`client: "::"`).replaceAll("10.0.0.1", `"fd00::1"`))?.ip).toEqual([
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
    const kept = new Kept(`${BRIDGE}servers: [{ name: s1, host: local, container: consul_1 }]\n`);
    await kept.init();
    expect(kept.found()).toEqual([]);
  });
});

describe("material that is there already", () => {
  test("a gossip key and a management token are taken over", async () => {
    const kept = new Kept();
    const [key, management] = [Buffer.alloc(16, 7).toString("base64"), randomUUID()];
    mkdirSync(kept.path, { mode: 0o700 });
    writeFileSync(join(kept.path, "gossip.key"), key, { mode: 0o600 });
    writeFileSync(join(kept.path, "tokens.json"), JSON.stringify({ current: { management }, retiring: {} }), {
      mode: 0o600,
    });
    await kept.init();
    expect(kept.found()).toEqual([]);
    expect(kept.json("agents/s1/gossip.json")).toEqual({ encrypt: key });
    expect(kept.json("tokens.json").current.management).toBe(management);
  });

  const written = (file: string, content: string): string => {
    const path = join(folder(), file);
    writeFileSync(path, content);
    return path;
  };

  test("a CA with its key issues the certificates", async () => {
    const kept = new Kept();
    const ca = await makeCa("mine", new Date());
    const given = { ca: written("ca.pem", `a comment\n${ca.cert}`), caKey: written("ca-key.pem", ca.key) };
    await initialize(kept.cluster(), kept.secrets, given);
    expect(kept.found()).toEqual([]);
    expect(new X509Certificate(kept.read("ca.pem")).fingerprint256).toBe(new X509Certificate(ca.cert).fingerprint256);
    expect(await initialize(kept.cluster(), kept.secrets, given)).toEqual({ made: [], removed: [], needed: [] });
  });
  test("a CA that cannot be one is refused, and nothing is written", async () => {
    const kept = new Kept();
    const [ca, other, expired] = [
      await makeCa("mine", new Date()),
      await makeCa("other", new Date()),
      await makeCa("old", daysAgo(4000)),
    ];
    const leaf = await issue(ca, { commonName: "x" }, new Date());
    const refusal = (given: object) => initialize(kept.cluster(), kept.secrets, given);
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
    await expect(refusal({ leaves: folder() })).rejects.toThrow(
      /^--leaves needs the CA that issued them, .*\n {2}.*--ca FILE$/,
    );
    expect(existsSync(kept.path)).toBe(false);
  });
  test("another CA than the one that is in use is refused", async () => {
    const kept = new Kept();
    await kept.init();
    const before = kept.everything();
    const ca = written("ca.pem", (await makeCa("mine", new Date())).cert);
    await expect(initialize(kept.cluster(), kept.secrets, { ca })).rejects.toThrow(
      "npm run secrets -- rotate ca --ca FILE",
    );
    expect(kept.everything()).toEqual(before);
  });

  describe("a CA whose key is elsewhere", () => {
    const kept = new Kept();
    let ca: Awaited<ReturnType<typeof makeCa>>;
    beforeAll(async () => {
      ca = await makeCa("vault", new Date());
    });

    test("has what is missing listed, with the names that it needs, and all else is made", async () => {
      const { needed } = await initialize(kept.cluster(), kept.secrets, { ca: written("ca.pem", ca.cert) });
      expect(needed.map(({ name }) => name)).toEqual(["s1", "s2", "s3", "operator"]);
      expect(needed[0]).toEqual({
        name: "s1",
        why: "new",
        dns: ["server.dc1.consul", "s1.server.dc1.consul", "localhost"],
        ip: ["127.0.0.1", "10.0.0.1"],
      });
      expect(kept.found().every((line) => /(cert|key)\.pem: is missing$/.test(line))).toBe(true);
      expect(existsSync(join(kept.path, "ca-key.pem"))).toBe(false);
    });
    test("has given certificates refused that do not fit, before any is taken", async () => {
      const leaves = folder();
      const stranger = await makeCa("stranger", new Date());
      for (const { name, commonName, names } of holdersOf(kept.cluster())) {
        const { cert, key } = await issue(name === "s3" ? stranger : ca, { commonName, names }, new Date());
        writeFileSync(join(leaves, `${name}.pem`), cert);
        if (name !== "s2") writeFileSync(join(leaves, `${name}-key.pem`), key);
      }
      const before = kept.everything();
      await expect(initialize(kept.cluster(), kept.secrets, { leaves })).rejects.toThrow("s2-key.pem is missing");
      rmSync(join(leaves, "s2.pem"));
      await expect(initialize(kept.cluster(), kept.secrets, { leaves })).rejects.toThrow(
        "s3.pem is not signed by a CA of ca.pem",
      );
      expect(kept.everything()).toEqual(before);
    });
    test("has given certificates taken", async () => {
      const leaves = folder();
      for (const { name, commonName, names } of holdersOf(kept.cluster())) {
        const { cert, key } = await issue(ca, { commonName, names }, new Date());
        writeFileSync(join(leaves, `${name}.pem`), cert);
        writeFileSync(join(leaves, `${name}-key.pem`), key);
      }
      const { needed, made } = await initialize(kept.cluster(), kept.secrets, { leaves });
      expect(needed).toEqual([]);
      expect(made[0]).toMatch(/^agents\/s1\/cert\.pem, key\.pem: taken from --leaves/);
      expect(kept.found()).toEqual([]);
    });
  });
});

describe("a cluster that begins to save on a schedule", () => {
  const kept = new Kept();
  const saving = (text: string) => `${text}backups: {}\n`;
  let before: Record<string, string>;
  beforeAll(async () => {
    await kept.init();
    before = kept.everything();
  });

  test("lacks a token, and says so", () => {
    expect(kept.found(kept.cluster(saving))).toEqual(["error tokens.json: token backups is missing"]);
  });
  test("is given one by init, apart from the agents' files, of which none changes", async () => {
    await initialize(kept.cluster(saving), kept.secrets, {});
    const { backups } = kept.json("tokens.json").current;
    expect([kept.found(kept.cluster(saving)), kept.read("backups.header")]).toEqual([
      [],
      `X-Consul-Token: ${backups}\n`,
    ]);
    const after = kept.everything();
    const ofAgents = (files: Record<string, string>) =>
      Object.entries(files).filter(([file]) => /^(agents|operator)\//.test(file));
    expect(ofAgents(after)).toEqual(ofAgents(before));
  });
  test("is given another one by a rotation, while the old one is still taken", async () => {
    const old = kept.json("tokens.json").current.backups;
    await rotateTokens(kept.cluster(saving), kept.secrets, ["backups"]);
    const { current, retiring } = kept.json("tokens.json");
    expect([retiring, kept.read("backups.header")]).toEqual([
      { backups: [old] },
      `X-Consul-Token: ${current.backups}\n`,
    ]);
  });
  test("and gives it up: the file is nobody's, the token retires", async () => {
    expect(kept.found()).toContain(
      "warning backups.header: is nobody's: of nothing in the cluster file, or left by a run that was interrupted",
    );
    const { removed } = await kept.init();
    expect([removed, existsSync(join(kept.path, "backups.header"))]).toEqual([["backups.header"], false]);
    expect(Object.keys(kept.json("tokens.json").retiring)).toEqual(["backups"]);
  });
});

describe("a run that was interrupted", () => {
  const whole = new Kept();
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
    const kept = new Kept();
    mkdirSync(kept.path, { mode: 0o700 });
    for (const file of ORDER.slice(0, ORDER.indexOf(last) + 1)) kept.secrets.write(file, whole.read(file));
    writeFileSync(join(kept.path, "gossip.key.unfinished"), "half of a ", { mode: 0o600 });
    await kept.init();
    expect(kept.found()).toEqual([]);
    expect(readdirSync(kept.path).filter((file) => file.endsWith(".unfinished"))).toEqual([]);
  });
  test("between a certificate's two files of a rotation is mended by init", async () => {
    const [kept, other] = [new Kept(), new Kept()];
    await Promise.all([kept.init(), other.init()]);
    kept.secrets.write("agents/s1/key.pem", other.read("agents/s1/key.pem"));
    expect(kept.found()).toEqual(["error agents/s1/key.pem: is not the key of its certificate"]);
    const { made } = await kept.init();
    expect(made).toEqual([expect.stringMatching(/^agents\/s1\/.*\(the old one is not the key of its certificate\)$/)]);
    expect(kept.found()).toEqual([]);
  });
});

test("what a cluster runs with is not made anew when it is lost, for the cluster would not take it", async () => {
  for (const [file, copy] of Object.entries({
    "ca.pem": "operator/ca.pem",
    "gossip.key": "gossip.json",
    "tokens.json": "acl.json",
  })) {
    const kept = new Kept();
    await kept.init();
    rmSync(join(kept.path, file));
    await expect(kept.init()).rejects.toThrow(copy);
    expect(existsSync(join(kept.path, file))).toBe(false);
  }
});

test("a link to a folder that is gone is said", async () => {
  const kept = new Kept();
  symlinkSync("/nonexistent/secrets", kept.path);
  await expect(kept.init()).rejects.toThrow("a link to one that is gone");
});

test("a folder below what is a file is said", async () => {
  const path = join(new Kept().file(), "secrets");
  const cluster = load(new Kept().text.replace("security: off", `security: { secrets: ${path} }`));
  await expect(initialize(cluster, new SecretsFolder(path), {})).rejects.toThrow(
    `${path} cannot be looked at: ENOTDIR\n  name a folder that this user can make`,
  );
});
