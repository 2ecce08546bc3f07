import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FOUR_HOSTS, folder } from "../../cluster-files";
import { type Ended, run } from "../../command-line";

/** A daemon that is unreachable while there is a file `unreachable` in the project. */
const DOCKER = `#!/bin/sh
[ ! -e "$PROJECT/unreachable" ] || { echo "no route to host" >&2; exit 1; }
echo 28.0.0
`;
/** Terraform with one container in each stack, which an apply notes. A file \`locked\` locks every state. */
const TERRAFORM = `#!/bin/sh
stack=$(basename "$PWD")
case "$1 \${2-}" in
"version "*) echo "Terraform v$(cat "$PROJECT/terraform-version")" ;;
"state pull") [ ! -e "$PROJECT/$stack.tfstate" ] || cat "$PROJECT/$stack.tfstate" ;;
plan*)
  [ ! -e "$PROJECT/locked" ] || { echo "Error: Error acquiring the state lock" >&2; exit 1; }
  [ ! -e "$PROJECT/unplannable" ] || { echo "Error: no such image" >&2; exit 1; }
  for word; do case $word in -out=*) echo "$*" >"\${word#-out=}" ;; esac; done ;;
show*) printf '{"resource_changes":[{"address":"docker_container.%s","mode":"managed","type":"docker_container","name":"%s","change":{"actions":["create"],"before":null,"after":{}}}]}' "$stack" "$stack" ;;
apply*) echo "$stack" >>"$PROJECT/applied" ;;
esac
`;
const STACKS = ["c", "c-edge"];

/** A checkout with two stacks that are synthesized already. */
class Checkout {
  readonly cwd = folder();

  constructor() {
    this.write("clusters/c.yaml", FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, group: edge }"));
    this.write("cdktf.json", '{ "app": "true" }');
    this.write("terraform", TERRAFORM, 0o755);
    this.write("bin/docker", DOCKER, 0o755);
    this.write("terraform-version", "1.11.4");
    const stack = (name: string) => ({
      synthesizedStackPath: `stacks/${name}/cdk.tf.json`,
      workingDirectory: `stacks/${name}`,
      dependencies: name === "c" ? [] : ["c"],
    });
    this.write(
      "cdktf.out/manifest.json",
      JSON.stringify({ stacks: Object.fromEntries(STACKS.map((name) => [name, stack(name)])) }),
    );
    this.synthesize("c", ["s1", "s2", "s3"]);
    this.synthesize("c-edge", ["c1"]);
  }

  synthesize(stack: string, agents: readonly string[]): void {
    const at = `cdktf.out/stacks/${stack}`;
    const docker_container = Object.fromEntries(agents.map((agent) => [agent, { provider: `docker.${agent}_host` }]));
    const docker = agents.map((agent) => ({ alias: `${agent}_host` }));
    this.write(`${at}/cdk.tf.json`, JSON.stringify({ provider: { docker }, resource: { docker_container } }));
    this.write(`${at}/rollout.cjs`, "");
    this.write(`${at}/.terraform.lock.hcl`, "");
  }

  write(file: string, text: string, mode?: number): void {
    mkdirSync(join(this.cwd, file, ".."), { recursive: true });
    writeFileSync(join(this.cwd, file), text, { mode });
  }

  /** A Terraform state that has an agent's container on a host. */
  deployed(stack: string, agent: string, host: string): void {
    const resource = {
      mode: "managed",
      type: "docker_container",
      name: agent,
      provider: `provider["registry.terraform.io/kreuzwerker/docker"].${host}_host`,
      instances: [{ attributes: { command: ["agent"] } }],
    };
    this.write(`${stack}.tfstate`, JSON.stringify({ version: 4, lineage: "l", serial: 3, resources: [resource] }));
  }

  run(...words: string[]): Promise<Ended> {
    const env = {
      CLUSTER: "clusters/c.yaml",
      PROJECT: this.cwd,
      TERRAFORM_BINARY_NAME: join(this.cwd, "terraform"),
      PATH: `${join(this.cwd, "bin")}:${process.env.PATH}`,
    };
    return run(words, { cwd: this.cwd, env });
  }

  /** The stacks that were applied, in their order. */
  get applied(): string {
    const file = join(this.cwd, "applied");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }
}

let checkout: Checkout;
let out: string;
beforeEach(() => {
  checkout = new Checkout();
  out = join(folder(), "plans");
});
const plan = (...options: string[]) => checkout.run("plan", "--out", out, ...options);
const deploy = (...options: string[]) => checkout.run("deploy", "--plan", out, ...options);

test("plan prints what diff prints, and deploy applies it from another checkout without a question", async () => {
  const planned = await plan();
  const { stdout } = await checkout.run("diff");
  expect(planned.stdout).toBe(stdout);
  expect(planned.stderr).toContain(`the plans are in ${out}. After approval: npm run deploy -- --plan ${out}`);
  expect([planned.status, checkout.applied]).toEqual([0, ""]);

  checkout = new Checkout();
  const deployed = await deploy();
  expect(deployed.stdout).toContain("containers: 2 to create");
  expect(deployed.stderr).toContain("The first deploy is done.");
  expect([deployed.status, checkout.applied]).toEqual([0, "c\nc-edge\n"]);
});

