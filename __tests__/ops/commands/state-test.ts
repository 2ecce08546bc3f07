import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { FOUR_HOSTS, folder } from "../../cluster-files";
import { type Ended, run } from "../../command-line";

/** Terraform's `state pull` and `state push` for a local backend, and its lock: the file `locked` beside the state. */
const TERRAFORM = `#!/bin/sh
set -eu
mkdir -p .terraform
[ -e .terraform/terraform.tfstate ] || echo '{}' >.terraform/terraform.tfstate
state=$(jq -r .terraform.backend.local.path cdk.tf.json)
case "$1 \${2-}" in
"state pull") [ ! -e "$state" ] || cat "$state" ;;
"state push"|plan*)
  if [ -e "$state.locked" ]; then
    printf 'Error: Error acquiring the state lock\\n  ID:        17\\n  Path:\\n  Who:       root@ops\\n' >&2
    exit 1
  fi
  [ "$1" = plan ] || { mkdir -p "$(dirname "$state")"; cp "$3" "$state"; } ;;
"force-unlock -force") [ "$3" = 17 ]; rm "$state.locked" ;;
esac
`;

const GROUPED = FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, group: edge }");
const STACKS = ["c", "c-edge"];
/** A Terraform state, with an output that lists stacks. @param content by which it differs from others */
const state = (lineage: string, serial: number, stacks: readonly string[] = STACKS, content: number = serial) =>
  JSON.stringify({
    version: 4,
    lineage,
    serial,
    outputs: { consul_stacks: { value: stacks }, content: { value: content } },
    resources: [],
  });

/** A project whose stacks are synthesized, with Terraform states by the names of their files. */
class StateProject {
  readonly cwd = folder();

  constructor(states: Readonly<Record<string, string>> = {}) {
    this.write("clusters/c.yaml", GROUPED);
    this.write("cdktf.json", '{ "app": "true", "context": { "cluster": "clusters/c.yaml" } }');
    this.write("terraform", TERRAFORM, 0o755);
    const stacks = Object.fromEntries(
      [...STACKS, "mine"].map((name) => [
        name,
        { synthesizedStackPath: `stacks/${name}/cdk.tf.json`, workingDirectory: `stacks/${name}`, dependencies: [] },
      ]),
    );
    this.write("cdktf.out/manifest.json", JSON.stringify({ stacks }));
    for (const name of [...STACKS, "mine"])
      this.write(
        `cdktf.out/stacks/${name}/cdk.tf.json`,
        JSON.stringify({ terraform: { backend: { local: { path: `../../../terraform.${name}.tfstate` } } } }),
      );
    for (const [file, text] of Object.entries(states)) this.write(file, text);
  }

  write(file: string, text: string, mode?: number): void {
    mkdirSync(join(this.cwd, file, ".."), { recursive: true });
    writeFileSync(join(this.cwd, file), text, { mode });
  }

  has(file: string): boolean {
    return existsSync(join(this.cwd, file));
  }

  read(file: string): string {
    return readFileSync(join(this.cwd, file), "utf8");
  }

  state(...words: string[]): Promise<Ended> {
    return this.run("state", ...words);
  }

  run(...words: string[]): Promise<Ended> {
    return run(words, { cwd: this.cwd, env: { TERRAFORM_BINARY_NAME: join(this.cwd, "terraform") } });
  }
}

const ERRORED = "cdktf.out/stacks/c/errored.tfstate";

describe("state recover", () => {
  test("comes before a destroy of the stack, which is rejected", async () => {
    const project = new StateProject({ [ERRORED]: state("a", 2) });
    const { status, stderr } = await project.run("destroy", "--auto-approve");
    expect(stderr).toMatch(/rejected; nothing was changed\n.*terraform-state-unsaved.*\n.*npm run state -- recover c/);
    expect(status).toBe(1);
  });

  test("stores the state of a deploy that could not, and removes its file", async () => {
    const project = new StateProject({ "terraform.c.tfstate": state("a", 1), [ERRORED]: state("a", 2) });
    const { status, stdout } = await project.state("recover");
    expect(stdout).toContain("c: the Terraform state of the last deploy is stored\n");
    expect(status).toBe(0);
    expect(project.read("terraform.c.tfstate")).toBe(state("a", 2));
    expect(project.has(ERRORED)).toBe(false);
    expect((await project.state("recover")).stdout).toContain("nothing to recover");
  });

  test("of a state that somebody has pushed already, under another serial as HCP Terraform has it, removes the file", async () => {
    const stored = state("a", 3, STACKS, 2);
    const project = new StateProject({ "terraform.c.tfstate": stored, [ERRORED]: state("a", 2) });
    expect((await project.state("recover", "c")).stdout).toContain("is stored already");
    expect(project.has(ERRORED)).toBe(false);
  });

  test.each([
    ["of another lineage", state("b", 2, STACKS, 9), "of another cluster"],
    ["that is newer", state("a", 3), "a later deploy"],
  ])("never overwrites a state %s", async (_, stored, reason) => {
    const project = new StateProject({ "terraform.c.tfstate": stored, [ERRORED]: state("a", 2) });
    const { status, stderr } = await project.state("recover");
    expect(stderr).toContain(reason);
    expect(status).toBe(1);
    expect(project.read("terraform.c.tfstate")).toBe(stored);
    expect(project.has(ERRORED)).toBe(true);
  });

  test("of a locked state names the command that unlocks it, and leaves the file", async () => {
    const project = new StateProject({ "terraform.c.tfstate.locked": "", [ERRORED]: state("a", 2) });
    const { status, stderr } = await project.state("recover");
    expect(stderr).toContain("npm run state -- unlock c");
    expect(status).toBe(1);
    expect(project.has(ERRORED)).toBe(true);
  });
});

