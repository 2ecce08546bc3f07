import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Application } from "../../../ops/terraform/apply";
import { folder } from "../../cluster-files";

afterEach(() => delete process.env.TERRAFORM_BINARY_NAME);

/** Applies a plan by a program that stands for Terraform. */
function apply(script: string, parallelism?: number) {
  const root = folder();
  const program = join(root, "terraform");
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  process.env.TERRAFORM_BINARY_NAME = program;
  const lines: string[] = [];
  const output = join(root, "output");
  const application = new Application({
    folder: root,
    plan: "/plans/consul.plan",
    output,
    parallelism,
    env: { OWN: "set" },
    onLine: (line) => lines.push(line),
  });
  return { application, lines, output };
}

test.each([
  [undefined, "apply -json -input=false /plans/consul.plan"],
  [18, "apply -json -input=false -parallelism=18 /plans/consul.plan"],
])("exactly the plan is applied, with parallelism %s", async (parallelism, words) => {
  const { application, lines } = apply('echo "$*"; echo "$OWN $TF_IN_AUTOMATION"', parallelism);
  expect(await application.ended()).toBe(0);
  expect(lines).toEqual([words, "set 1"]);
});

test("lines come while Terraform runs; the last one is not lost, nor a character that is written in two parts", async () => {
  const { application, lines, output } = apply("printf 'first\\n\\303'; sleep 0.5; printf '\\244 last' >&2; exit 3");
  const ended = application.ended();
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(lines).toEqual(["first"]);
  expect(await ended).toBe(3);
  expect(lines).toEqual(["first", "ä last"]);
  expect(statSync(output).mode & 0o777).toBe(0o600);
  expect(readFileSync(output, "utf8")).toBe("first\nä last");
});

test("Terraform has a session of its own, and is interrupted by SIGINT alone", async () => {
  const { application, lines } = apply(
    'trap "echo ending; exit 1" INT\nps -o sid= -p $$; while :; do sleep 0.05; done',
  );
  const ended = application.ended();
  while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  application.interrupt();
  expect(await ended).toBe(1);
  expect(lines[1]).toBe("ending");
  const own = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ")[3];
  expect(lines[0]?.trim()).not.toBe(own);
});
