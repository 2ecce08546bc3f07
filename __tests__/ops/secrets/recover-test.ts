import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issue, makeCa } from "../../../ops/secrets/certificates";
import type { FoundSecrets, ListedToken } from "../../../ops/secrets/delivered";
import { initialize } from "../../../ops/secrets/initialize";
import { recover } from "../../../ops/secrets/recover";
import { revoke, rotateCa, rotateCertificates, rotateTokens } from "../../../ops/secrets/rotate";
import { versionOf } from "../../../ops/secrets/versions";
import { folder } from "../../cluster-files";
import { ClusterSecrets, daysAgo } from "./cluster-secrets";

const AGENTS = ["c1", "s1", "s2", "s3"];
const made = new ClusterSecrets();
beforeAll(() => made.init());
let stored: ClusterSecrets;
beforeEach(() => {
  stored = new ClusterSecrets().copy(made);
});

/** A cluster to which the folder was deployed. */
function deployed({ cluster = stored.cluster() } = {}): {
  files: Map<string, Map<string, string>>;
  found: FoundSecrets;
} {
  const files = new Map(
    cluster.agents.map(({ name }) => {
      const names = readdirSync(join(stored.path, "agents", name));
      return [name, new Map(names.map((file) => [file, stored.read(`agents/${name}/${file}`)]))];
    }),
  );
  const { current, retiring } = stored.json("tokens.json") as {
    current: Record<string, string>;
    retiring: Record<string, string[]>;
  };
  const tokens: ListedToken[] = [
    ...Object.entries(retiring).flatMap(([name, ids]) => ids.map((id) => [name, id] as const)),
    ...Object.entries(current),
  ].map(([name, SecretID], index) => ({ SecretID, Description: `consul-cdktf: ${name}`, CreateIndex: 10 + index }));
  const others = [{ SecretID: "00000000-0000-0000-0000-000000000002", Description: "Anonymous Token", CreateIndex: 1 }];
  const delivered = new Map([...files].map(([name, known]) => [name, { files: known }]));
  return { files, found: { delivered, tokens: [...others, ...tokens].reverse() } };
}

const lose = () => rmSync(stored.path, { recursive: true });
const recovered = (found: FoundSecrets, given = {}) => recover(stored.cluster(), stored.secrets, found, given);
const SOURCES = [
  "gossip.key",
  "tokens.json",
  ...["s1", "s2", "s3"].flatMap((name) => [`agents/${name}/cert.pem`, `agents/${name}/key.pem`]),
];
const sources = () => SOURCES.map((file) => stored.read(file));

test("a lost folder is read back; a new CA is trusted beside the old one, and issues what nobody has", async () => {
  const { found } = deployed();
  const [before, ca] = [sources(), stored.read("ca.pem")];
  const versions = stored.cluster().agents.map((agent) => versionOf(stored.secrets, agent));
  lose();
  const done = await recovered(found);
  expect(done.readBack).toEqual([
    "ca.pem: the CA's certificate",
    "gossip.key: the gossip key",
    "tokens.json: SecretIDs of management, rollout-server, rollout-client, health, dns, agent:c1, agent:s1, agent:s2, agent:s3",
    ...["s1", "s2", "s3"].map((name) => `agents/${name}/cert.pem, key.pem: its certificate and its key`),
  ]);
  expect(done.lost).toEqual(["ca-key.pem: no container has it", "operator/cert.pem, key.pem: no container has it"]);
  expect(done.made.slice(0, 2)).toEqual([
    expect.stringMatching(/^ca\.pem, ca-key\.pem: a new CA in front/),
    expect.stringMatching(/^operator\/cert\.pem, key\.pem: issued/),
  ]);
  expect([done.differing, done.unknown, done.needed, done.removed]).toEqual([[], [], [], []]);
  expect(sources()).toEqual(before);
  expect(stored.read("ca.pem").endsWith(ca)).toBe(true);
  expect(stored.found()).toEqual(["warning ca.pem: an older CA is still trusted"]);
  expect(statSync(stored.path).mode & 0o777).toBe(0o700);
  // A deploy knows that the folder is newer than what agents have.
  for (const [index, { name }] of stored.cluster().agents.entries())
    expect(stored.read("history.txt")).toContain(`${name} ${versions[index]?.slice(0, 4)}`);

  await rotateCertificates(stored.cluster(), stored.secrets, [], {});
  await revoke(stored.cluster(), stored.secrets);
  expect(stored.found()).toEqual([]);
});

