import type { X509Certificate } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { certificatesIn, issuerOf } from "../../../ops/secrets/certificate";
import { renewDue } from "../../../ops/secrets/due";
import { initialize } from "../../../ops/secrets/initialize";
import { revoke, rotateCa } from "../../../ops/secrets/rotate";
import { ClusterSecrets, DAY_MS, daysAgo } from "./cluster-secrets";

const HOLDERS = ["agents/s1", "agents/s2", "agents/s3", "operator"];
const ISSUED = HOLDERS.map((at) => expect.stringMatching(new RegExp(`^${at}/cert\\.pem, key\\.pem: issued, until `)));
const NEW_CA = expect.stringMatching(/^ca\.pem, ca-key\.pem: a new CA in front, until /);
const RENDERED = expect.stringMatching(/from what changed$/);

/** Secrets that were made some days ago. A CA is valid for 3650 days, a certificate for 365. */
async function madeAgo(days: number): Promise<ClusterSecrets> {
  const stored = new ClusterSecrets();
  await stored.init(daysAgo(days));
  return stored;
}

/** @param agents whose containers lack the newest CA */
const renew = (stored: ClusterSecrets, { agents = [] as readonly string[], now = new Date() } = {}) =>
  renewDue(
    stored.cluster(),
    stored.secrets,
    {
      period: 30 * DAY_MS,
      notTrusting: async () => agents.map((agent) => ({ agent, why: "its container does not have it yet" })),
    },
    now,
  );

/** Which of the CAs signs each certificate. */
const signedBy = (stored: ClusterSecrets): number[] => {
  const cas = certificatesIn(stored.read("ca.pem"));
  return HOLDERS.map((at) =>
    cas.indexOf(issuerOf(certificatesIn(stored.read(`${at}/cert.pem`)), cas) as X509Certificate),
  );
};

test("nothing is due: nothing is written", async () => {
  const stored = await madeAgo(300);
  const before = stored.everything();
  expect(await renew(stored)).toEqual({ made: [], needed: [], removed: [], waiting: [] });
  expect(stored.everything()).toEqual(before);
});

test("certificates that expire within the period are reissued, and a second run has nothing to do", async () => {
  const stored = await madeAgo(340);
  expect((await renew(stored)).made).toEqual(ISSUED);
  expect(stored.found()).toEqual([]);
  expect(await renew(stored)).toEqual({ made: [], needed: [], removed: [], waiting: [] });
});

test("certificates that have expired are reissued too", async () => {
  const stored = await madeAgo(400);
  expect((await renew(stored)).made).toEqual(ISSUED);
  expect(stored.found()).toEqual([]);
});

test("a missing certificate is issued", async () => {
  const stored = await madeAgo(1);
  rmSync(join(stored.path, "operator/cert.pem"));
  expect((await renew(stored)).made).toEqual([expect.stringMatching(/^operator\/cert\.pem.*\(new\)$/)]);
});

describe("a CA that expires within the period", () => {
  let stored: ClusterSecrets;
  beforeEach(async () => {
    stored = await madeAgo(3630);
    // As a job that ran every night would have left them.
    await initialize(stored.cluster(), stored.secrets, {});
  });

  test("is replaced in steps, and no step goes before every agent trusts the new CA", async () => {
    expect((await renew(stored)).made).toEqual([NEW_CA, RENDERED]);
    expect(signedBy(stored)).toEqual([1, 1, 1, 1]);

    const waiting = await renew(stored, { agents: ["c1"] });
    expect(waiting).toMatchObject({ made: [], waiting: [{ agent: "c1" }] });
    expect(signedBy(stored)).toEqual([1, 1, 1, 1]);

    expect(await renew(stored)).toMatchObject({ made: ISSUED, waiting: [] });
    expect(signedBy(stored)).toEqual([0, 0, 0, 0]);
    await revoke(stored.cluster(), stored.secrets);
    expect(stored.found()).toEqual([]);
    expect((await renew(stored)).made).toEqual([]);
  });

  test("while agents lack the new one, a certificate that has expired is reissued all the same", async () => {
    await renew(stored);
    const later = new Date(Date.now() + 25 * DAY_MS);
    expect((await renew(stored, { agents: ["c1"], now: later })).made).toEqual(ISSUED);
    expect(signedBy(stored)).toEqual([0, 0, 0, 0]);
  });

  test("and whose key is elsewhere is an error that says so", async () => {
    rmSync(join(stored.path, "ca-key.pem"));
    await expect(renew(stored)).rejects.toThrow(
      /ca\.pem: the newest CA expires on .*, and its key is not here\n.*--ca FILE/,
    );
  });
});

test("a CA that has expired is replaced with all its certificates at once: nobody trusts the old ones", async () => {
  const stored = await madeAgo(4000);
  const { made } = await renew(stored, { agents: ["s1", "s2", "s3", "c1"] });
  expect(made).toEqual([NEW_CA, ...ISSUED, RENDERED]);
  expect(signedBy(stored)).toEqual([0, 0, 0, 0]);
  expect(stored.found().filter((problem) => problem.startsWith("error"))).toEqual([]);
});

test("certificates whose CA's key is elsewhere have to be issued there", async () => {
  const stored = await madeAgo(340);
  rmSync(join(stored.path, "ca-key.pem"));
  const { made, needed } = await renew(stored);
  expect(made).toEqual([]);
  expect(needed.map(({ name, why }) => `${name} ${why.replace(/[\d-]+$/, "DAY")}`)).toEqual(
    ["s1", "s2", "s3", "operator"].map((name) => `${name} the old one is usable until DAY`),
  );
});

test("another CA that is trusted too does not delay what the newest one issues, once agents have it", async () => {
  const stored = await madeAgo(340);
  await rotateCa(stored.cluster(), stored.secrets, {});
  expect(await renew(stored, { agents: ["s2"] })).toMatchObject({ made: [], waiting: [{ agent: "s2" }] });
  expect((await renew(stored)).made).toEqual(ISSUED);
});
