import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type App,
  AzurermBackend,
  CloudBackend,
  GcsBackend,
  LocalBackend,
  NamedCloudWorkspace,
  NamedRemoteWorkspace,
  RemoteBackend,
  S3Backend,
  TerraformOutput,
  TerraformStack,
} from "cdktf";
import { parse } from "yaml";
import { loadCluster } from "../../cluster/file/load";
import type { ClusterFile } from "../../cluster/file/schema";
import { ConsulCluster } from "../../constructs/consul-cluster";
import { EmbeddedCluster } from "../../constructs/embedded-cluster";
import { FOUR_HOSTS, folder } from "../cluster-files";
import { run } from "../command-line";
import { stackOf, synthesize, synthesizeText } from "../synthesized";

const described = (changes: Partial<ClusterFile> = {}): ClusterFile => ({ ...parse(FOUR_HOSTS), ...changes });
const secured = () => described({ security: { secrets: join(folder(), "secrets") } });

const embedded = (description: ClusterFile, more: (stack: TerraformStack) => void = () => undefined, id = "c") =>
  synthesize((app: App) => {
    const stack = new TerraformStack(app, id);
    more(stack);
    new EmbeddedCluster(stack, description);
  });
const fileOf = ({ outdir }: { readonly outdir: string }) => join(outdir, "stacks/c/cluster.json");

test("a stack of one's own has the resources of a cluster file's stack, to the name", () => {
  const own = stackOf(embedded(described({ kv: { colour: "blue" }, backups: { every: "1h" } })), "c");
  const ofFile = stackOf(synthesizeText(`${FOUR_HOSTS}kv: { colour: blue }\nbackups: { every: 1h }\n`), "c");
  expect([own.resource, own.output, own.provider]).toEqual([ofFile.resource, ofFile.output, ofFile.provider]);
});

test("what the stack's owner has put there stays", () => {
  const stack = stackOf(
    embedded(described(), (own) => {
      new LocalBackend(own, { path: "mine.tfstate" });
      new TerraformOutput(own, "mine", { value: 1 });
    }),
    "c",
  );
  expect(stack.output).toMatchObject({ mine: { value: 1 } });
  expect(stack.terraform.backend).toMatchObject({ local: { path: "mine.tfstate" } });
});

test("agents and registrators are found by name", () => {
  let cluster: EmbeddedCluster | undefined;
  synthesize((app) => {
    cluster = new EmbeddedCluster(new TerraformStack(app, "c"), described({ registrator: {} }));
  });
  expect([...(cluster?.agents.keys() ?? [])]).toEqual(["c1", "s1", "s2", "s3"]);
  expect([...(cluster?.registrators.keys() ?? [])]).toEqual(["c1", "s1", "s2", "s3"]);
});

test("beside the JSON is a cluster file, which gives the same cluster", () => {
  const description = secured();
  const again = synthesize((app) => new ConsulCluster(app, loadCluster(fileOf(embedded(description)))));
  expect(stackOf(again, "c").resource).toEqual(stackOf(embedded(description), "c").resource);
});

test.each<[string, (stack: TerraformStack) => unknown, object]>([
  ["a path of the stack's folder", (own) => new LocalBackend(own, { path: "../../../mine.tfstate" }), { local: {} }],
  ["none", () => undefined, { local: {} }],
  [
    "S3",
    (own) => new S3Backend(own, { bucket: "states", key: "c.tfstate", region: "eu-west-1" }),
    { s3: { bucket: "states", key: "c.tfstate", region: "eu-west-1" } },
  ],
  [
    "HCP Terraform",
    (own) => new CloudBackend(own, { organization: "o", workspaces: new NamedCloudWorkspace("c") }),
    { cloud: { organization: "o", workspaces: { name: "c" } } },
  ],
  [
    "HCP Terraform, the former way",
    (own) => new RemoteBackend(own, { organization: "o", workspaces: new NamedRemoteWorkspace("c") }),
    { cloud: { organization: "o", workspaces: { name: "c" } } },
  ],
  ["Google", (own) => new GcsBackend(own, { bucket: "b", prefix: "p" }), { gcs: { bucket: "b", prefix: "p" } }],
  [
    "Azure",
    (own) => new AzurermBackend(own, { storageAccountName: "s", containerName: "n", key: "k" }),
    { azurerm: { storage_account_name: "s", container_name: "n", key: "k" } },
  ],
])("commands read the state where the stack has it: %s", (_, set, expected) => {
  const synthesized = embedded(described(), set);
  const { backend } = loadCluster(fileOf(synthesized));
  expect(backend).toMatchObject(expected);
  const { backend: own } = stackOf(synthesized, "c").terraform;
  const path = (own as { local?: { path: string } } | undefined)?.local?.path;
  if (path) expect(resolve(String(backend?.local?.path))).toBe(resolve(synthesized.outdir, "stacks/c", path));
});

test("with a private folder, the state stays where the stack has it", () => {
  const description = described({ security: "on", private_folder: "../c-private" });
  const { backend, security } = loadCluster(fileOf(embedded(description)));
  expect(String(backend?.local?.path)).not.toContain("c-private");
  expect(security?.secrets).toBe("../c-private/secrets/c");
});

test("with that file, `secrets init` makes the secrets that the stack expects", async () => {
  const file = fileOf(embedded(secured()));
  const made = await run(["secrets", "init", "--cluster", file]);
  expect(made).toEqual({
    status: 0,
    stdout: expect.stringContaining("agents/s1/"),
    stderr: "next: npx cdktf deploy\n",
  });
  expect(await run(["secrets", "check", "--cluster", file])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("nothing is wrong"),
  });
});

test("the `cluster` key of cdktf.json's context may name that file", async () => {
  const { outdir } = embedded(secured());
  writeFileSync(join(outdir, "cdktf.json"), JSON.stringify({ context: { cluster: "stacks/c/cluster.json" } }));
  const { stdout } = await run(["secrets", "init"], { cwd: outdir });
  expect(stdout).toMatch(/^cluster file: stacks\/c\/cluster\.json\n.*agents\/s1\//s);
});

test.each<[string, Partial<ClusterFile>, string, RegExp]>([
  ["a stack of another name", {}, "mine", /the stack "mine" has the cluster "c": give both the same name/],
  [
    "hosts in groups",
    { hosts: { ...described().hosts, c1: { address: "10.0.0.4", group: "far" } } },
    "c",
    /"c1" is in the group "far".*use ConsulCluster, or remove `group`/,
  ],
  [
    "a backend",
    { backend: { local: { path: "{stack}.tfstate" } } },
    "c",
    /`backend`: remove it, and set the stack's own/,
  ],
  ["an error of the description", { servers: ["s9"] }, "c", /^c\/consul_cluster\.servers\[0\]: error \S+: .*s9/],
])("%s is refused, and nothing is added to the stack", (_, changes, id, message) => {
  let stack: TerraformStack | undefined;
  expect(() =>
    embedded(
      described(changes),
      (own) => {
        stack = own;
      },
      id,
    ),
  ).toThrow(message);
  expect(stack?.node.children).toEqual([]);
});