test("a second run changes nothing", async () => {
  const { found } = deployed();
  lose();
  await recovered(found);
  const [before, history] = [stored.everything(), stored.read("history.txt")];
  const { differing, ...done } = await recovered(found);
  expect(done).toEqual({ readBack: [], lost: [], unknown: [], made: [], needed: [], removed: [] });
  expect(differing).toEqual(AGENTS.map((agent) => ({ agent, why: "its container has another ca.pem" })));
  expect(stored.read("history.txt")).toBe(history);
  // Each run writes the history before its work, and again after it.
  expect({ ...stored.everything(), "history.txt": "" }).toEqual({ ...before, "history.txt": "" });
});

test("damaged files are read back, and all others stay, the CA's key among them", async () => {
  const { found } = deployed();
  const [before, key] = [sources(), stored.read("ca-key.pem")];
  stored.change("tokens.json", () => "{");
  stored.change("gossip.key", () => "no key");
  stored.change("agents/s2/key.pem", () => "damaged");
  rmSync(join(stored.path, "agents/c1"), { recursive: true });
  const done = await recovered(found);
  expect(done.readBack.map((line) => line.split(":")[0])).toEqual([
    "gossip.key",
    "tokens.json",
    "agents/s2/cert.pem, key.pem",
  ]);
  expect(done.lost).toEqual([]);
  expect(sources()).toEqual(before);
  expect(stored.read("ca-key.pem")).toBe(key);
  expect(stored.found()).toEqual([]);
});

test("what is damaged in one container is taken from the others", async () => {
  const { files, found } = deployed();
  const before = sources();
  for (const file of ["ca.pem", "gossip.json", "tokens.json", "management.header", "key.pem"])
    files.get("s2")?.set(file, "damaged");
  lose();
  const done = await recovered(found);
  expect(done.lost).toContain("agents/s2/cert.pem, key.pem: its container has no usable one");
  expect(done.made[1]).toMatch(/^agents\/s2\/cert\.pem, key\.pem: issued/);
  expect(done.unknown.map(({ agent }) => agent)).toEqual(["s2"]);
  expect(done.differing).toEqual([
    {
      agent: "s2",
      why: "its container has another ca.pem, cert.pem, key.pem, gossip.json, tokens.json, management.header",
    },
  ]);
  expect(sources().slice(0, 2)).toEqual(before.slice(0, 2));
  expect(stored.found()).toEqual(["warning ca.pem: an older CA is still trusted"]);
});

test("during a rotation, old tokens are retiring, and both CAs are trusted", async () => {
  await rotateTokens(stored.cluster(), stored.secrets, []);
  await rotateCa(stored.cluster(), stored.secrets, {});
  const { found } = deployed();
  const [tokens, cas] = [stored.json("tokens.json"), stored.read("ca.pem")];
  const digest = stored.read("agents/s1/management.sha256");
  lose();
  expect((await recovered(found)).readBack).toContain("ca.pem: 2 CAs, the newest first");
  expect(stored.json("tokens.json")).toEqual(tokens);
  expect(stored.read("agents/s1/management.sha256")).toBe(digest);
  expect(stored.read("ca.pem").endsWith(cas)).toBe(true);
});

test("a rotation that was delivered to some agents alone: the newest token counts", async () => {
  const old = deployed();
  await rotateTokens(stored.cluster(), stored.secrets, ["dns"]);
  const { files, found } = deployed();
  const tokens = stored.json("tokens.json");
  for (const name of ["s1", "s2", "c1"])
    files.get(name)?.set("tokens.json", old.files.get(name)?.get("tokens.json") ?? "");
  lose();
  await recovered(found);
  expect(stored.json("tokens.json").current.dns).toBe(tokens.current.dns);
  expect(stored.json("tokens.json").retiring).toEqual(tokens.retiring);
});

test("the management token that Consul created itself is recognized", async () => {
  const { found } = deployed();
  const { management } = stored.json("tokens.json").current;
  lose();
  await recovered({
    ...found,
    tokens: found.tokens.map((token) =>
      token.SecretID === management ? { ...token, Description: "Initial Management Token" } : token,
    ),
  });
  expect(stored.json("tokens.json")).toMatchObject({ current: { management }, retiring: {} });
});

