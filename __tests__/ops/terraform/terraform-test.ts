import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { terraform } from "../../../ops/terraform/terraform";
import { folder } from "../../cluster-files";

/** Terraform that needs `init` in each folder, and notes when it begins and ends. */
function standIn(complaint: string): { log: () => string[] } {
  const root = folder();
  const [program, log] = [join(root, "terraform"), join(root, "log")];
  const text = `#!/bin/sh
if [ "$1" != init ] && [ ! -e initialized ]; then echo '${complaint}' >&2; exit 1; fi
echo "$1 begins" >>${log}
sleep 0.1
[ "$1" != init ] || touch initialized
echo "$1 ends" >>${log}
echo done`;
  writeFileSync(program, text, { mode: 0o755 });
  process.env.TERRAFORM_BINARY_NAME = program;
  return { log: () => readFileSync(log, "utf8").trim().split("\n") };
}
afterEach(() => delete process.env.TERRAFORM_BINARY_NAME);

test("folders are initialized one after the other, and nothing else runs meanwhile", async () => {
  const { log } = standIn("run: terraform init");
  const results = await Promise.all(Array.from({ length: 5 }, () => terraform(folder(), ["show"])));
  expect(results.map(({ exitCode, output }) => [exitCode, output])).toEqual(Array(5).fill([0, "done\n"]));
  const events = log();
  expect(events.filter((event) => event === "init begins")).toHaveLength(5);
  for (const [at, event] of events.entries()) if (event === "init begins") expect(events[at + 1]).toBe("init ends");
  for (const [at, event] of events.entries())
    if (event === "init begins") {
      const before = events.slice(0, at);
      const count = (word: string) => before.filter((line) => line === `show ${word}`).length;
      expect(count("begins")).toBe(count("ends"));
    }
});

test("a provider that is not there any more is installed again", async () => {
  const { log } = standIn("Error: Required plugins are not installed");
  expect((await terraform(folder(), ["show"])).exitCode).toBe(0);
  expect(log()).toEqual(["init begins", "init ends", "show begins", "show ends"]);
});

test("the folder of a local state out of the project is made for this user alone, and no other is", async () => {
  standIn("");
  const root = folder();
  const before = process.cwd();
  const stack = join(root, "project/cdktf.out/stacks/c");
  mkdirSync(stack, { recursive: true });
  process.chdir(join(root, "project"));
  try {
    for (const path of ["../../../../private/terraform.c.tfstate", "../../../states/c.tfstate"]) {
      writeFileSync(join(stack, "cdk.tf.json"), JSON.stringify({ terraform: { backend: { local: { path } } } }));
      await terraform(stack, ["show"]);
    }
  } finally {
    process.chdir(before);
  }
  expect(statSync(join(root, "private")).mode & 0o777).toBe(0o700);
  expect(existsSync(join(root, "project/states"))).toBe(false);
});

test("other errors are told as they are", async () => {
  standIn("no such workspace");
  expect(await terraform(folder(), ["show"])).toMatchObject({ exitCode: 1, error: "no such workspace" });
});

test("a folder that was initialized for another backend is an error that says what to do", async () => {
  const program = join(folder(), "terraform");
  const text =
    '#!/bin/sh\n[ "$1" = init ] && echo "Error: Backend configuration changed" >&2 || echo "run: terraform init" >&2\nexit 1\n';
  writeFileSync(program, text, { mode: 0o755 });
  process.env.TERRAFORM_BINARY_NAME = program;
  await expect(terraform(folder(), ["show"])).rejects.toThrow(
    /Backend configuration changed\n +hint: .*state -- migrate/,
  );
});
