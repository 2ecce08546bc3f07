import { X509Certificate } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificatesIn, issuerOf } from "../../../ops/secrets/certificate";
import { issue, makeCa } from "../../../ops/secrets/certificates";
import { initialize } from "../../../ops/secrets/initialize";
import { revoke, rotateCa, rotateCertificates, rotateGossip, rotateTokens } from "../../../ops/secrets/rotate";
import { holdersOf } from "../../../ops/secrets/sources";
import { folder } from "../../cluster-files";
import { ClusterSecrets, daysAgo } from "./cluster-secrets";

let stored: ClusterSecrets;
const made = new ClusterSecrets();
beforeAll(() => made.init());
beforeEach(() => {
  stored = new ClusterSecrets().copy(made);
});

const HOLDERS = ["agents/s1", "agents/s2", "agents/s3", "operator"];
const OLD_CA = ["warning ca.pem: an older CA is still trusted"];
/** Which of the CAs signs each certificate. */
const signedBy = () => {
  const cas = certificatesIn(stored.read("ca.pem"));
  return HOLDERS.map((at) =>
    cas.indexOf(issuerOf(certificatesIn(stored.read(`${at}/cert.pem`)), cas) as X509Certificate),
  );
};

test("a new gossip key is in every agent's folder, and nothing else changes", async () => {
  const [before, key] = [stored.everything(), stored.read("gossip.key")];
  await rotateGossip(stored.cluster(), stored.secrets);
  const changed = Object.entries(stored.everything()).flatMap(([file, now]) =>
    now !== before[file] && file.includes(".") ? [file] : [],
  );
  expect(changed).toEqual([
    ...["c1", "s1", "s2", "s3"].map((name) => `agents/${name}/gossip.json`),
    "gossip.key",
    "history.txt",
  ]);
  expect(stored.read("gossip.key")).not.toBe(key);
  expect(stored.found()).toEqual([]);
});

test("a CA is replaced in three steps, and in each every certificate is of a CA that all agents trust", async () => {
  const [first] = certificatesIn(stored.read("ca.pem"));
  await rotateCa(stored.cluster(), stored.secrets, {});
  expect(certificatesIn(stored.read("agents/c1/ca.pem")).map(({ fingerprint256 }) => fingerprint256)[1]).toBe(
    first?.fingerprint256,
  );
  expect(signedBy()).toEqual([1, 1, 1, 1]);
  expect(stored.found()).toEqual(OLD_CA);
  await expect(revoke(stored.cluster(), stored.secrets)).rejects.toThrow(
    "rotate certificates s1 s2 s3 operator, deploy",
  );

  await rotateCertificates(stored.cluster(), stored.secrets, ["s*"], {});
  expect(signedBy()).toEqual([0, 0, 0, 1]);
  await expect(revoke(stored.cluster(), stored.secrets)).rejects.toThrow(
    "certificates of an older CA are in use: operator\n",
  );
  expect(certificatesIn(stored.read("ca.pem"))).toHaveLength(2);

  await rotateCertificates(stored.cluster(), stored.secrets, [], {});
  const { removed } = await revoke(stored.cluster(), stored.secrets);
  expect(removed).toEqual(["ca.pem: 1 older CA"]);
  expect(certificatesIn(stored.read("agents/c1/ca.pem"))).toHaveLength(1);
  expect(signedBy()).toEqual([0, 0, 0, 0]);
  expect(stored.found()).toEqual([]);
});

test("missing secrets are neither rotated nor created", async () => {
  const none = new ClusterSecrets();
  await expect(rotateGossip(none.cluster(), none.secrets)).rejects.toThrow(
    `${none.path}: error secrets-folder-missing: does not exist\n    hint: npm run secrets -- init`,
  );
  expect(existsSync(none.path)).toBe(false);
});

test("another rotation completes one that was interrupted between the CA's two files", async () => {
  const key = stored.read("ca-key.pem");
  await rotateCa(stored.cluster(), stored.secrets, {});
  stored.secrets.write("ca-key.pem", key);
  expect(stored.found()[0]).toBe("error ca-key.pem: is not the key of the first certificate in ca.pem");
  await expect(rotateCertificates(stored.cluster(), stored.secrets, [], {})).rejects.toThrow("rotate ca");
  await rotateCa(stored.cluster(), stored.secrets, {});
  expect(stored.found()).toEqual([...OLD_CA, ...OLD_CA]);
  expect(signedBy()).toEqual([2, 2, 2, 2]);
});

test("an expired CA issues no certificates", async () => {
  const old = new ClusterSecrets();
  await old.init(daysAgo(4000));
  await expect(rotateCertificates(old.cluster(), old.secrets, [], {})).rejects.toThrow(
    /ca\.pem: error certificate-expired: the newest CA expired on .*\n.*rotate ca/,
  );
});

describe("certificates", () => {
  test("of one agent are new, and the others' stay", async () => {
    const before = stored.everything();
    const { made } = await rotateCertificates(stored.cluster(), stored.secrets, ["s2"], {});
    expect(made).toHaveLength(1);
    const changed = Object.entries(stored.everything()).flatMap(([file, now]) =>
      now !== before[file] && file.includes(".") ? [file] : [],
    );
    expect(changed).toEqual(["agents/s2/cert.pem", "agents/s2/key.pem", "history.txt"]);
  });
  test.each(["c1", "nope", "s11"])("of %s, which has none, are refused without a suggestion", async (name) =>
    expect(rotateCertificates(stored.cluster(), stored.secrets, [name], {})).rejects.toThrow(
      `there is no certificate of ${name}; there are s1, s2, s3, operator`,
    ),
  );
  test("of a misspelt name are refused with a suggestion", async () =>
    expect(rotateCertificates(stored.cluster(), stored.secrets, ["oprator"], {})).rejects.toThrow(
      'there is no certificate of oprator; did you mean "operator"?',
    ));
});

