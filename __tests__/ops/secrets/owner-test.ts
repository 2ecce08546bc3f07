import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkSecrets } from "../../../ops/secrets/check";
import { initialize } from "../../../ops/secrets/initialize";
import { revoke, rotateGossip } from "../../../ops/secrets/rotation";
import { HEAD } from "../../cluster-files";
import { Kept } from "./kept";

let kept: Kept;
const made = new Kept();
beforeAll(() => made.init());
beforeEach(() => {
  kept = new Kept().copy(made);
});

const RENAMED = (text: string) => text.replace("name: c", "name: d");
/** Another cluster, of the same name. */
const OTHER = () => `${HEAD}hosts: { x1: 10.1.0.1 }\nservers: [x1]\n`;

/** Whatever is tried for a cluster file is refused, and the folder stays as it is. */
async function refused(change: (text: string) => string, refusal: string): Promise<void> {
  const [before, cluster] = [kept.everything(), kept.cluster(change)];
  for (const work of [
    () => initialize(cluster, kept.secrets, {}),
    () => rotateGossip(cluster, kept.secrets),
    () => revoke(cluster, kept.secrets),
  ])
    await expect(work()).rejects.toThrow(refusal);
  expect(checkSecrets(cluster)).toEqual([
    {
      severity: "error",
      file: kept.path,
      what: expect.stringContaining(refusal),
      hint: expect.stringContaining("folder"),
    },
  ]);
  expect(kept.everything()).toEqual(before);
}

test("a folder says whose it is, and is no other cluster's, though its agents have the same names", async () => {
  expect(kept.read("cluster.name")).toBe("c\n");
  await refused(RENAMED, 'has the secrets of cluster "c", and the cluster file is that of "d"');
});

test("a cluster that was given another name goes on with its folder, once that says so", async () => {
  kept.change("cluster.name", () => "d\n");
  expect(await initialize(kept.cluster(RENAMED), kept.secrets, {})).toEqual({ made: [], removed: [], needed: [] });
});

describe("a cluster of the same name, of which no agent is in the folder,", () => {
  const REFUSAL = "has the secrets of another cluster: none of its agents is in the cluster file (c1, s1, s2, s3)";

  test("is another one", () => refused(OTHER, REFUSAL));
  test("is another one also where the folder does not say whose it is", () => {
    rmSync(join(kept.path, "cluster.name"));
    return refused(OTHER, REFUSAL);
  });
  test("is the same with other agents when theirs have been removed", async () => {
    rmSync(join(kept.path, "agents"), { recursive: true });
    await initialize(kept.cluster(OTHER), kept.secrets, {});
    expect(readdirSync(join(kept.path, "agents"))).toEqual(["x1"]);
  });
});

test("a folder that does not say whose it is becomes that of the cluster whose agents it has", async () => {
  rmSync(join(kept.path, "cluster.name"));
  expect(kept.found()).toEqual([]);
  await kept.init();
  expect(kept.read("cluster.name")).toBe("c\n");
  await refused(RENAMED, 'cluster "c"');
});

describe("a folder of something else", () => {
  beforeEach(() => {
    kept = new Kept();
    mkdirSync(kept.path, { mode: 0o700 });
  });
  test.each(["notes.md", "ca.pem cert.pem key.pem"])("(%s) is left alone", async (names) => {
    const files = names.split(" ");
    for (const file of files) writeFileSync(join(kept.path, file), "mine", { mode: 0o600 });
    await refused(
      (text) => text,
      `is no folder of secrets: it has ${files.filter((file) => file !== "ca.pem").join(", ")}`,
    );
    expect(existsSync(join(kept.path, ".gitignore"))).toBe(false);
  });
  test("is none when it is empty, or was left by a run that has just begun", async () => {
    for (const file of [".gitignore", "cluster.name.unfinished", ".lock-999999999"])
      writeFileSync(join(kept.path, file), "", { mode: 0o600 });
    await kept.init();
    expect(kept.found()).toEqual([]);
  });
});
