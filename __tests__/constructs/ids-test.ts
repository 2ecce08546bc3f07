import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadCluster } from "../../cluster/file/load";
import { HEAD, PROJECT, SEED } from "../cluster-files";
import { type StackJson, type Synthesized, synthesizeCluster, synthesizeText } from "../synthesized";

/**
 * Terraform finds running resources by these ids, so that a resource with a new id is destroyed and created again. A change
 * here replaces every user's containers, or loses their Terraform state. It belongs in the release notes.
 */
const idsOf = ({ resource, provider, output, locals, terraform }: StackJson) => ({
  ...Object.fromEntries(Object.entries(resource).map(([type, resources]) => [type, Object.keys(resources)])),
  provider: (provider?.docker ?? []).map(({ alias }) => alias),
  output: Object.keys(output ?? {}),
  locals: Object.keys(locals ?? {}),
  backend: terraform.backend,
});

const idsOfAll = ({ stacks }: Synthesized) =>
  Object.fromEntries(Object.entries(stacks).map(([name, stack]) => [name, idsOf(stack)]));

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test("the ids of seed.yaml do not change", () => {
  const agents = ["consul-client1", "consul-server1", "consul-server2", "consul-server3"];
  expect(idsOfAll(synthesizeCluster(loadCluster(SEED)))).toEqual({
    consul: {
      docker_container: agents,
      docker_image: agents.flatMap((agent) => [agent, `${agent}_gliderlabs-registrator-latest`]),
      terraform_data: [
        ...agents.flatMap((agent) => [agent, `${agent}_services`]),
        ...["consul_autopilot", "consul_definitions", "consul_quorum"],
      ],
      provider: agents.map((agent) => `${agent}_host`),
      output: agents,
      locals: [],
      backend: { local: { path: "../../../terraform.consul.tfstate" } },
    },
  });
});

test("the ids of a cluster in groups do not change", () => {
  const grouped = synthesizeText(`${HEAD}hosts:
  s1: { address: 10.0.0.1, group: rack1 }
  s2: { address: 10.0.0.2, group: rack2 }
  s3: 10.0.0.3
  c1: { address: 10.0.0.4, group: edge }
servers: [s1, s2, s3]
clients: [c1]
`);
  const stack = (agent: string, more: object) => ({
    docker_container: [agent],
    docker_image: [agent],
    terraform_data: [agent, `${agent}_services`],
    provider: [`${agent}_host`],
    output: [agent],
    locals: [],
    ...more,
  });
  expect(idsOfAll(grouped)).toEqual({
    c: stack("s3", {
      terraform_data: ["consul_autopilot", "consul_definitions", "consul_quorum", "s3", "s3_services"],
      output: ["consul_stacks", "s3"],
      backend: { local: { path: "../../../terraform.c.tfstate" } },
    }),
    "c-edge": stack("c1", { backend: { local: { path: "../../../terraform.c-edge.tfstate" } } }),
    "c-rack1": stack("s1", { backend: { local: { path: "../../../terraform.c-rack1.tfstate" } } }),
    "c-rack2": stack("s2", { backend: { local: { path: "../../../terraform.c-rack2.tfstate" } } }),
  });
});

test("a bridge network has the id of its host", () => {
  const { stacks } = synthesizeCluster(loadCluster(join(PROJECT, "clusters/local.yaml")));
  expect(Object.keys(stacks["consul-local"]?.resource.docker_network ?? {})).toEqual(["local_host"]);
});

// These scripts are uploaded, so a changed byte replaces their containers.
test.each(readdirSync(join(PROJECT, "container")))("container/%s does not change, byte for byte", (file) => {
  expect(sha256(readFileSync(join(PROJECT, "container", file), "utf8"))).toMatchSnapshot();
});

describe("agents may have names of the product's own resources", () => {
  const names = [
    "backend",
    "scripts",
    "provider",
    "quorum",
    "container",
    "image",
    "gate",
    "addresses",
    "resource",
    "network",
    "host",
    "docker",
    "consul",
  ];
  const { stacks } = synthesizeText(`${HEAD.replace("name: c", "name: consul")}hosts:
${names.map((name, index) => `  ${name}: 10.0.0.${index + 1}`).join("\n")}
servers: [backend, scripts, provider]
clients: [${names.slice(3).join(", ")}]
images: [consul, gate, container:host]
`);
  const { docker_container, docker_image, terraform_data } =
    stacks.consul?.resource ?? ({} as Partial<StackJson["resource"]>);

  test("each has its container", () => expect(Object.keys(docker_container ?? {})).toEqual([...names].sort()));
  test("each has its steps, beside the last ones", () => {
    const own = names.flatMap((name) => [name, `${name}_services`]);
    expect(Object.keys(terraform_data ?? {})).toEqual(
      [...own, "consul_autopilot", "consul_definitions", "consul_quorum"].sort(),
    );
  });
  test("each has its images", () => expect(Object.keys(docker_image ?? {})).toHaveLength(names.length * 4));
});
