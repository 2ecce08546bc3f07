import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Comparison } from "../../../ops/deploy/comparison";
import { placeLockFiles, readManifest, savePlans, synthesizedHashes, takePlans } from "../../../ops/deploy/saved-plans";
import {
  clusterDifferences,
  differenceText,
  programDifferences,
  rejections,
  savedDifferences,
  secretsDifferences,
  stateDifferences,
  synthesizedDifferences,
} from "../../../ops/deploy/saved-plans-check";
import type { Stack, StackJson } from "../../../ops/terraform/synth";
import { version } from "../../../package.json";
import { FOUR_HOSTS, folder, load } from "../../cluster-files";
import { ClusterSecrets } from "../secrets/cluster-secrets";

const GROUPED = FOUR_HOSTS.replace("c1: 10.0.0.4", "c1: { address: 10.0.0.4, group: edge }");
const IDENTITY = { lineage: "abc", serial: 7 };
const STATES = new Map([
  ["c", { outputs: {}, resources: [], identity: IDENTITY }],
  ["c-edge", { outputs: {}, resources: [] }],
]);
const secrets = new ClusterSecrets(GROUPED);
beforeAll(() => secrets.init());
afterEach(() => delete process.env.TERRAFORM_BINARY_NAME);

/** What the JSON refers to beside itself. */
const USES = {
  upload: [{ file: "/consul/health.sh", source: "${path.module}/health.sh" }],
  provisioner: [{ "local-exec": { interpreter: ["node", "${path.module}/rollout.cjs"] } }],
};

/** A checkout with two synthesized stacks. */
function checkout(agents: Readonly<Record<string, readonly string[]>> = { c: ["s1", "s2", "s3"], "c-edge": ["c1"] }) {
  const root = folder();
  const stacks = Object.entries(agents).map(([name, names]): Stack => {
    const docker_container = Object.fromEntries(names.map((agent) => [agent, { ...USES, name: agent }]));
    const json = { resource: { docker_container } } as StackJson;
    const at = join(root, name);
    mkdirSync(join(at, ".terraform"), { recursive: true });
    writeFileSync(join(at, "cdk.tf.json"), JSON.stringify(json));
    writeFileSync(join(at, "rollout.cjs"), "// the program");
    writeFileSync(join(at, "health.sh"), "# a script");
    writeFileSync(join(at, ".terraform.lock.hcl"), `# providers of ${name}`);
    return { name, folder: at, dependencies: [], json };
  });
  return { root, stacks };
}

/** Plans of a checkout's stacks that were saved. */
async function saved({ root, stacks } = checkout(), cluster = secrets.cluster()) {
  const terraform = join(root, "terraform");
  writeFileSync(terraform, "#!/bin/sh\necho Warning >&2\necho; echo Terraform v1.11.4; echo on linux_amd64", {
    mode: 0o755,
  });
  process.env.TERRAFORM_BINARY_NAME = terraform;
  const hidden = folder();
  for (const { name } of stacks) writeFileSync(join(hidden, `${name}.plan`), `plan of ${name}`);
  const out = join(folder(), "a", "plans");
  const comparison = { cluster, stacks, found: { states: STATES } } as unknown as Comparison;
  await savePlans(out, hidden, comparison, { without: ["c1"], allow: ["line-deleted"] });
  return { out, hidden, stacks, manifest: readManifest(out) };
}

const texts = (differences: ReturnType<typeof savedDifferences>) => differences.map(differenceText);

