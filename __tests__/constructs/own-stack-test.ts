import { type LocalExecProvisioner, TerraformOutput } from "cdktf";
import type { ConsulServer } from "../../constructs/consul-server";
import { type OwnStack, synthesizeOwn } from "../own-stack";
import { requestOf, stackOf } from "../synthesized";

const built = (build: (stack: OwnStack) => void) => stackOf(synthesizeOwn(build), "mine");

describe("the provisioners of a container's owner stay, behind the pre-stop check", () => {
  const mine: LocalExecProvisioner = { type: "local-exec", when: "destroy", command: "mine" };
  const change = (set: (server: ConsulServer) => void) => {
    const { docker_container } = built((stack) => {
      const server = stack.server(1);
      set(server);
      server.addServers(server, stack.server(2));
    }).resource;
    return docker_container.s1?.provisioner ?? [];
  };

  test.each<[string, (server: ConsulServer) => void]>([
    ["that are set", ({ container }) => Object.assign(container, { provisioners: [mine] })],
    ["that are appended", ({ container }) => container.provisioners?.push(mine)],
    ["that are put first", ({ container }) => container.provisioners?.unshift(mine)],
  ])("%s", (_, set) => {
    const provisioners = change(set);
    expect(provisioners.map(({ "local-exec": { command, when } }) => ({ command, when }))).toEqual([
      { command: "pre-stop s1", when: "destroy" },
      { command: "mine", when: "destroy" },
    ]);
  });

  test("and the check knows servers that are named later", () => {
    const [check] = change(({ container }) => Object.assign(container, { provisioners: [mine] }));
    const destroyed = { name: "s1", command: ["agent", "-node=s1"], provisioner: check ? [check] : [] };
    expect(requestOf("pre-stop", destroyed, destroyed).servers).toEqual([
      { daemon: "ssh://root@10.0.0.2", container: "s2" },
    ]);
  });
});

describe("a version that the stack's owner requires is required beside ours", () => {
  const requirements = (build: (stack: OwnStack) => void) => {
    const { required_version, required_providers } = built(build).terraform;
    return { required_version, docker: (required_providers as { docker: { version: string } }).docker.version };
  };
  const require = (stack: OwnStack) => {
    stack.addOverride("terraform.required_version", ">= 1.9,< 2");
    stack.addOverride("terraform.required_providers.docker.version", "4.6.0");
  };
  const both = { required_version: ">= 1.9, < 2, >= 1.4.0", docker: "4.6.0, ~> 4.5" };

  test("if it was set before", () =>
    expect(
      requirements((stack) => {
        require(stack);
        stack.host(1);
        stack.host(2);
      }),
    ).toEqual(both));
  test("if it is set afterwards", () =>
    expect(
      requirements((stack) => {
        stack.host(1);
        require(stack);
      }),
    ).toEqual(both));
  test("if it is ours, once", () =>
    expect(
      requirements((stack) => {
        stack.addOverride("terraform.required_version", ">= 1.4.0");
        stack.host(1);
      }),
    ).toEqual({ required_version: ">= 1.4.0", docker: "~> 4.5" }));
  test("and other providers stay", () => {
    const { terraform } = built((stack) => {
      stack.addOverride("terraform.required_providers.random", { source: "hashicorp/random", version: "3.7.2" });
      stack.host(1);
    });
    expect(terraform.required_providers).toEqual({
      docker: { source: "kreuzwerker/docker", version: "~> 4.5" },
      random: { source: "hashicorp/random", version: "3.7.2" },
    });
  });
});

test("outputs of the stack's owner stay, beside each agent's addresses", () => {
  const { output } = built((stack) => {
    new TerraformOutput(stack, "mine", { value: "kept" });
    stack.server(1);
  });
  expect(Object.entries(output).map(([name, { value }]) => [name, typeof value])).toEqual([
    ["mine", "string"],
    ["s1", "object"],
  ]);
});

test("a client agent's pre-stop check asks the servers that are named, in their order", () => {
  const { docker_container } = built((stack) => {
    stack.client(9).addServers(stack.server(2), stack.server(1));
  }).resource;
  expect(requestOf("pre-stop", docker_container.c9).servers.map(({ container }) => container)).toEqual(["s2", "s1"]);
});
