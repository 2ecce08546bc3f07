import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FOUR_HOSTS, folder, load } from "../../cluster-files";
import { type Ended, run } from "../../command-line";
import { stacksOf } from "../../synthesized";

const FILE = `${FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, group: edge }")}registrator: on\n`;
const PROVIDER = "registry.terraform.io/kreuzwerker/docker";
const EMPTY = '{"version":4,"serial":1,"lineage":"l","resources":[]}';
/** Terraform with a state in each stack's folder. Once one was pushed, the stacks in `unreachable` cannot be pulled. */
const TERRAFORM = `#!/bin/sh
stack=$(basename "$PWD")
case "$*" in
"state pull"*)
  if [ -e "$PROJECT/pushed" ] && grep -qx "$stack" "$PROJECT/unreachable"; then echo "Error: no route to host" >&2; exit 1; fi
  [ ! -e state ] || cat state ;;
"state push "*) cp "$3" state; touch "$PROJECT/pushed" ;;
"show -json "*) cat plan ;;
*-auto-approve*) [ -e state ] || echo '${EMPTY}' >state ;;
esac
`;
/** The docker CLI of all hosts: each has a registrator of the cluster, and no agent. */
const DOCKER = `#!/bin/sh
case "$*" in
*" container inspect "*registrator) cat "$PROJECT/registrator" ;;
*" container inspect "*) echo "No such container" >&2; exit 1 ;;
*" image inspect "*) echo '{"Env":[],"Labels":null}' ;;
esac
`;
const REGISTRATOR = {
  Id: "id-of-registrator",
  Image: "sha256:1",
  Name: "/registrator",
  RestartCount: 0,
  State: { Status: "running", Running: true, ExitCode: 0, Error: "", StartedAt: "" },
  Config: {
    Image: "",
    Hostname: "",
    Cmd: null,
    Entrypoint: null,
    Env: [],
    Labels: { "consul-cdktf.role": "registrator", "consul-cdktf.cluster": "c" },
  },
  HostConfig: { NetworkMode: "host", RestartPolicy: { Name: "always" } },
  Mounts: [],
};

/** A checkout of two stacks, whose Terraform states lack the registrators that run. */
class Checkout {
  readonly cwd = folder();

  constructor() {
    this.write("clusters/c.yaml", FILE);
    this.write("cdktf.json", '{ "app": "true" }');
    this.write("bin/terraform", TERRAFORM, 0o755);
    this.write("bin/docker", DOCKER, 0o755);
    this.write("registrator", JSON.stringify([REGISTRATOR]));
    this.write("unreachable", "");
    const synthesized = stacksOf(load(FILE));
    const names = Object.keys(synthesized);
    const stack = (name: string) => ({
      synthesizedStackPath: `stacks/${name}/cdk.tf.json`,
      workingDirectory: `stacks/${name}`,
      dependencies: names.slice(0, names.indexOf(name)),
    });
    const stacks = Object.fromEntries(names.map((name) => [name, stack(name)]));
    this.write("cdktf.out/manifest.json", JSON.stringify({ stacks }));
    for (const [name, json] of Object.entries(synthesized)) {
      this.write(`cdktf.out/stacks/${name}/cdk.tf.json`, JSON.stringify(json));
      const containers = Object.keys((json as { resource: Record<string, object> }).resource.docker_container ?? {});
      const resources = containers.map((id) => ({
        address: `docker_container.${id}`,
        provider_name: PROVIDER,
        schema_version: 2,
        values: { name: id },
      }));
      this.write(
        `cdktf.out/stacks/${name}/plan`,
        JSON.stringify({ planned_values: { root_module: { resources } }, resource_changes: [] }),
      );
    }
  }

  write(file: string, text: string, mode?: number): void {
    mkdirSync(join(this.cwd, file, ".."), { recursive: true });
    writeFileSync(join(this.cwd, file), text, { mode });
  }

  adopt(...options: string[]): Promise<Ended> {
    const env = {
      CLUSTER: "clusters/c.yaml",
      PROJECT: this.cwd,
      TERRAFORM_BINARY_NAME: join(this.cwd, "bin/terraform"),
      PATH: `${join(this.cwd, "bin")}:${process.env.PATH}`,
    };
    return run(["adopt", ...options], { cwd: this.cwd, env });
  }
}

const OF_SERVERS = ["s1_registrator", "s2_registrator", "s3_registrator"];
let checkout: Checkout;
beforeEach(() => {
  checkout = new Checkout();
});
const outcome = async () => {
  const { status, stdout } = await checkout.adopt("--json");
  return { status, ...JSON.parse(stdout) };
};

test("containers that the Terraform states lack are written into them", async () => {
  expect(await outcome()).toMatchObject({ status: 0, problems: [], recorded: [...OF_SERVERS, "c1_registrator"] });
});

test("what was written is printed, even if a state cannot be read any more, and the next run goes on", async () => {
  checkout.write("unreachable", "c-edge");
  const { status, recorded, failure, agents } = await outcome();
  expect([status, recorded, failure]).toEqual([1, OF_SERVERS, expect.stringContaining("no route to host")]);
  expect(agents.map(({ agent, state }: Record<string, string>) => [agent, state])).toContainEqual(["s1", "absent"]);

  checkout.write("unreachable", "");
  expect(await outcome()).toMatchObject({ status: 0, recorded: ["c1_registrator"] });
});
