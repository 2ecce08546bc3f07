import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "cdktf";
import { ConsulCluster } from "../../constructs/consul-cluster";
import { PROVIDER_VERSION } from "../../e2e/test-bed/world";
import { FOUR_HOSTS, folder, load } from "../cluster-files";

const GROUPED = FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, group: web }");
const OTHER = "4.5.0";

/** The constraints of the Docker provider in a cluster's stacks. */
function constraints(outdir: string, extend: (cluster: ConsulCluster) => void = () => undefined) {
  const app = new App({ outdir });
  const cluster = new ConsulCluster(app, load(GROUPED));
  extend(cluster);
  app.synth();
  return [...cluster.stacks.keys()].map((name) => {
    const { terraform } = JSON.parse(readFileSync(join(outdir, "stacks", name, "cdk.tf.json"), "utf8"));
    return terraform.required_providers.docker.version;
  });
}

test("all stacks of a cluster require the release of the Docker provider that the test bed has", () =>
  expect(constraints(folder())).toEqual([PROVIDER_VERSION, PROVIDER_VERSION]));
test("a version that a program requires for one stack takes its place there, if it is supported", () => {
  const require = (cluster: ConsulCluster) => cluster.addOverride("terraform.required_providers.docker.version", OTHER);
  expect(constraints(folder(), require).sort()).toEqual([`${OTHER}, ~> 4.5`, PROVIDER_VERSION]);
});

describe("Terraform's lock file", () => {
  /** What is left of a lock file after a synth. */
  function lockAfterSynth(text: string, extend?: (cluster: ConsulCluster) => void): string | undefined {
    const outdir = folder();
    constraints(outdir);
    const file = join(outdir, "stacks/c/.terraform.lock.hcl");
    writeFileSync(file, text);
    constraints(outdir, extend);
    try {
      return readFileSync(file, "utf8");
    } catch {
      return undefined;
    }
  }
  const lockOf = (version: string, registry = "registry.terraform.io", provider = "kreuzwerker/docker") =>
    `# made by "terraform init"\n\nprovider "${registry}/${provider}" {\n  version     = "${version}"\n  constraints = "~> 4.5"\n}\n`;

  test.each(["registry.terraform.io", "registry.opentofu.org"])(
    "of %s is removed if it has another version, with which `init` would fail",
    (registry) => expect(lockAfterSynth(lockOf(OTHER, registry))).toBeUndefined(),
  );
  test.each([
    ["of the required version", lockOf(PROVIDER_VERSION)],
    ["of another provider", lockOf(OTHER, "registry.terraform.io", "hashicorp/random")],
  ])("%s stays", (_, text) => expect(lockAfterSynth(text)).toBe(text));
  test("of another version stays if the program requires that", () => {
    const require = (cluster: ConsulCluster) =>
      cluster.addOverride("terraform.required_providers.docker.version", OTHER);
    expect(lockAfterSynth(lockOf(OTHER), require)).toBe(lockOf(OTHER));
  });
});
