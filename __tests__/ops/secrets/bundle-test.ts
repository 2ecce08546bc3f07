import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { clean, importSecrets, pack } from "../../../ops/secrets/bundle";
import { checkSecrets } from "../../../ops/secrets/check";
import { initialize } from "../../../ops/secrets/initialize";
import { revoke, rotateCa, rotateCertificates, rotateGossip, rotateTokens } from "../../../ops/secrets/rotate";
import { folder } from "../../cluster-files";
import { ClusterSecrets } from "./cluster-secrets";

const stored = new ClusterSecrets();
let text: string;
beforeAll(async () => {
  await stored.init();
  text = pack(stored.cluster(), stored.secrets, true);
});

/** The cluster that imports. The imported copy is deleted after each test. */
let there: ClusterSecrets;
beforeEach(() => {
  there = new ClusterSecrets();
});
afterEach(() => void clean(there.cluster(), there.secrets));

/** Every file below a folder, except git's and an import's own. */
const filesIn = (path: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(path, { recursive: true, encoding: "utf8" })
      .filter((file) => statSync(join(path, file)).isFile())
      .sort()
      .filter((file) => ![".gitignore", "imported-for"].includes(file))
      .map((file) => [file, readFileSync(join(path, file), "utf8")]),
  );
const temporary = () =>
  readdirSync(tmpdir())
    .filter((name) => name.startsWith("consul-cdktf-secrets-c-"))
    .sort();

test("an export is one line, small enough for a secret store", () => {
  expect(text).toMatch(/^[A-Za-z0-9+/]+=*$/);
  expect(text.length).toBeLessThan(10_000);
});

test("an import has the exported and the rendered files, in a private folder outside the checkout", async () => {
  const target = await importSecrets(there.cluster(), there.secrets, { text: `${text}\n` });
  expect(filesIn(target)).toEqual(filesIn(stored.path));
  expect(there.found()).toEqual([]);
  expect(readlinkSync(there.path)).toBe(target);
  expect(target.startsWith(tmpdir())).toBe(true);
  expect(statSync(target).mode & 0o777).toBe(0o700);
});

test("an export without the CA's key is enough to deploy", async () => {
  await importSecrets(there.cluster(), there.secrets, { text: pack(stored.cluster(), stored.secrets, false) });
  const { "ca-key.pem": _, ...others } = filesIn(stored.path);
  expect(filesIn(there.path)).toEqual(others);
  expect(there.found()).toEqual([]);
});

test("an export has the versions before a rotation, so that a pipeline may deploy what was rotated", async () => {
  const rotated = new ClusterSecrets().copy(stored);
  await rotateTokens(rotated.cluster(), rotated.secrets, []);
  await importSecrets(there.cluster(), there.secrets, { text: pack(rotated.cluster(), rotated.secrets, false) });
  expect(there.read("history.txt")).toBe(rotated.read("history.txt"));
});

test("a mounted folder is copied, whatever its permissions, and not deleted", async () => {
  const before = stored.everything();
  chmodSync(join(stored.path, "gossip.key"), 0o644);
  await importSecrets(there.cluster(), there.secrets, { from: stored.path });
  chmodSync(join(stored.path, "gossip.key"), 0o600);
  expect(there.found()).toEqual([]);
  clean(there.cluster(), there.secrets);
  expect(stored.everything()).toEqual(before);
});

test("a second import replaces the first, and clean leaves nothing", async () => {
  const before = temporary();
  await importSecrets(there.cluster(), there.secrets, { text });
  const second = await importSecrets(there.cluster(), there.secrets, { text });
  expect(temporary().filter((name) => !before.includes(name))).toHaveLength(1);
  expect(readlinkSync(there.path)).toBe(second);
  expect(clean(there.cluster(), there.secrets)).toBe(true);
  expect(temporary()).toEqual(before);
  expect(lstatSync(there.path, { throwIfNoEntry: false })).toBeUndefined();
  expect(clean(there.cluster(), there.secrets)).toBe(false);
});

test("of two imports at the same time one succeeds, and the other is refused and leaves nothing", async () => {
  const before = temporary();
  const both = await Promise.allSettled([1, 2].map(() => importSecrets(there.cluster(), there.secrets, { text })));
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(both.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { message: expect.stringContaining("has just been made by another run of secrets") },
  });
  expect(temporary().filter((name) => !before.includes(name))).toHaveLength(1);
  expect(there.found()).toEqual([]);
});

test("clean deletes a link whose folder was deleted with the machine's temporary files", async () => {
  rmSync(await importSecrets(there.cluster(), there.secrets, { text }), { recursive: true });
  expect(clean(there.cluster(), there.secrets)).toBe(true);
  expect(lstatSync(there.path, { throwIfNoEntry: false })).toBeUndefined();
});

