import { FOUR_HOSTS } from "../cluster-files";
import { type StackJson, synthesizeText } from "../synthesized";

const GROUPED = FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, group: edge }");
const terraformOf = (backend: string): Record<string, StackJson["terraform"]> =>
  Object.fromEntries(
    Object.entries(synthesizeText(`${GROUPED}backend: ${backend}\n`).stacks).map(([name, { terraform }]) => [
      name,
      terraform,
    ]),
  );

test("Terraform state is a file of the project, named after its stack", () => {
  const { stacks } = synthesizeText(GROUPED);
  expect(stacks.c?.terraform.backend).toEqual({ local: { path: "../../../terraform.c.tfstate" } });
  expect(stacks["c-edge"]?.terraform.backend).toEqual({ local: { path: "../../../terraform.c-edge.tfstate" } });
});
test("the folder of Terraform state may be set", () => {
  expect(terraformOf('{ local: { path: "states/{stack}.json" } }').c?.backend).toEqual({
    local: { path: "../../../states/c.json" },
  });
});
test("an absolute path does not change", () => {
  expect(terraformOf('{ local: { path: "/var/{stack}.json" } }').c?.backend).toEqual({
    local: { path: "/var/c.json" },
  });
});
test("S3 has a key for each stack, and accepts any argument of Terraform's", () => {
  expect(terraformOf("{ s3: { bucket: b, region: eu-central-1, use_lockfile: true } }")["c-edge"]?.backend).toEqual({
    s3: { bucket: "b", region: "eu-central-1", use_lockfile: true, key: "consul/c-edge.tfstate" },
  });
});
test("HTTP addresses have the stack's name in place of `{stack}`", () => {
  const address = "https://example.com/{stack}";
  expect(terraformOf(`{ http: { address: "${address}", lock_address: "${address}/lock" } }`).c?.backend).toEqual({
    http: { address: "https://example.com/c", lock_address: "https://example.com/c/lock" },
  });
});
test("PostgreSQL has a schema for each stack", () =>
  expect(terraformOf("{ pg: {} }")["c-edge"]?.backend).toEqual({ pg: { schema_name: "c-edge" } }));
test("HCP Terraform has a workspace for each stack, and no backend beside it", () => {
  expect(terraformOf("{ cloud: { organization: o } }")["c-edge"]).toMatchObject({
    cloud: { organization: "o", workspaces: { name: "c-edge" } },
  });
  expect(terraformOf("{ cloud: { organization: o } }").c).not.toHaveProperty("backend");
});
test("text that looks like an expression is escaped", () => {
  expect(terraformOf('{ s3: { bucket: "${b}" } }').c?.backend).toMatchObject({ s3: { bucket: "$${b}" } });
});