describe("saved plans", () => {
  test("are readable for this user alone, and hidden from repositories; nothing that is needed is hidden", async () => {
    const { out } = await saved();
    const entries = readdirSync(out, { recursive: true, withFileTypes: true });
    const modes = entries.map((entry) => statSync(join(entry.parentPath, entry.name)).mode & 0o777);
    expect(statSync(out).mode & 0o777).toBe(0o700);
    expect(new Set(modes)).toEqual(new Set([0o700, 0o600]));
    expect(entries.flatMap(({ name }) => (name.startsWith(".") ? [name] : []))).toEqual([".gitignore"]);
    expect(readFileSync(join(out, ".gitignore"), "utf8")).toBe("*\n");
    expect(readdirSync(join(out, "stacks/c")).sort()).toEqual([
      "cdk.tf.json",
      "health.sh",
      "rollout.cjs",
      "terraform.lock.hcl",
    ]);
  });

  test("have a manifest, in which no secret is", async () => {
    const { out, manifest } = await saved();
    expect(manifest).toMatchObject({
      version: 1,
      tool: version,
      terraform: "Terraform v1.11.4",
      cluster: "c",
      without: ["c1"],
      allow: ["line-deleted"],
      stacks: [{ name: "c", state: IDENTITY }, { name: "c-edge" }],
    });
    const text = readFileSync(join(out, "manifest.json"), "utf8");
    for (const [, id] of Object.entries(secrets.json("tokens.json").current)) expect(text).not.toContain(id);
  });

  test("have the assets that the JSON refers to, and no other file of the folder", async () => {
    const { root, stacks } = checkout();
    const [{ folder: at }] = stacks as [Stack];
    for (const asset of ["assets/a/NEW/x.sh", "assets/a/OLD/x.sh"]) {
      mkdirSync(join(at, asset, ".."), { recursive: true });
      writeFileSync(join(at, asset), asset);
    }
    writeFileSync(
      join(at, "cdk.tf.json"),
      JSON.stringify({ output: { asset: { value: "assets/a/NEW/x.sh" }, uses: USES } }),
    );
    writeFileSync(join(at, "terraform.tfvars"), "password = 1");
    const { out, manifest } = await saved({ root, stacks });
    expect(Object.keys(manifest.stacks[0]?.files ?? {})).toEqual([
      "cdk.tf.json",
      "health.sh",
      "rollout.cjs",
      "assets/a/NEW/x.sh",
    ]);
    expect(existsSync(join(out, "stacks/c/terraform.tfvars"))).toBe(false);
  });

  test("are taken into a folder for this user alone, and Terraform's lock files into the checkout", async () => {
    const { out, manifest } = await saved();
    const [hidden, there] = [folder(), checkout()];
    takePlans(out, manifest, hidden);
    expect(readFileSync(join(hidden, "c-edge.plan"), "utf8")).toBe("plan of c-edge");
    expect(statSync(join(hidden, "c.plan")).mode & 0o777).toBe(0o600);
    const lock = (stack: string) => join(there.root, stack, ".terraform.lock.hcl");
    writeFileSync(lock("c"), "others");
    placeLockFiles(out, manifest, [
      ...there.stacks,
      { ...(there.stacks[0] as Stack), name: "c-other", folder: "/none" },
    ]);
    expect(readFileSync(lock("c"), "utf8")).toBe("# providers of c");
  });

  test.each([
    ["no manifest", undefined, "has no saved plans"],
    ["a damaged manifest", "{", "has another format than this program's"],
    ["a manifest of another version", '{"version": 2}', "has another format than this program's"],
    ["a manifest that lacks something", '{"version": 1, "stacks": []}', "has another format than this program's"],
  ])("with %s are not taken", (_, text, reason) => {
    const at = folder();
    if (text !== undefined) writeFileSync(join(at, "manifest.json"), text);
    expect(() => readManifest(at)).toThrow(reason);
  });
});

