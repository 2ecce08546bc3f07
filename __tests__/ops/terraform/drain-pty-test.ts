import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "@cdktf/node-pty-prebuilt-multiarch";
import { terraformBinary } from "../../../ops/terraform/terraform";
import { folder, PROJECT } from "../../cluster-files";

/** A program that stands for Terraform. */
function program(script: string): string {
  const file = join(folder(), "terraform");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** Runs it as the CDKTF CLI runs Terraform: at a pseudo-terminal, by the CLI's own library. */
function atTerminal(terraform: string, ctrlC?: string): Promise<{ output: string; exitCode: number }> {
  const env = { ...process.env, CONSUL_CDKTF_TERRAFORM: terraform } as Record<string, string>;
  const pty = spawn(join(PROJECT, "ops/terraform/drain-pty.sh"), ["apply", "-auto-approve"], { env });
  let output = "";
  pty.onData((text) => {
    if (ctrlC && !output.includes(ctrlC) && (output + text).includes(ctrlC)) pty.write("\x03");
    output += text;
  });
  return new Promise((done) => pty.onExit(({ exitCode }) => done({ output, exitCode })));
}

test("what is said last is not lost, and the exit status is Terraform's", async () => {
  const said = program('seq 1 3000; echo "Error: $*"; exit 3');
  for (let times = 0; times < 12; times++) {
    const { output, exitCode } = await atTerminal(said);
    expect([output.includes("Error: apply -auto-approve"), exitCode]).toEqual([true, 3]);
  }
}, 60_000);

test("Ctrl-C is Terraform's, which is waited for", async () => {
  const slow = program(
    'trap "echo stopping; sleep 1; echo stopped; exit 4" INT\necho begun\nfor each in 1 2 3 4 5 6 7 8 9 10; do sleep 1; done',
  );
  const { output, exitCode } = await atTerminal(slow, "begun");
  expect([exitCode, output]).toEqual([4, expect.stringMatching(/stopping\s+stopped\s+$/)]);
}, 60_000);

test("who names it for plain cdktf has the same Terraform in all commands", () => {
  const given = { ...process.env };
  try {
    for (const [named, own] of [
      [{}, "terraform"],
      [{ TERRAFORM_BINARY_NAME: "tofu" }, "tofu"],
      [{ TERRAFORM_BINARY_NAME: "./ops/terraform/drain-pty.sh" }, "terraform"],
      [{ TERRAFORM_BINARY_NAME: "./ops/terraform/drain-pty.sh", CONSUL_CDKTF_TERRAFORM: "tofu" }, "tofu"],
    ] as const) {
      process.env = { ...named };
      expect(terraformBinary()).toBe(own);
    }
  } finally {
    process.env = given;
  }
});
