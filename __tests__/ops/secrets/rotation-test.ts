import { X509Certificate } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificatesIn, issuerOf } from "../../../ops/secrets/certificate";
import { issue, makeCa } from "../../../ops/secrets/certificates";
import { initialize } from "../../../ops/secrets/initialize";
import { revoke, rotateCa, rotateCertificates, rotateGossip, rotateTokens } from "../../../ops/secrets/rotation";
import { holdersOf } from "../../../ops/secrets/sources";
import { folder } from "../../cluster-files";
import { daysAgo, Kept } from "./kept";

let kept: Kept;
const made = new Kept();
beforeAll(() => made.init());
beforeEach(() => {
  kept = new Kept().copy(made);
});

const LEAVES = ["agents/s1", "agents/s2", "agents/s3", "operator"];
const OLD_CA = ["warning ca.pem: an older CA is still trusted"];
/** Which of the CAs signs each certificate. */
const signedBy = () => {
  const cas = certificatesIn(kept.read("ca.pem"));
  return LEAVES.map((at) => cas.indexOf(issuerOf(certificatesIn(kept.read(`${at}/cert.pem`)), cas) as X509Certificate));
};

test("a new gossip key is in every agent's folder, and nothing else changes", async () => {
  const [before, key] = [kept.everything(), kept.read("gossip.key")];
  await rotateGossip(kept.cluster(), kept.secrets);
  const changed = Object.entries(kept.everything()).flatMap(([file, now]) =>
    now !== before[file] && file.includes(".") ? [file] : [],
  );
  expect(changed).toEqual([...["c1", "s1", "s2", "s3"].map((name) => `agents/${name}/gossip.json`), "gossip.key"]);
  expect(kept.read("gossip.key")).not.toBe(key);
  expect(kept.found()).toEqual([]);
});

test("a CA goes over in three steps, in each of which every certificate is of a CA that all trust", async () => {
  const [first] = certificatesIn(kept.read("ca.pem"));
  await rotateCa(kept.cluster(), kept.secrets, {});
  expect(certificatesIn(kept.read("agents/c1/ca.pem")).map(({ fingerprint256 }) => fingerprint256)[1]).toBe(
    first?.fingerprint256,
  );
  expect(signedBy()).toEqual([1, 1, 1, 1]);
  expect(kept.found()).toEqual(OLD_CA);
  await expect(revoke(kept.cluster(), kept.secrets)).rejects.toThrow("rotate leaves s1 s2 s3 operator, deploy");

  await rotateCertificates(kept.cluster(), kept.secrets, ["s*"], {});
  expect(signedBy()).toEqual([0, 0, 0, 1]);
  await expect(revoke(kept.cluster(), kept.secrets)).rejects.toThrow(
    "certificates of an older CA are in use: operator\n",
  );
  expect(certificatesIn(kept.read("ca.pem"))).toHaveLength(2);

  await rotateCertificates(kept.cluster(), kept.secrets, [], {});
  const { removed } = await revoke(kept.cluster(), kept.secrets);
  expect(removed).toEqual(["ca.pem: 1 older CA"]);
  expect(certificatesIn(kept.read("agents/c1/ca.pem"))).toHaveLength(1);
  expect(signedBy()).toEqual([0, 0, 0, 0]);
  expect(kept.found()).toEqual([]);
});

test("of secrets that are not there nothing is rotated, nor made", async () => {
  const none = new Kept();
  await expect(rotateGossip(none.cluster(), none.secrets)).rejects.toThrow(
    `${none.path} is not there\n  npm run secrets -- init`,
  );
  expect(existsSync(none.path)).toBe(false);
});

test("a CA's rotation that stops between its two files is mended by another", async () => {
  const key = kept.read("ca-key.pem");
  await rotateCa(kept.cluster(), kept.secrets, {});
  kept.secrets.write("ca-key.pem", key);
  expect(kept.found()[0]).toBe("error ca-key.pem: is not the key of the first certificate in ca.pem");
  await expect(rotateCertificates(kept.cluster(), kept.secrets, [], {})).rejects.toThrow("rotate ca");
  await rotateCa(kept.cluster(), kept.secrets, {});
  expect(kept.found()).toEqual([...OLD_CA, ...OLD_CA]);
  expect(signedBy()).toEqual([2, 2, 2, 2]);
});

test("a CA that has expired issues nothing more", async () => {
  const old = new Kept();
  await old.init(daysAgo(4000));
  await expect(rotateCertificates(old.cluster(), old.secrets, [], {})).rejects.toThrow(
    /ca\.pem has a newest CA that expired on .*\n.*rotate ca/,
  );
});

describe("leaves", () => {
  test("of one agent alone are new, and the others' stay", async () => {
    const before = kept.everything();
    const { made } = await rotateCertificates(kept.cluster(), kept.secrets, ["s2"], {});
    expect(made).toHaveLength(1);
    const changed = Object.entries(kept.everything()).flatMap(([file, now]) =>
      now !== before[file] && file.includes(".") ? [file] : [],
    );
    expect(changed).toEqual(["agents/s2/cert.pem", "agents/s2/key.pem"]);
  });
  test.each(["c1", "nope", "s11"])("of %s, which has none, are refused, and none is said to be meant", async (name) =>
    expect(rotateCertificates(kept.cluster(), kept.secrets, [name], {})).rejects.toThrow(
      `there is no certificate of ${name}; there are s1, s2, s3, operator`,
    ),
  );
  test("of a slip of the keyboard are refused, with what was meant", async () =>
    expect(rotateCertificates(kept.cluster(), kept.secrets, ["oprator"], {})).rejects.toThrow(
      'there is no certificate of oprator; did you mean "operator"?',
    ));
});