describe("state unlock", () => {
  test("shows who holds a lock, and releases it with --force alone", async () => {
    const project = new StateProject({ "terraform.c-edge.tfstate.locked": "" });
    const shown = await project.state("unlock");
    expect(shown.stdout).toContain("c-edge: locked (Who: root@ops)\n");
    expect(shown.stderr).toContain("npm run state -- unlock --force");
    expect(shown.status).toBe(1);
    const released = await project.state("unlock", "--force");
    expect(released.stdout).toContain("c-edge: unlocked (Who: root@ops)\n");
    expect(released.status).toBe(0);
    expect((await project.state("unlock")).stdout).toContain("no Terraform state is locked");
  });
});

describe("state migrate", () => {
  const TO = ["migrate", "--to", "{ local: { path: 'moved/{stack}.tfstate' } }"];

  test("copies all states, also of stacks that the file has no longer, and can be repeated", async () => {
    const project = new StateProject({
      "terraform.c.tfstate": state("a", 7, [...STACKS, "c-gone"]),
      "terraform.c-gone.tfstate": state("g", 3),
      // As pg has it for a stack that was never deployed.
      "moved/c.tfstate": state("", 0),
      // A stack of the project that is not the cluster's.
      "terraform.mine.tfstate": state("m", 1),
    });
    const { status, stdout, stderr } = await project.state(...TO);
    expect(stdout).toMatch(/c: moved\nc-edge: was never deployed\nc-gone: moved\n$/);
    expect(stderr).toContain('backend: {"local":{"path":"moved/{stack}.tfstate"}}');
    expect(status).toBe(0);
    expect(project.read("moved/c.tfstate")).toBe(project.read("terraform.c.tfstate"));
    expect(project.read("moved/c-gone.tfstate")).toBe(state("g", 3));
    expect(project.has("moved/mine.tfstate")).toBe(false);
    expect((await project.state(...TO)).stdout).toMatch(/c: there already\n.*\nc-gone: there already\n$/);
  });

  test("to files, with a private folder, copies into it", async () => {
    const project = new StateProject({ "terraform.c.tfstate": state("a", 7) });
    project.write("clusters/c.yaml", `${GROUPED}private_folder: ../${basename(project.cwd)}-private\n`);
    const { status, stdout, stderr } = await project.state("migrate", "--to", "{ local: {} }");
    expect(stdout).toMatch(/c: moved\n/);
    expect(stderr).toContain('backend: {"local":{}}');
    expect(status).toBe(0);
    const copied = `../${basename(project.cwd)}-private/terraform.c.tfstate`;
    expect(project.read(copied)).toBe(state("a", 7));
    rmSync(join(project.cwd, copied, ".."), { recursive: true });
  });

  test("afterwards the stacks' folders are initialized for neither backend", async () => {
    const noted = (file: string) => `cdktf.out/stacks/c/.terraform/${file}`;
    const notes = { [noted("terraform.tfstate")]: "{}", [noted("environment")]: "default" };
    const project = new StateProject({ "terraform.c.tfstate": state("a", 1), ...notes });
    await project.state(...TO);
    for (const file of Object.keys(notes)) expect(project.has(file)).toBe(false);
  });

  test.each([
    ["another lineage", { "moved/c-edge.tfstate": state("b", 1) }, "c-edge: the target has another Terraform state"],
    ["a newer state", { "moved/c.tfstate": state("a", 8) }, "c: the target's Terraform state is newer"],
    ["another state of the same serial", { "moved/c.tfstate": state("a", 7, STACKS, 0) }, "is newer"],
    ["a lock", { "terraform.c-edge.tfstate.locked": "" }, "a deploy is running in c-edge"],
    ["a state that was not stored", { [ERRORED]: state("a", 8) }, "npm run state -- recover c"],
  ])("moves nothing with %s", async (_, more, reason) => {
    const project = new StateProject({ "terraform.c.tfstate": state("a", 7), ...more });
    const before = project.has("moved") ? readdirSync(join(project.cwd, "moved")) : [];
    const { status, stderr } = await project.state(...TO);
    expect(stderr).toContain(reason);
    expect(status).toBe(1);
    expect(project.has("moved") ? readdirSync(join(project.cwd, "moved")) : []).toEqual(before);
  });

  test("a refused move leaves folders as it has found them: initialized, or not", async () => {
    const noted = (stack: string) => `cdktf.out/stacks/${stack}/.terraform/terraform.tfstate`;
    const project = new StateProject({
      "terraform.c.tfstate": state("a", 7),
      "moved/c.tfstate": state("a", 8),
      [noted("c")]: "{}",
    });
    expect((await project.state(...TO)).stderr).toContain("nothing was moved");
    expect([project.has(noted("c")), project.has(noted("c-edge"))]).toEqual([true, false]);
  });

  test.each([
    ["{ local: { path: one.tfstate } }", "would share one Terraform state"],
    ["{ s3: { bucket: b, secret_key: x } }", "secret_key is a secret"],
    ["{ floppy: {} }", "--to is no backend"],
    ["{ local: {}, pg: {} }", "2 backends instead of one"],
  ])("refuses %s", async (to, reason) => {
    const { status, stderr } = await new StateProject().state("migrate", "--to", to);
    expect(stderr).toContain(reason);
    expect(status).toBe(1);
  });
});
