import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { App, TerraformStack } from "cdktf";
import { ConsulServer } from "../../constructs/consul-server";
import { DockerHost, type DockerHostProps, type ExistingDockerHostProps } from "../../constructs/docker-host";
import { synthesizeOwn } from "../own-stack";
import { containerOf, requestOf, stackOf, synthesize } from "../synthesized";

/** The provider of one host. */
function providerOf(props: Partial<DockerHostProps>, id = "h1") {
  const { stacks } = synthesize((app) => {
    new DockerHost(new TerraformStack(app, "t"), id, { address: "10.0.0.1", daemon: "ssh://root@{address}", ...props });
  });
  return stacks.t?.provider.docker[0];
}

const hostOf = (props: Partial<DockerHostProps>) =>
  new DockerHost(new TerraformStack(new App(), "t"), "h1", {
    address: "10.0.0.1",
    daemon: "ssh://root@{address}",
    ...props,
  });

describe("the provider", () => {
  test("of one host", () => expect(providerOf({})).toMatchSnapshot());
  test("reaches the daemon by the host's address and name", () =>
    expect(providerOf({ daemon: "ssh://{host}@{address}:22" })?.host).toBe("ssh://h1@10.0.0.1:22"));
  test("writes an IPv6 address in brackets", () =>
    expect(providerOf({ address: "fd00::1" })?.host).toBe("ssh://root@[fd00::1]"));
  test("uses the project's certificates for TLS", () => {
    expect(providerOf({ daemon: { url: "tcp://{address}:2376", certs: "secrets/h1" } })).toMatchObject({
      host: "tcp://10.0.0.1:2376",
      cert_path: '${abspath("${path.root}/../../../secrets/h1")}',
    });
  });
  test("uses Docker's own certificates for TLS by default", () => {
    expect(providerOf({ daemon: "tcp://{address}:2376" })?.cert_path).toBe('${pathexpand("~/.docker")}');
  });
  test("uses plain TCP only if the scheme names it", () => {
    expect(providerOf({ daemon: "tcp+insecure://{address}:2375" })).toMatchObject({
      host: "tcp://10.0.0.1:2375",
      cert_path: "",
    });
  });
  test("cannot be redirected by the environment", () =>
    expect(providerOf({})).toMatchObject({ context: "", cert_path: "" }));
  test("reads credentials of registries from the operator's docker config, so that they are not in the JSON", () => {
    expect(providerOf({ registries: ["registry.example.com"] })?.registry_auth).toEqual([
      { address: "registry.example.com", config_file: '${pathexpand("~/.docker/config.json")}' },
    ]);
  });
  test("has a version that tolerates a host that is down", () => {
    const { stacks } = synthesize((app) => {
      new DockerHost(new TerraformStack(app, "t"), "h1", { address: "10.0.0.1", daemon: "unix:///x" });
    });
    expect(stacks.t?.terraform.required_providers).toEqual({
      docker: { source: "kreuzwerker/docker", version: "~> 4.5" },
    });
  });
});

describe("the rollout reaches a container", () => {
  test("by ssh", () => expect(hostOf({}).target("s1")).toEqual({ daemon: "ssh://root@10.0.0.1", container: "s1" }));
  test("by TLS, with the project's certificates, from the stack's folder", () => {
    expect(hostOf({ daemon: { url: "tcp://{address}:2376", certs: "secrets/h1" } }).target("s1")).toEqual({
      daemon: "tcp://10.0.0.1:2376",
      certs: "../../../secrets/h1",
      container: "s1",
    });
  });
  test.each(["/certs", "~/.docker"])("by TLS, with certificates in %s", (certs) =>
    expect(hostOf({ daemon: { url: "tcp://{address}:2376", certs } }).target("s1").certs).toBe(certs),
  );
  test("by TLS with Docker's own certificates by default", () =>
    expect(hostOf({ daemon: "tcp://{address}:2376" }).target("s1").certs).toBe("~/.docker"));
  test("by plain TCP without certificates only if the scheme names it", () => {
    expect(hostOf({ daemon: "tcp+insecure://{address}:2375" }).target("s1")).toEqual({
      daemon: "tcp://10.0.0.1:2375",
      container: "s1",
    });
  });
  test("by a socket", () =>
    expect(hostOf({ daemon: "unix:///var/run/docker.sock" }).target("s1")).toEqual({
      daemon: "unix:///var/run/docker.sock",
      container: "s1",
    }));
});