describe("plans with what could be a secret are not saved", () => {
  const initialized = (at: string, config: object) =>
    writeFileSync(join(at, ".terraform/terraform.tfstate"), JSON.stringify({ backend: { type: "s3", config } }));
  const withBackend = () => {
    const made = checkout({ c: ["s1"] });
    const [{ folder: at }] = made.stacks as [Stack];
    writeFileSync(join(at, "cdk.tf.json"), JSON.stringify({ terraform: { backend: { s3: { bucket: "b" } } } }));
    return { ...made, at };
  };

  test("arguments of the backend from -backend-config, of which the message has no value", async () => {
    const made = withBackend();
    initialized(made.at, { bucket: "b", access_key: "AKIA", region: null });
    const error = await saved(made).catch(String);
    expect(error).toMatch(/stack c: access_key of the backend come from -backend-config.*\n {4}hint: .*\.terraform/);
    expect(error).not.toContain("AKIA");
  });

  test("a backend that was initialized with the file's arguments alone is none", async () => {
    const made = withBackend();
    initialized(made.at, { bucket: "b", region: null });
    expect((await saved(made)).manifest.stacks).toHaveLength(1);
  });

  test("sensitive variables of a user's own", async () => {
    const { root, stacks } = checkout({ c: ["s1"] });
    const variable = { password: { sensitive: true }, size: {} };
    const own = stacks.map((stack) => ({ ...stack, json: { ...stack.json, variable } }));
    await expect(saved({ root, stacks: own })).rejects.toThrow("its sensitive variables password into the plan");
  });
});