test("a CA that is kept elsewhere replaces the present one, with its certificates", async () => {
  const mine = await makeCa("vault", new Date());
  const certificates = folder();
  writeFileSync(join(certificates, "vault.pem"), mine.cert);
  await rotateCa(stored.cluster(), stored.secrets, { ca: join(certificates, "vault.pem") });
  expect(existsSync(join(stored.path, "ca-key.pem"))).toBe(false);
  const { needed } = await rotateCertificates(stored.cluster(), stored.secrets, [], { certificates: certificates });
  expect(needed.map(({ name, why }) => `${name} ${why}`)).toEqual([
    "s1 rotated",
    "s2 rotated",
    "s3 rotated",
    "operator rotated",
  ]);
  for (const { name, commonName, names } of holdersOf(stored.cluster())) {
    const { cert, key } = await issue(mine, { commonName, names }, new Date());
    writeFileSync(join(certificates, `${name}.pem`), cert);
    writeFileSync(join(certificates, `${name}-key.pem`), key);
  }
  await rotateCertificates(stored.cluster(), stored.secrets, [], { certificates: certificates });
  await revoke(stored.cluster(), stored.secrets);
  expect(new X509Certificate(stored.read("ca.pem")).subject).toBe(new X509Certificate(mine.cert).subject);
  expect(stored.found()).toEqual([]);
  await expect(rotateCa(stored.cluster(), stored.secrets, { ca: join(certificates, "vault.pem") })).rejects.toThrow(
    "is the newest CA of",
  );
});

describe("tokens", () => {
  const tokens = () => stored.json("tokens.json");

  test("by name are new, the old ones are to be revoked, and agents get the new ones", async () => {
    const { current } = tokens();
    await rotateTokens(stored.cluster(), stored.secrets, ["agent:c1", "management"]);
    expect(tokens().retiring).toEqual({ "agent:c1": [current["agent:c1"]], management: [current.management] });
    expect(tokens().current).toEqual({
      ...current,
      "agent:c1": expect.not.stringMatching(current["agent:c1"]),
      management: expect.not.stringMatching(current.management),
    });
    expect(stored.json("agents/c1/tokens.json").acl.tokens.agent).toBe(tokens().current["agent:c1"]);
    expect(stored.json("acl.json")).toEqual({
      current: tokens().current,
      retiring: [current["agent:c1"], current.management].sort(),
    });
    expect(stored.found()).toEqual(["warning tokens.json: old tokens are still accepted: agent:c1, management"]);
  });
  test("of registrator change its file alone", async () => {
    const registering = () => stored.cluster((text) => `${text}registrator: on\n`);
    await initialize(registering(), stored.secrets, {});
    const [before, token] = [stored.everything(), stored.read("registrator.token")];
    await rotateTokens(registering(), stored.secrets, ["registrator"]);
    const changed = Object.entries(stored.everything()).flatMap(([file, now]) =>
      now !== before[file] && file.includes(".") ? [file] : [],
    );
    expect(changed).toEqual(["acl.json", "registrator.token", "tokens.json"]);
    expect(tokens().retiring).toEqual({ registrator: [token.trim()] });
  });
  test("all of them, twice: every old one is accepted until it is revoked", async () => {
    const first = tokens().current;
    await rotateTokens(stored.cluster(), stored.secrets, []);
    const second = tokens().current;
    await rotateTokens(stored.cluster(), stored.secrets, []);
    expect(tokens().retiring).toEqual(
      Object.fromEntries(Object.keys(first).map((name) => [name, [first[name], second[name]]])),
    );
    const removed = [`tokens.json: ${2 * Object.keys(first).length} old tokens`];
    expect(await revoke(stored.cluster(), stored.secrets)).toMatchObject({ removed });
    expect(tokens().retiring).toEqual({});
    expect(stored.json("acl.json").retiring).toEqual([]);
    expect(stored.found()).toEqual([]);
    expect(await revoke(stored.cluster(), stored.secrets)).toEqual({ made: [], removed: [], needed: [] });
  });
  test("servers are replaced when the management token that they may have been started with is revoked", async () => {
    const hash = () => stored.read("agents/s1/management.sha256");
    const before = hash();
    await rotateTokens(stored.cluster(), stored.secrets, ["management"]);
    await rotateTokens(stored.cluster(), stored.secrets, ["management"]);
    expect(hash()).toBe(before);
    await revoke(stored.cluster(), stored.secrets);
    expect(hash()).not.toBe(before);
  });
  test("two with one SecretID: the one that stays in use is not revoked", async () => {
    const { current, retiring } = tokens();
    stored.change("tokens.json", () => JSON.stringify({ current: { ...current, dns: current.health }, retiring }));
    await rotateTokens(stored.cluster(), stored.secrets, ["dns"]);
    expect(tokens().retiring).toEqual({});
    expect(tokens().current.health).toBe(current.health);
    expect(stored.found()).toEqual([]);
  });
  test("with an unknown name are refused", async () =>
    expect(rotateTokens(stored.cluster(), stored.secrets, ["managment"])).rejects.toThrow(
      'there is no token managment; did you mean "management"?',
    ));
});
