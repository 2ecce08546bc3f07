import { execFileSync } from "node:child_process";
import { run } from "../../command-line";

/** What bash offers for a line that is being typed. */
async function completed(...words: string[]): Promise<string[]> {
  const { stdout } = await run(["completion", "bash"]);
  const typed = ["consul-cdktf", ...words];
  const script = `${stdout}
COMP_WORDS=(${typed.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${words.length}
_consul_cdktf
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim().split("\n");
}

test("commands, those below a command, and options are completed", async () => {
  expect(await completed("de")).toEqual(["deploy", "destroy"]);
  expect(await completed("secrets", "ro")).toEqual(["rotate"]);
  expect(await completed("secrets", "rotate", "")).toEqual(expect.arrayContaining(["ca", "tokens", "--help"]));
  expect(await completed("deploy", "consul", "--auto")).toEqual(["--auto-approve"]);
  expect(await completed("status", "--cl")).toEqual(["--cluster"]);
});

test("zsh gets the same, by its own support for such scripts", async () => {
  const [bash, zsh] = [await run(["completion", "bash"]), await run(["completion", "zsh"])];
  expect(zsh.stdout).toBe(`autoload -U +X bashcompinit && bashcompinit\n${bash.stdout}`);
});

test("another shell is an error", async () => {
  const { status, stderr } = await run(["completion", "fish"]);
  expect([status, stderr]).toEqual([1, expect.stringContaining("It must be bash or zsh.")]);
});