test("a CA that is kept elsewhere takes over, and its certificates with it", async () => {
  const mine = await makeCa("vault", new Date());
  const leaves = folder();
  writeFileSync(join(leaves, "vault.pem"), mine.cert);
  await rotateCa(kept.cluster(), kept.secrets, { ca: join(leaves, "vault.pem") });
  expect(existsSync(join(kept.path, "ca-key.pem"))).toBe(false);
  const { needed } = await rotateCertificates(kept.cluster(), kept.secrets, [], { leaves });
  expect(needed.map(({ name, why }) => `${name} ${why}`)).toEqual([
    "s1 rotated",
    "s2 rotated",
    "s3 rotated",
    "operator rotated",
  ]);
  for (const { name, commonName, names } of holdersOf(kept.cluster())) {
    const { cert, key } = await issue(mine, { commonName, names }, new Date());
    writeFileSync(join(leaves, `${name}.pem`), cert);
    writeFileSync(join(leaves, `${name}-key.pem`), key);
  }
  await rotateCertificates(kept.cluster(), kept.secrets, [], { leaves });
  await revoke(kept.cluster(), kept.secrets);
  expect(new X509Certificate(kept.read("ca.pem")).subject).toBe(new X509Certificate(mine.cert).subject);
  expect(kept.found()).toEqual([]);
  await expect(rotateCa(kept.cluster(), kept.secrets, { ca: join(leaves, "vault.pem") })).rejects.toThrow(
    "is the newest CA of",
  );
});

describe("tokens", () => {
  const tokens = () => kept.json("tokens.json");

  test("that are named are new, the old ones retire, and agents are given the new", async () => {
    const { current } = tokens();
    await rotateTokens(kept.cluster(), kept.secrets, ["agent:c1", "management"]);
    expect(tokens().retiring).toEqual({ "agent:c1": [current["agent:c1"]], management: [current.management] });
    expect(tokens().current).toEqual({
      ...current,
      "agent:c1": expect.not.stringMatching(current["agent:c1"]),
      management: expect.not.stringMatching(current.management),
    });
    expect(kept.json("agents/c1/tokens.json").acl.tokens.agent).toBe(tokens().current["agent:c1"]);
    expect(kept.json("acl.json")).toEqual({
      current: tokens().current,
      retiring: [current["agent:c1"], current.management].sort(),
    });
    expect(kept.found()).toEqual(["warning tokens.json: old tokens are still taken: agent:c1, management"]);
  });
  test("of registrator's are another file, and nothing else changes", async () => {
    const registering = () => kept.cluster((text) => `${text}registrator: on\n`);
    await initialize(registering(), kept.secrets, {});
    const [before, token] = [kept.everything(), kept.read("registrator.token")];
    await rotateTokens(registering(), kept.secrets, ["registrator"]);
    const changed = Object.entries(kept.everything()).flatMap(([file, now]) =>
      now !== before[file] && file.includes(".") ? [file] : [],
    );
    expect(changed).toEqual(["acl.json", "registrator.token", "tokens.json"]);
    expect(tokens().retiring).toEqual({ registrator: [token.trim()] });
  });
  test("all of them, twice: every old one retires until it is dropped", async () => {
    const first = tokens().current;
    await rotateTokens(kept.cluster(), kept.secrets, []);
    const second = tokens().current;
    await rotateTokens(kept.cluster(), kept.secrets, []);
    expect(tokens().retiring).toEqual(
      Object.fromEntries(Object.keys(first).map((name) => [name, [first[name], second[name]]])),
    );
    const removed = [`tokens.json: ${2 * Object.keys(first).length} old tokens`];
    expect(await revoke(kept.cluster(), kept.secrets)).toMatchObject({ removed });
    expect(tokens().retiring).toEqual({});
    expect(kept.json("acl.json").retiring).toEqual([]);
    expect(kept.found()).toEqual([]);
    expect(await revoke(kept.cluster(), kept.secrets)).toEqual({ made: [], removed: [], needed: [] });
  });
  test("servers are to be made anew when the management token that they may have been started with retires", async () => {
    const hash = () => kept.read("agents/s1/management.sha256");
    const before = hash();
    await rotateTokens(kept.cluster(), kept.secrets, ["management"]);
    await rotateTokens(kept.cluster(), kept.secrets, ["management"]);
    expect(hash()).toBe(before);
    await revoke(kept.cluster(), kept.secrets);
    expect(hash()).not.toBe(before);
  });
  test("of two of one SecretID: the one that stays in use does not retire", async () => {
    const { current, retiring } = tokens();
    kept.change("tokens.json", () => JSON.stringify({ current: { ...current, dns: current.health }, retiring }));
    await rotateTokens(kept.cluster(), kept.secrets, ["dns"]);
    expect(tokens().retiring).toEqual({});
    expect(tokens().current.health).toBe(current.health);
    expect(kept.found()).toEqual([]);
  });
  test("that are not there are refused", async () =>
    expect(rotateTokens(kept.cluster(), kept.secrets, ["managment"])).rejects.toThrow(
      'there is no token managment; did you mean "management"?',
    ));
});