test("plan ends as diff does, with JSON too", async () => {
  const { status, stdout } = await plan("--detailed-exitcode", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ stacks: [{ stack: "c" }, { stack: "c-edge" }], problems: [] });
  expect(status).toBe(2);
});

test("a deploy of some stacks' plans applies these alone, with events", async () => {
  await plan("c-edge");
  const { status, stdout } = await deploy("--json");
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.slice(0, 2)).toMatchObject([{ event: "plan" }, { event: "approved", by: "saved plan" }]);
  expect(events.at(-1)).toMatchObject({
    event: "summary",
    result: "done",
    saved: true,
    locations: [
      { content: "Terraform state", location: "terraform.<stack>.tfstate", inCheckout: false, copy: "part" },
      { content: "snapshots", location: "backups/c", inCheckout: false, copy: "none" },
    ],
  });
  expect([status, checkout.applied]).toEqual([0, "c-edge\n"]);
});

test("before the first deploy, a plan and a deploy warn of what is in a git checkout; later ones do not", async () => {
  mkdirSync(join(checkout.cwd, ".git"));
  const warning = "warning files-in-checkout: terraform.<stack>.tfstate, backups/c are in the git checkout";
  expect((await plan()).stderr).toContain(warning);
  const deployed = await deploy();
  expect(deployed.stderr).toContain(warning);
  expect(deployed.stderr).toMatch(/^ {2}backups\/c .*git clean -fdx removes it$/m);
  checkout.deployed("c", "s1", "s1");
  expect((await checkout.run("diff")).stderr).not.toContain("files-in-checkout");
});

describe("plan saves nothing", () => {
  const expectNotSaved = async (reason: string, ...options: string[]) => {
    const { status, stderr } = await plan(...options);
    expect(stderr).toContain(reason);
    expect(status).toBe(1);
    expect(existsSync(out)).toBe(false);
  };

  test("if a host is unreachable", () => {
    checkout.write("unreachable", "");
    return expectNotSaved("no plan was saved: a deploy would be rejected, or incomplete");
  });
  test("if every stack is skipped", () => expectNotSaved("every stack is skipped", "c-edge", "--without", "c1"));
  test("if a stack cannot be planned", () => {
    checkout.write("unplannable", "");
    return expectNotSaved("no plan was saved: a deploy would be rejected");
  });
  test("if a deploy would be rejected", () => {
    checkout.deployed("c", "s9", "s3");
    return expectNotSaved("error line-deleted");
  });
});

describe("a deploy of saved plans is rejected, and changes nothing,", () => {
  const expectRejected = async (...reasons: string[]) => {
    const { status, stderr } = await deploy();
    for (const reason of ["rejected; nothing was changed", ...reasons]) expect(stderr).toContain(reason);
    expect([status, checkout.applied]).toEqual([1, ""]);
  };
  const AGAIN = "hint: plan and approve again: npm run plan -- --out FOLDER";

  test.each<[what: string, change: () => void, reason: string]>([
    ["a plan is another", () => writeFileSync(join(out, "c.plan"), "another"), "c.plan: planned with"],
    ["a saved file is gone", () => rmSync(join(out, "stacks/c/terraform.lock.hcl")), "found no file"],
    ["Terraform is another", () => checkout.write("terraform-version", "1.12.0"), "found Terraform v1.12.0"],
    ["the JSON is another", () => checkout.synthesize("c", ["s1", "s2"]), "with another docker_container.s3"],
    [
      "a Terraform state is another",
      () => checkout.deployed("c-edge", "c1", "c1"),
      "stack c-edge: planned with none, found",
    ],
  ])("if %s", async (_, change, reason) => {
    await plan();
    change();
    await expectRejected(reason, AGAIN);
  });

  test("if a host is unreachable, or a Terraform state is locked", async () => {
    await plan();
    checkout.write("unreachable", "");
    checkout.write("locked", "");
    await expectRejected(
      'host "c1" is unreachable: no route to host',
      "the Terraform state of stack c is locked: another deploy runs, or was killed",
    );
  });

  test("if it was allowed to be made, and is no longer", async () => {
    checkout.deployed("c", "s9", "s3");
    expect((await plan("--allow", "line-deleted")).status).toBe(0);
    const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
    expect(manifest.allow).toEqual(["line-deleted"]);
    writeFileSync(join(out, "manifest.json"), JSON.stringify({ ...manifest, allow: [] }));
    await expectRejected("error line-deleted");
  });

  test("without saved plans", async () => {
    const { status, stderr } = await deploy();
    expect([status, stderr]).toEqual([1, expect.stringContaining(`${out} has no saved plans`)]);
  });
});
