import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { parse } from "yaml";
import { PIPELINES, pipelineFiles } from "../../../ops/project/pipeline";
import { folder } from "../../cluster-files";

const SCHEMAS = { github: "github-workflow.json", gitlab: "gitlab-ci.json" } as const;

describe.each(PIPELINES)("the pipeline of %s", (pipeline) => {
  const { "pipeline.sh": steps, ...others } = pipelineFiles(pipeline);
  const [text = ""] = Object.values(others);
  const schema = JSON.parse(readFileSync(join(__dirname, "schemas", SCHEMAS[pipeline]), "utf8"));
  const isValid = new Ajv({ strict: false, validateFormats: false, logger: false }).compile(schema);
  const content = parse(text) as Record<string, unknown>;

  test("is valid by the published schema, which rejects a key that does not exist", () => {
    isValid(content);
    expect(isValid.errors).toBeNull();
    expect(isValid({ ...content, jobs: 1, plan: { unknown: true } })).toBe(false);
  });

  test("runs each step, and cleans up after each", () => {
    for (const step of ["plan", "deploy", "nightly", "clean"]) {
      expect(text).toContain(`sh pipeline.sh ${step}`);
      expect(steps).toContain(`\n${step}() {\n`);
    }
  });
});

test("GitHub's actions are pinned by their commits, beside the version's name", () => {
  const uses = Object.values(pipelineFiles("github")).flatMap((text) => text.match(/^ *(- )?uses: .*$/gm) ?? []);
  expect(uses.length).toBeGreaterThan(2);
  for (const line of uses) expect(line).toMatch(/^ *(- )?uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

/** A project with the steps, and stand-ins of npm, ssh and the program, which writes each call with its environment. */
class Checkout {
  readonly folder = folder();
  private readonly temporary = join(this.folder, "tmp");

  constructor(program = "true") {
    for (const name of ["bin", "tmp", "node_modules/.bin"]) mkdirSync(join(this.folder, name), { recursive: true });
    writeFileSync(join(this.folder, "pipeline.sh"), pipelineFiles("github")["pipeline.sh"] as string);
    this.script("bin/npm", "exit 0");
    execFileSync("tar", ["-cf", "plans.tar", "tmp"], { cwd: this.folder });
    this.script("bin/ssh", "exit 0");
    this.script(
      "node_modules/.bin/consul-cdktf",
      `echo "$* $(env | grep -c SSH_) $CONSUL_SECRETS" >>calls\n${program}`,
    );
  }

  /** @returns the exit code */
  run(...words: string[]): Promise<number | null> {
    return new Promise((resolve) => this.start(...words).once("exit", resolve));
  }

  start(...words: string[]): ChildProcess {
    const env = {
      PATH: `${join(this.folder, "bin")}:${process.env.PATH}`,
      TMPDIR: this.temporary,
      CONSUL_SECRETS: "first",
      CONSUL_SECRETS_2: "second",
      SSH_PRIVATE_KEY: "a key",
      SSH_KNOWN_HOSTS: "a host",
    };
    return spawn("sh", ["pipeline.sh", ...words], { cwd: this.folder, env, stdio: "ignore" });
  }

  get calls(): string[] {
    const file = join(this.folder, "calls");
    return existsSync(file)
      ? readFileSync(file, "utf8")
          .trimEnd()
          .split("\n")
          .map((line) => line.trim())
      : [];
  }

  /** What is left of the credentials. */
  get left(): string[] {
    return [...readdirSync(this.temporary), ...readdirSync(this.folder).filter((name) => name === ".pipeline")];
  }

  private script(name: string, text: string): void {
    writeFileSync(join(this.folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(this.folder, name), 0o755);
  }
}

test("only the import gets the secrets, whole, and no program gets the key", async () => {
  const checkout = new Checkout();
  expect(await checkout.run("deploy")).toBe(0);
  const [, ...calls] = checkout.calls;
  expect(calls).toEqual(["secrets import 0 firstsecond", "deploy --plan plans 0", "secrets clean 0"]);
  expect(checkout.left).toEqual([]);
});

test.each([
  ["plan", 'case "$*" in plan*) exit 7 ;; esac', 7],
  ["deploy", 'case "$*" in deploy*) exit 7 ;; esac', 7],
  ["deploy", 'case "$*" in *import) exit 7 ;; esac', 7],
  ["nightly", 'case "$*" in status) exit 7 ;; esac', 1],
])("a failed %s cleans up, and ends with an exit code of its own", async (step, program, exitCode) => {
  const checkout = new Checkout(program);
  expect(await checkout.run(step)).toBe(exitCode);
  expect(checkout.left).toEqual([]);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s reaches the program, whose end is awaited, and no further program starts", async (signal, exitCode) => {
  const wait = `case "$*" in diff*) trap 'sleep 0.2; echo stopped >>calls; exit 5' TERM; : >waits; sleep 20 & wait ;; esac`;
  const checkout = new Checkout(wait);
  const running = checkout.start("nightly");
  const ended = new Promise((resolve) => running.once("exit", resolve));
  while (!existsSync(join(checkout.folder, "waits"))) await new Promise((resume) => setTimeout(resume, 20));
  running.kill(signal);
  expect(await ended).toBe(exitCode);
  expect(checkout.calls.slice(-2)).toEqual(["stopped", "secrets clean 0"]);
  expect(checkout.left).toEqual([]);
});

test("a link that no step has made is not followed", async () => {
  const checkout = new Checkout();
  const other = folder();
  writeFileSync(join(other, "mine"), "");
  symlinkSync(other, join(checkout.folder, ".pipeline"));
  expect(await checkout.run("clean")).toBe(0);
  expect(readdirSync(other)).toEqual(["mine"]);
});

test("a step that does not exist is an error", async () => expect(await new Checkout().run("plans")).toBe(2));
