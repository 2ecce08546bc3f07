import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { secretsLeft, stateLeft } from "../../../ops/project/left-files";
import { FOUR_HOSTS, folder, load } from "../../cluster-files";

const SECURED = FOUR_HOSTS.replace("security: off\n", "private_folder: ../c-private\n");
const BY_LINK = `${SECURED}security: { secrets: secrets/c }\n`;

let project: string;
const before = process.cwd();
beforeEach(() => {
  project = join(folder(), "project");
  mkdirSync(project);
  process.chdir(project);
});
afterEach(() => process.chdir(before));

function place(path: string): void {
  mkdirSync(join(project, path), { recursive: true });
  writeFileSync(join(project, path, "ca.pem"), "");
}
/** Runs the commands at the end of a hint. */
const follow = (hint: string | undefined) =>
  execFileSync("sh", ["-ec", String(hint).replace(/^.*?: (?=mkdir)/, "")], { cwd: project });

test("nothing is left where everything is where the file says, and where there is nothing", () => {
  expect(secretsLeft(load(SECURED))).toBeUndefined();
  expect(stateLeft(load(SECURED), "c")).toBeUndefined();
  place("secrets/c");
  writeFileSync(join(project, "terraform.c.tfstate"), "");
  const former = load(FOUR_HOSTS.replace("security: off\n", ""));
  expect([secretsLeft(former), stateLeft(former, "c")]).toEqual([undefined, undefined]);
});

test("secrets that are still in the project are moved, or named by a running cluster's file", () => {
  place("secrets/c");
  const hint = secretsLeft(load(SECURED));
  expect(hint).toContain("For a running cluster write `security: { secrets: secrets/c }`");
  follow(hint?.replace(/^.*for a new one/, "for a new one"));
  expect(existsSync(join(project, "../c-private/secrets/c/ca.pem"))).toBe(true);
});

test("the link to moved secrets, which git clean removes, is made again", () => {
  place("../c-private/secrets/c");
  follow(secretsLeft(load(BY_LINK)));
  expect(existsSync(join(project, "secrets/c/ca.pem"))).toBe(true);
});

test("a Terraform state that is still in the project is moved", () => {
  writeFileSync(join(project, "terraform.c.tfstate"), "{}");
  follow(stateLeft(load(SECURED), "c"));
  expect(existsSync(join(project, "../c-private/terraform.c.tfstate"))).toBe(true);
  expect(stateLeft(load(`${SECURED}backend: { s3: { bucket: b } }\n`), "c")).toBeUndefined();
});