describe("an imported copy, which the next clean deletes,", () => {
  const CHANGED = (text: string) =>
    text.replace("c1: 10.0.0.4", "c1: 10.0.0.4, c2: 10.0.0.5").replace("[c1]", "[c1, c2]");
  const refused = (what: string) =>
    `it would be the only place of ${what}\n    hint: do it where the secrets are kept, and export them again`;
  const unchanged = async (work: () => Promise<unknown>, refusal: string) => {
    const before = there.everything();
    await expect(work()).rejects.toThrow(refusal);
    expect(there.everything()).toEqual(before);
  };

  test("accepts an init that has nothing to create", async () => {
    await importSecrets(there.cluster(), there.secrets, { text });
    const before = there.everything();
    expect(await there.init()).toEqual({ made: [], removed: [], needed: [] });
    expect(there.everything()).toEqual(before);
  });
  test("accepts an init that only renders files", async () => {
    await importSecrets(there.cluster(), there.secrets, { text });
    rmSync(join(there.path, "agents/c1/health.token"));
    expect((await there.init()).made).toEqual(["agents/c1/health.token: from what changed"]);
  });
  test("gets no new tokens, certificates or CA's key", async () => {
    await importSecrets(there.cluster(), there.secrets, { text: pack(stored.cluster(), stored.secrets, false) });
    const init = (change?: (text: string) => string, given = {}) =>
      initialize(there.cluster(change), there.secrets, given);
    await unchanged(() => init(CHANGED), refused("tokens of agent:c2"));
    await unchanged(() => init((text) => text.replace("clients: [c1]\n", "")), refused("tokens of agent:c1"));
    await unchanged(() => init((text) => text.replace("10.0.0.2", "10.0.0.22")), refused("certificates of s2"));
    const ca = { ca: join(stored.path, "ca.pem"), caKey: join(stored.path, "ca-key.pem") };
    await unchanged(() => init(undefined, ca), refused("ca-key.pem"));
  });
  test.each(Object.entries({ rotateGossip, rotateCa, rotateCertificates, rotateTokens, revoke }))(
    "is not changed by %s",
    async (name, rotation) => {
      await importSecrets(there.cluster(), there.secrets, { text });
      const words = name === "rotateCa" ? {} : [];
      const work = () =>
        (rotation as (...args: unknown[]) => Promise<unknown>)(there.cluster(), there.secrets, words, {});
      await unchanged(work, refused("what a rotation changes"));
    },
  );
  test("has hints that point to where the secrets are kept", async () => {
    await importSecrets(there.cluster(), there.secrets, { text });
    expect(checkSecrets(there.cluster(CHANGED)).map(({ hint }) => hint)).toEqual([
      "where the secrets are kept, then export them again: npm run secrets -- init",
    ]);
  });
});

describe("what no import has made", () => {
  test("a folder is neither replaced nor deleted", async () => {
    const before = stored.everything();
    await expect(importSecrets(stored.cluster(), stored.secrets, { text })).rejects.toThrow(
      "is there already, and no import has made it",
    );
    expect(clean(stored.cluster(), stored.secrets)).toBe(false);
    expect(stored.everything()).toEqual(before);
  });
  test("nor is another link", async () => {
    symlinkSync(stored.path, there.path);
    await expect(importSecrets(there.cluster(), there.secrets, { text })).rejects.toThrow("is there already");
    expect(clean(there.cluster(), there.secrets)).toBe(false);
    expect(existsSync(join(there.path, "ca.pem"))).toBe(true);
    rmSync(there.path);
  });
});

describe("anything but an export of this cluster is refused, and nothing is left", () => {
  /** The export with other content. */
  const packed = (change: object, files: object = {}): string => {
    const content = JSON.parse(gunzipSync(Buffer.from(text, "base64")).toString());
    return gzipSync(JSON.stringify({ ...content, ...change, files: { ...content.files, ...files } })).toString(
      "base64",
    );
  };
  const cases: Record<string, [() => string | undefined, string]> = {
    "nothing at all": [() => undefined, "there is nothing to import"],
    "an empty text": [() => "", "is no export of secrets, or not all of it"],
    "half of it": [() => text.slice(0, text.length / 2), "is no export of secrets, or not all of it"],
    "another cluster's": [
      () => packed({ cluster: "d" }),
      'has the secrets of cluster "d", and the cluster file is that of "c"',
    ],
    "another version's": [() => packed({ version: 2 }), "of another version"],
    "a path out of the folder": [() => packed({}, { "agents/../../x/key.pem": "x" }), "a file that is no secret"],
    "a file that is none of secrets": [() => packed({}, { ".gitignore": "x" }), "a file that is no secret"],
    "a file that is no text": [() => packed({}, { "ca.pem": 7 }), "a file that is no secret"],
    "one without a token that the file needs": [
      () => packed({}, { "tokens.json": '{"current": {}, "retiring": {}}' }),
      "tokens.json has no token agent:c1",
    ],
  };
  test.each(Object.entries(cases))("%s", async (_, [given, refusal]) => {
    const before = temporary();
    await expect(importSecrets(there.cluster(), there.secrets, { text: given() })).rejects.toThrow(refusal);
    expect(lstatSync(there.path, { throwIfNoEntry: false })).toBeUndefined();
    expect(temporary()).toEqual(before);
  });
  test("a folder without secrets", async () => {
    const empty = folder();
    await expect(importSecrets(there.cluster(), there.secrets, { from: empty })).rejects.toThrow("has no ca.pem");
    await expect(importSecrets(there.cluster(), there.secrets, { from: `${empty}/x` })).rejects.toThrow(
      "has no ca.pem",
    );
  });
  test("another cluster's folder", async () => {
    const other = there.cluster((text) => text.replace("name: c", "name: d"));
    await expect(importSecrets(other, there.secrets, { from: stored.path })).rejects.toThrow(
      'has the secrets of cluster "c"',
    );
    expect(lstatSync(there.path, { throwIfNoEntry: false })).toBeUndefined();
  });
});