describe("images", () => {
  test("of Docker Hub are pulled through the mirror", () => {
    expect(hostOf({ mirror: "mirror:5000" }).pullReference("hashicorp/consul:1")).toBe(
      "mirror:5000/hashicorp/consul:1",
    );
  });
  test("stay on the host when the stack is destroyed", () => {
    const { stacks } = synthesize((app) => {
      const stack = new TerraformStack(app, "t");
      new DockerHost(stack, "h1", { address: "10.0.0.1", daemon: "unix:///x" }).pull(stack, "nginx", "nginx");
    });
    expect(stacks.t?.resource.docker_image.nginx).toMatchObject({
      name: "nginx",
      keep_locally: true,
      provider: "docker.h1",
    });
  });
});

test("a bridge network is created on the host, by its name", () => {
  const { stacks } = synthesize((app) => {
    new DockerHost(new TerraformStack(app, "t"), "h1", { address: "127.0.0.1", daemon: "unix:///x", bridge: "consul" });
  });
  expect(stacks.t?.resource.docker_network?.h1).toMatchObject({ name: "consul", provider: "docker.h1" });
});

describe("a host whose provider the stack has already", () => {
  function existing(props: Partial<ExistingDockerHostProps> = {}) {
    const synthesized = synthesizeOwn((stack) => {
      const provider = new DockerProvider(stack, "docker", { host: "ssh://me@10.0.0.1" });
      const host = DockerHost.fromProvider(stack, "h1", {
        provider,
        address: "10.0.0.1",
        daemon: "ssh://me@{address}",
        ...props,
      });
      new ConsulServer(stack, "s1", { host, bootstrapExpect: 1, publish: { http: 80 } });
    });
    return { stack: stackOf(synthesized, "mine"), container: containerOf(synthesized, "s1") };
  }

  test("gets no other, and its constraint is the product's", () => {
    const { stack, container } = existing();
    expect(stack.provider.docker).toEqual([{ host: "ssh://me@10.0.0.1" }]);
    expect([container.provider, stack.resource.docker_image.s1?.provider]).toEqual(["docker", "docker"]);
    expect(stack.terraform.required_providers).toMatchObject({ docker: { version: "~> 4.5" } });
  });
  test("is reached by the rollout at its daemon", () =>
    expect(requestOf("pre-stop", existing().container).target).toEqual({
      daemon: "ssh://me@10.0.0.1",
      container: "s1",
    }));
  test("has its agents in its own network by default", () =>
    expect(existing().container).toMatchObject({ network_mode: "host" }));
  test("has them in a bridge network that exists, at an address of its subnet", () => {
    const { stack, container } = existing({ bridge: { name: "apps", subnet: "192.168.7.0/24" } });
    expect(stack.resource.docker_network).toBeUndefined();
    expect(container).toMatchObject({
      network_mode: "bridge",
      networks_advanced: [{ name: "apps", ipv4_address: expect.stringMatching(/^192\.168\.7\.\d+$/) }],
      ports: [{ internal: 8500, external: 80, ip: "10.0.0.1", protocol: "tcp" }],
    });
    expect(requestOf("pre-stop", container).next.network).toBe("apps");
  });
  test("pulls Docker Hub's images through its mirror", () =>
    expect(existing({ mirror: "mirror:5000" }).stack.resource.docker_image.s1?.name).toBe(
      "mirror:5000/hashicorp/consul:1.22.7",
    ));
});
