import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DockerCli, NO_CLI } from "../../rollout/docker-cli";
import { folder } from "../cluster-files";

/** A program that stands in for the docker CLI. */
function cli(script: string) {
  const root = folder();
  const program = join(root, "docker");
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  const docker = new DockerCli(
    ["-H", "ssh://root@h1"],
    { ...process.env, TOKEN: "of the environment", ROOT: root },
    program,
  );
  return { docker, root };
}

test("the CLI gets the arguments that reach the daemon first, and its environment", async () => {
  const { docker } = cli('echo "$TOKEN"; printf "%s|" "$@"');
  expect(await docker.run(["exec", "two words", "$HOME"])).toEqual({
    ok: true,
    errorOutput: "",
    output: "of the environment\n-H|ssh://root@h1|exec|two words|$HOME|",
    error: "",
  });
});

test("standard input reaches it whole, and ends", async () => {
  const { docker } = cli("wc -c");
  expect(Number((await docker.run([], { input: "x".repeat(300_000) })).output)).toBe(300_000);
  expect(Number((await docker.run([])).output)).toBe(0);
});

test("its standard streams can be open files", async () => {
  const { docker, root } = cli("tr a-z A-Z; echo problem >&2");
  writeFileSync(join(root, "in"), "snapshot");
  const [inputFile, outputFile] = [openSync(join(root, "in"), "r"), openSync(join(root, "out"), "w")];
  const result = await docker.run([], { inputFile, outputFile });
  for (const file of [inputFile, outputFile]) closeSync(file);
  expect(result).toEqual({ ok: true, output: "", error: "", errorOutput: "problem\n" });
  expect(readFileSync(join(root, "out"), "utf8")).toBe("SNAPSHOT");
});

test("a CLI that ends before it has read its input says why itself", async () => {
  const { docker } = cli("echo 'no such container' >&2; exit 1");
  expect(await docker.run(["exec"], { input: "x".repeat(300_000) })).toEqual({
    ok: false,
    output: "",
    error: "no such container",
    errorOutput: "no such container\n",
  });
});

test("a failure without a word has its exit code, or its signal", async () => {
  expect((await cli("exit 3").docker.run([])).error).toBe("ended with 3");
  expect((await cli("kill -TERM $$").docker.run([])).error).toBe("ended with SIGTERM");
});

test("a CLI that gives no answer in time is killed", async () => {
  const { docker, root } = cli('echo $$ >"$ROOT/pid"; exec sleep 30');
  expect(await docker.run([], { seconds: 0.3 })).toMatchObject({ ok: false, error: "no answer within 0.3 s" });
  const pid = Number(readFileSync(join(root, "pid"), "utf8"));
  await new Promise((done) => setTimeout(done, 50));
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});

test("where there is no docker CLI, that is said", async () => {
  const docker = new DockerCli([], {}, "/nowhere/docker");
  expect(await docker.run(["ps"])).toEqual({ ok: false, output: "", error: NO_CLI, errorOutput: "" });
});

test("a program that cannot be run is told apart", async () => {
  const { root } = cli("");
  chmodSync(join(root, "docker"), 0o644);
  expect((await new DockerCli([], {}, join(root, "docker")).run([])).error).toMatch(/EACCES/);
});
