import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { revoke, rotateCa, rotateCertificates, rotateGossip, rotateTokens } from "../../../ops/secrets/rotation";
import { clean, importSecrets } from "../../../ops/secrets/transport";
import { Kept } from "./kept";

let kept: Kept;
const made = new Kept();
beforeAll(() => made.init());
beforeEach(() => {
  kept = new Kept().copy(made);
});

const locks = () => readdirSync(kept.path).filter((file) => file.startsWith(".lock"));
/** A run that is under way: of a process that is there for as long as this one, and is not this one. */
const lock = (id: number) => writeFileSync(join(kept.path, `.lock-${id}`), "", { mode: 0o600 });
const UNDER_WAY = () =>
  `${kept.path} is being changed: another run of secrets is under way, process 1\n` +
  `  wait until it has ended; if that process is no run of secrets, remove ${kept.path}/.lock-1`;

test("of two inits of nothing at the same time, one makes all, and the other says that it is under way", async () => {
  kept = new Kept();
  const both = await Promise.allSettled([kept.init(), kept.init()]);
  for (const one of both)
    if (one.status === "rejected") expect(String(one.reason)).toContain(`under way, process ${process.pid}`);
  expect(both.map(({ status }) => status)).toContain("fulfilled");
  expect(kept.found()).toEqual([]);
  expect(locks()).toEqual([]);
});

test.each<[string, () => Promise<unknown>]>([
  ["init", () => kept.init()],
  ["rotate gossip", () => rotateGossip(kept.cluster(), kept.secrets)],
  ["rotate ca", () => rotateCa(kept.cluster(), kept.secrets, {})],
  ["rotate leaves", () => rotateCertificates(kept.cluster(), kept.secrets, [], {})],
  ["rotate tokens", () => rotateTokens(kept.cluster(), kept.secrets, [])],
  ["retire", () => revoke(kept.cluster(), kept.secrets)],
])("%s changes nothing while another run does", async (_, work) => {
  lock(1);
  const before = kept.everything();
  await expect(work()).rejects.toThrow(UNDER_WAY());
  expect(kept.everything()).toEqual(before);
});

test("nor is an import forgotten, or replaced", async () => {
  const [from, cluster] = [made.path, kept.cluster()];
  kept = new Kept();
  await importSecrets(kept.cluster(), kept.secrets, { from });
  lock(1);
  expect(() => clean(cluster, kept.secrets)).toThrow(UNDER_WAY());
  await expect(importSecrets(cluster, kept.secrets, { from })).rejects.toThrow(UNDER_WAY());
  expect(existsSync(join(kept.path, "ca.pem"))).toBe(true);
  kept.secrets.remove(".lock-1");
  expect(clean(cluster, kept.secrets)).toBe(true);
});

test("a process that is gone is in nobody's way, nor is one that had the same id before", async () => {
  lock(spawnSync("true").pid);
  lock(process.pid);
  await rotateGossip(kept.cluster(), kept.secrets);
  expect(locks()).toEqual([]);
});

test("a run that fails is in nobody's way", async () => {
  await expect(rotateTokens(kept.cluster(), kept.secrets, ["nonsense"])).rejects.toThrow("there is no token nonsense");
  expect(locks()).toEqual([]);
});