test("a token that the file no longer has is to be revoked; one that is new in it is created", async () => {
  const { found } = deployed();
  const obsolete = "11111111-1111-4111-8111-111111111111";
  lose();
  const cluster = stored.cluster((text) => text.replace("security: off", "security: off\nmetrics: on"));
  const listed = { SecretID: obsolete, Description: "consul-cdktf: shop", CreateIndex: 99 };
  const done = await recover(cluster, stored.secrets, { ...found, tokens: [...found.tokens, listed] }, {});
  expect(done.made).toContain("tokens.json: SecretIDs of metrics, which the cluster does not have");
  expect(stored.json("tokens.json").retiring).toEqual({ shop: [obsolete] });
});

test("with a copy of the CA's key, no new CA is made", async () => {
  const { found } = deployed();
  const copies = folder();
  for (const file of ["ca.pem", "ca-key.pem"]) writeFileSync(join(copies, file), stored.read(file));
  lose();
  const done = await recovered(found, { ca: join(copies, "ca.pem"), caKey: join(copies, "ca-key.pem") });
  expect(done.made.slice(0, 2)).toEqual([
    "ca-key.pem: the CA's key, as it was given",
    expect.stringMatching(/^operator\/cert\.pem, key\.pem: issued/),
  ]);
  expect(stored.found()).toEqual([]);
});

/** A cluster that was deployed with a CA of a company, and whose folder is lost. */
async function withCompanyCa(): Promise<{ found: FoundSecrets; ca: string }> {
  const { cert, key } = await makeCa("of a company", new Date());
  const at = folder();
  writeFileSync(join(at, "ca.pem"), cert);
  writeFileSync(join(at, "ca-key.pem"), key);
  stored = new ClusterSecrets();
  await initialize(stored.cluster(), stored.secrets, { ca: join(at, "ca.pem"), caKey: join(at, "ca-key.pem") });
  const { found } = deployed();
  lose();
  return { found, ca: cert };
}

test("a CA of your own is not replaced: its certificates have to be issued where its key is", async () => {
  const { found, ca } = await withCompanyCa();
  const done = await recovered(found);
  expect(done.needed.map(({ name }) => name)).toEqual(["operator"]);
  expect(stored.read("ca.pem")).toBe(ca);
});

test("certificates that have expired in the containers are reissued", async () => {
  stored = new ClusterSecrets();
  await stored.init(daysAgo(400));
  const { found } = deployed();
  lose();
  const done = await recovered(found);
  expect(done.lost).toContain("agents/s1/cert.pem, key.pem: its container has no usable one");
  expect(done.unknown).toEqual([]);
  expect(stored.found()).toEqual(["warning ca.pem: an older CA is still trusted"]);
});

test("without any server's container, nothing is written", async () => {
  const { found } = deployed();
  lose();
  const clients = new Map([...found.delivered].filter(([name]) => name === "c1"));
  await expect(recovered({ ...found, delivered: clients })).rejects.toThrow("no server's container has secrets");
  expect(() => statSync(stored.path)).toThrow("ENOENT");
});

test("a folder that was made after the loss is refused: it would hide what agents have", async () => {
  const { found } = deployed();
  stored = new ClusterSecrets();
  await stored.init();
  const before = stored.everything();
  await expect(recovered(found)).rejects.toThrow(
    /no agent trusts a CA of .*ca\.pem.*\n {2}move .* away, and repeat this/,
  );
  expect({ ...stored.everything(), "": "" }).toMatchObject(before);
});

test("a certificate of another server's container does not count", async () => {
  const { files, found } = deployed();
  const other = await issue(
    { cert: stored.read("ca.pem"), key: stored.read("ca-key.pem") },
    { commonName: "x" },
    new Date(),
  );
  files.get("s1")?.set("cert.pem", other.cert);
  files.get("s1")?.set("key.pem", other.key);
  lose();
  expect((await recovered(found)).lost).toContain("agents/s1/cert.pem, key.pem: its container has no usable one");
});

test("a CA of your own whose key is lost is replaced by `rotate ca` and `init`", async () => {
  const { found } = await withCompanyCa();
  await recovered(found);
  await rotateCa(stored.cluster(), stored.secrets, {});
  await stored.init();
  expect(stored.found()).toEqual(["warning ca.pem: an older CA is still trusted"]);
});
