import { App, CloudBackend, LocalBackend, NamedCloudWorkspace, RemoteBackend, TerraformStack } from "cdktf";
import { EmbeddedCluster } from "../../constructs/embedded-cluster";
import { FOUR_HOSTS } from "../cluster-files";
import { synthesizeText } from "../synthesized";

const VARIABLE = {
  TFC_RUN_ID: { type: "string", default: "", validation: [{ condition: '${var.TFC_RUN_ID == ""}' }] },
};

const HOSTS = { s1: "10.0.0.1" };
const DESCRIPTION = {
  name: "c",
  security: "off",
  daemon: "ssh://root@{address}",
  hosts: HOSTS,
  servers: ["s1"],
} as const;

function embedded(backend: (stack: TerraformStack) => unknown): Record<string, unknown> {
  const stack = new TerraformStack(new App(), "c");
  new EmbeddedCluster(stack, { ...DESCRIPTION, hosts: HOSTS, servers: ["s1"] });
  backend(stack);
  return stack.toTerraform();
}

test("a plan fails on a worker of HCP Terraform, in each stack", () => {
  const grouped = FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, group: edge }");
  const { stacks } = synthesizeText(`${grouped}backend: { cloud: { organization: o } }\n`);
  expect(Object.keys(stacks)).toEqual(["c", "c-edge"]);
  for (const stack of Object.values(stacks)) expect(stack).toMatchObject({ variable: VARIABLE });
});

test("a stack of one's own has it too, with the backends that have workers", () => {
  const workspaces = new NamedCloudWorkspace("w");
  expect(embedded((stack) => new RemoteBackend(stack, { organization: "o", workspaces }))).toMatchObject({
    variable: VARIABLE,
  });
  expect(embedded((stack) => new CloudBackend(stack, { organization: "o", workspaces }))).toMatchObject({
    variable: VARIABLE,
  });
});

test("other stacks have nothing of it", () => {
  expect(synthesizeText(FOUR_HOSTS).stacks.c).not.toHaveProperty("variable");
  expect(embedded((stack) => new LocalBackend(stack, {}))).not.toHaveProperty("variable");
});
