import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clean, importSecrets } from "../../../ops/secrets/bundle";
import { checkSecrets } from "../../../ops/secrets/check";
import { initialize } from "../../../ops/secrets/initialize";
import { revoke, rotateCa, rotateCertificates, rotateGossip, rotateTokens } from "../../../ops/secrets/rotate";
import { HEAD } from "../../cluster-files";
import { ClusterSecrets } from "./cluster-secrets";

let stored: ClusterSecrets;
const made = new ClusterSecrets();
beforeAll(() => made.init());
beforeEach(() => {
  stored = new ClusterSecrets().copy(made);
});

const RENAMED = (text: string) => text.replace("name: c", "name: d");
/** Another cluster, of the same name. */
const OTHER = () => `${HEAD}hosts: { x1: 10.1.0.1 }\nservers: [x1]\n`;

/** Every change for this cluster file is refused, and the folder stays as it is. */
async function refused(change: (text: string) => string, refusal: string): Promise<void> {
  const [before, cluster] = [stored.everything(), stored.cluster(change)];
  for (const work of [
    () => initialize(cluster, stored.secrets, {}),
    () => rotateGossip(cluster, stored.secrets),
    () => revoke(cluster, stored.secrets),
  ])
    await expect(work()).rejects.toThrow(refusal);
  expect(checkSecrets(cluster)).toEqual([
    {
      code: expect.stringMatching(/^secrets-(of-another-cluster|folder-mixed)$/),
      severity: "error",
      location: { file: stored.path },
      message: expect.stringContaining(refusal),
      hint: expect.stringContaining("folder"),
    },
  ]);
  expect(stored.everything()).toEqual(before);
}

test("a folder names its cluster, and is refused for another cluster with the same agents' names", async () => {
  expect(stored.read("cluster.name")).toBe("c\n");
  await refused(RENAMED, 'has the secrets of cluster "c", and the cluster file is that of "d"');
});

test("a renamed cluster keeps its folder after cluster.name is changed", async () => {
  stored.change("cluster.name", () => "d\n");
  expect(await initialize(stored.cluster(RENAMED), stored.secrets, {})).toEqual({ made: [], removed: [], needed: [] });
});

describe("a cluster of the same name without an agent in the folder", () => {
  const REFUSAL = "has the secrets of another cluster: none of its agents is in the cluster file (c1, s1, s2, s3)";

  test("is another one", () => refused(OTHER, REFUSAL));
  test("is another one also when the folder has no cluster.name", () => {
    rmSync(join(stored.path, "cluster.name"));
    return refused(OTHER, REFUSAL);
  });
  test("is the same one when the agents' folders have been removed", async () => {
    rmSync(join(stored.path, "agents"), { recursive: true });
    await initialize(stored.cluster(OTHER), stored.secrets, {});
    expect(readdirSync(join(stored.path, "agents"))).toEqual(["x1"]);
  });
});

test("a folder without cluster.name belongs to the cluster whose agents it has", async () => {
  rmSync(join(stored.path, "cluster.name"));
  expect(stored.found()).toEqual([]);
  await stored.init();
  expect(stored.read("cluster.name")).toBe("c\n");
  await refused(RENAMED, 'cluster "c"');
});

describe("a folder of other files", () => {
  beforeEach(() => {
    stored = new ClusterSecrets();
    mkdirSync(stored.path, { mode: 0o700 });
  });
  test.each(["notes.md", "ca.pem cert.pem key.pem"])("(%s) is not changed", async (names) => {
    const files = names.split(" ");
    for (const file of files) writeFileSync(join(stored.path, file), "mine", { mode: 0o600 });
    await refused(
      (text) => text,
      `is no folder of secrets: it has ${files.filter((file) => file !== "ca.pem").join(", ")}`,
    );
    expect(existsSync(join(stored.path, ".gitignore"))).toBe(false);
  });
  test("is accepted when it is empty, or has the first files of an interrupted run", async () => {
    for (const file of [".gitignore", "cluster.name.unfinished", ".lock-999999999"])
      writeFileSync(join(stored.path, file), "", { mode: 0o600 });
    await stored.init();
    expect(stored.found()).toEqual([]);
  });
});

describe("runs that change a folder are serialized", () => {
  const locks = () => readdirSync(stored.path).filter((file) => file.startsWith(".lock"));
  /** A run in progress: of a process that lives as long as this one. */
  const lock = (id: number) => writeFileSync(join(stored.path, `.lock-${id}`), "", { mode: 0o600 });
  const IN_PROGRESS = () =>
    `${stored.path}: error secrets-locked: is being changed: another run of secrets is in progress, process 1\n` +
    `    hint: wait until it has ended; if that process is no run of secrets, remove ${stored.path}/.lock-1`;

  test("of two first inits at the same time, one creates everything, and the other is refused because a run is in progress", async () => {
    stored = new ClusterSecrets();
    const both = await Promise.allSettled([stored.init(), stored.init()]);
    for (const one of both)
      if (one.status === "rejected") expect(String(one.reason)).toContain(`in progress, process ${process.pid}`);
    expect(both.map(({ status }) => status)).toContain("fulfilled");
    expect(stored.found()).toEqual([]);
    expect(locks()).toEqual([]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ["init", () => stored.init()],
    ["rotate gossip", () => rotateGossip(stored.cluster(), stored.secrets)],
    ["rotate ca", () => rotateCa(stored.cluster(), stored.secrets, {})],
    ["rotate certificates", () => rotateCertificates(stored.cluster(), stored.secrets, [], {})],
    ["rotate tokens", () => rotateTokens(stored.cluster(), stored.secrets, [])],
    ["revoke", () => revoke(stored.cluster(), stored.secrets)],
  ])("%s changes nothing while another run is in progress", async (_, work) => {
    lock(1);
    const before = stored.everything();
    await expect(work()).rejects.toThrow(IN_PROGRESS());
    expect(stored.everything()).toEqual(before);
  });

  test("nor is an import cleaned or replaced", async () => {
    const [from, cluster] = [made.path, stored.cluster()];
    stored = new ClusterSecrets();
    await importSecrets(stored.cluster(), stored.secrets, { from });
    lock(1);
    expect(() => clean(cluster, stored.secrets)).toThrow(IN_PROGRESS());
    await expect(importSecrets(cluster, stored.secrets, { from })).rejects.toThrow(IN_PROGRESS());
    expect(existsSync(join(stored.path, "ca.pem"))).toBe(true);
    stored.secrets.remove(".lock-1");
    expect(clean(cluster, stored.secrets)).toBe(true);
  });

  test("the lock of a dead process, or of one with the same id, does not block", async () => {
    lock(spawnSync("true").pid);
    lock(process.pid);
    await rotateGossip(stored.cluster(), stored.secrets);
    expect(locks()).toEqual([]);
  });

  test("a failed run releases its lock", async () => {
    await expect(rotateTokens(stored.cluster(), stored.secrets, ["nonsense"])).rejects.toThrow(
      "there is no token nonsense",
    );
    expect(locks()).toEqual([]);
  });
});