describe("the check before the first apply finds", () => {
  test("nothing, if everything is as it was, in another checkout and another folder", async () => {
    const { out, manifest } = await saved();
    const moved = join(folder(), "moved");
    cpSync(out, moved, { recursive: true });
    const there = new ClusterSecrets(GROUPED).copy(secrets);
    const { stacks } = checkout();
    expect([
      ...savedDifferences(moved, manifest),
      ...programDifferences(manifest, "Terraform v1.11.4"),
      ...clusterDifferences(manifest, there.cluster()),
      ...synthesizedDifferences(moved, manifest, stacks),
      ...secretsDifferences(manifest, there.cluster(), ["s1", "s2", "s3", "c1"]),
      ...stateDifferences(manifest, STATES),
    ]).toEqual([]);
  });

  test.each([
    "c.plan",
    "c-edge.plan",
    "stacks/c/cdk.tf.json",
    "stacks/c-edge/rollout.cjs",
    "stacks/c/terraform.lock.hcl",
  ])("a saved %s that was changed, or is missing", async (file) => {
    const { out, manifest } = await saved();
    writeFileSync(join(out, file), "another");
    const path = join(out, file);
    expect(texts(savedDifferences(out, manifest))).toEqual([
      expect.stringMatching(/: planned with [0-9a-f]{12}, found [0-9a-f]{12}$/),
    ]);
    rmSync(path);
    expect(texts(savedDifferences(out, manifest))).toEqual([expect.stringContaining(`${path}: planned with`)]);
    expect(texts(savedDifferences(out, manifest))[0]).toContain("found no file");
  });

  test("another version of this program, and another Terraform", async () => {
    const { manifest } = await saved();
    expect(texts(programDifferences({ ...manifest, tool: "0.0.9" }, "OpenTofu v1.9.0"))).toEqual([
      `consul-cdktf: planned with 0.0.9, found ${version}`,
      "Terraform: planned with Terraform v1.11.4, found OpenTofu v1.9.0",
    ]);
  });

  test("another cluster, and a stack that the file no longer has", async () => {
    const { manifest } = await saved();
    expect(texts(clusterDifferences(manifest, load(GROUPED.replace("name: c", "name: d"))))).toEqual([
      "the cluster file: planned with cluster c, found cluster d",
    ]);
    expect(texts(clusterDifferences(manifest, load(FOUR_HOSTS)))).toEqual([
      "the cluster file: planned with stack c-edge, found no such stack",
    ]);
  });

  test("another synthesized JSON, with the resources that differ, and another program of the rollout", async () => {
    const { out, manifest } = await saved();
    const { root, stacks } = checkout({ c: ["s1", "s2", "s4"], "c-edge": ["c1"] });
    writeFileSync(join(root, "c-edge/rollout.cjs"), "// another");
    expect(texts(synthesizedDifferences(out, manifest, stacks))).toEqual([
      expect.stringMatching(
        /^cdk\.tf\.json of stack c: planned with \w{12}, found \w{12} with another docker_container\.s3 and docker_container\.s4$/,
      ),
      expect.stringMatching(/^rollout\.cjs of stack c-edge: planned with \w{12}, found \w{12}$/),
    ]);
    rmSync(join(root, "c-edge/rollout.cjs"));
    expect(texts(synthesizedDifferences(out, manifest, stacks))[1]).toContain("found no file");
  });

  test("a stack that is not synthesized", async () => {
    const { out, manifest } = await saved();
    expect(texts(synthesizedDifferences(out, manifest, checkout({ c: ["s1", "s2", "s3"] }).stacks))).toEqual([
      "stack c-edge: planned with its JSON, found no such stack",
    ]);
  });

  test("a changed secret, and secrets where there were none", async () => {
    const { manifest } = await saved();
    const there = new ClusterSecrets(GROUPED).copy(secrets);
    there.change("agents/s1/health.token", () => "another\n");
    const agents = ["s1", "s2", "s3", "c1"];
    expect(texts(secretsDifferences(manifest, there.cluster(), agents))).toEqual([
      "secrets: planned with others, found changes in agents/s1/health.token",
    ]);
    expect(texts(secretsDifferences(manifest, load(GROUPED), agents))).toEqual([
      "security: planned with secrets, found none",
    ]);
    const { secrets: _, ...without } = manifest;
    expect(texts(secretsDifferences(without, there.cluster(), agents))).toEqual([
      "security: planned with none, found secrets",
    ]);
    expect(secretsDifferences(without, load(GROUPED), agents)).toEqual([]);
  });

  test("a Terraform state with another serial or lineage, a new one, and one that is gone", async () => {
    const { manifest } = await saved();
    const state = (identity?: typeof IDENTITY) => ({ outputs: {}, resources: [], identity });
    const found = (c?: typeof IDENTITY, edge?: typeof IDENTITY) =>
      texts(
        stateDifferences(
          manifest,
          new Map([
            ["c", state(c)],
            ["c-edge", state(edge)],
          ]),
        ),
      );
    const planned = "the Terraform state of stack c: planned with serial 7, lineage abc, found";
    expect(found({ ...IDENTITY, serial: 8 })).toEqual([`${planned} serial 8, lineage abc`]);
    expect(found({ ...IDENTITY, lineage: "d" })).toEqual([`${planned} serial 7, lineage d`]);
    expect(found()).toEqual([`${planned} none`]);
    expect(found(IDENTITY, IDENTITY)).toEqual([
      "the Terraform state of stack c-edge: planned with none, found serial 7, lineage abc",
    ]);
    expect(texts(stateDifferences(manifest, new Map()))).toHaveLength(1);
  });

  test("what rejects any deploy, hosts that are unreachable, and Terraform states that are locked", () => {
    const location = { file: "clusters/c.yaml", path: [], line: 3, column: 1 };
    const problem = { code: "line-deleted", severity: "error", location, message: "gone", hint: "restore it" } as const;
    const exclusions = {
      skippedStacks: new Map([["c-edge", ["c1"]]]),
      skippedHosts: new Map(),
      blockedStacks: new Map([["c", ["s2"]]]),
      unreachableHosts: ["c1"],
    };
    const unreachable = new Map([
      ["s2", "refused"],
      ["c1", "no route"],
    ]);
    expect(rejections({ problems: [problem], exclusions, unreachable }, ["c"])).toEqual([
      expect.stringContaining("error line-deleted: gone"),
      'host "s2" is unreachable: refused',
      'host "c1" is unreachable: no route',
      "the Terraform state of stack c is locked: another deploy runs, or was killed",
    ]);
    const none = { skippedStacks: new Map(), skippedHosts: new Map(), blockedStacks: new Map(), unreachableHosts: [] };
    expect(rejections({ problems: [], exclusions: none, unreachable }, [])).toEqual([]);
    expect(rejections({ problems: [], lock: "locked", exclusions: none, unreachable }, [])).toEqual(["locked"]);
  });
});

test("hashes of a stack do not depend on its folder", () => {
  const [here, there] = [checkout(), checkout()];
  expect(here.stacks.map(synthesizedHashes)).toEqual(there.stacks.map(synthesizedHashes));
});
