import { TerraformStack } from "cdktf";
import type { ConsulAgentProps } from "../../constructs/agent-props";
import { ConsulServer } from "../../constructs/consul-server";
import { DockerHost } from "../../constructs/docker-host";
import { agentConfigOf, flagValues, readable, requestOf, synthesize } from "../synthesized";

/** One server, alone in a user's own stack. */
function server(props: Partial<ConsulAgentProps> = {}, bridge?: string) {
  const { stacks } = synthesize((app) => {
    const stack = new TerraformStack(app, "mine");
    const host = new DockerHost(stack, "h1", { address: "10.0.0.1", daemon: "ssh://root@{address}", bridge });
    new ConsulServer(stack, "s1", { host, bootstrapExpect: 1, ...props });
  });
  const { resource, output } = stacks.mine as NonNullable<typeof stacks.mine>;
  const container = resource.docker_container.s1;
  if (!container) throw new Error("no container");
  return {
    container,
    output: output.s1?.value ?? {},
    readiness: resource.terraform_data.s1,
    image: resource.docker_image.s1,
  };
}

test("a server's container has these defaults", () => {
  const { upload, ...container } = server().container;
  expect(readable(container)).toMatchSnapshot();
});

test("the image is pinned", () => expect(server().image?.name).toBe("hashicorp/consul:1.22.7"));
test("the image can be set", () =>
  expect(server({ image: "hashicorp/consul:1.21.5" }).image?.name).toBe("hashicorp/consul:1.21.5"));
test("a server has its own configuration file and health check", () => {
  expect(server().container.upload.map(({ file }) => file)).toEqual([
    "/consul/config/agent.json",
    "/consul/health.sh",
    "/consul/leave-leadership.sh",
  ]);
});
test("a server is in Consul's default datacenter", () =>
  expect(agentConfigOf(server().container).datacenter).toBe("dc1"));
test("the datacenter can be set", () =>
  expect(agentConfigOf(server({ datacenter: "eu" }).container).datacenter).toBe("eu"));

describe("is named", () => {
  test("after its id", () => {
    const { name, hostname, command } = server().container;
    expect([name, hostname, flagValues({ ...server().container, command }, "-node")]).toEqual(["s1", "s1", ["s1"]]);
  });
  test("in Consul, Docker and its host name by its own settings", () => {
    const { container } = server({ node: "n", container: "co", hostname: "ho" });
    expect([flagValues(container, "-node"), container.name, container.hostname]).toEqual([["n"], "co", "ho"]);
  });
});

describe("keeps its data", () => {
  test("on a volume named after its container", () => {
    expect(server({ container: "co" }).container.volumes[0]).toEqual({
      container_path: "/consul/data",
      volume_name: "co-data",
    });
  });
  test("on the volume that is set", () =>
    expect(server({ data: "vol" }).container.volumes[0]?.volume_name).toBe("vol"));
  test("in the folder that is set", () => {
    expect(server({ data: "/srv/consul" }).container.volumes[0]).toEqual({
      container_path: "/consul/data",
      host_path: "/srv/consul",
    });
  });
});

describe("is stopped", () => {
  test("with time to transfer its leadership, by Docker and by Terraform", () => {
    expect(server().container).toMatchObject({ stop_timeout: 30, destroy_grace_seconds: 30 });
  });
});

describe("logs", () => {
  test("are rotated", () =>
    expect(server().container).toMatchObject({
      log_driver: "json-file",
      log_opts: { "max-size": "10m", "max-file": "3" },
    }));
  test("use the configured driver", () => {
    expect(server({ log: { driver: "syslog", options: { tag: "consul" } } }).container).toMatchObject({
      log_driver: "syslog",
      log_opts: { tag: "consul" },
    });
  });
});

describe("limits", () => {
  test("are none by default", () =>
    expect(Object.keys(server().container).filter((key) => /memory|cpu/.test(key))).toEqual([]));
  test("are memory without swap, and CPUs", () => {
    expect(server({ resources: { memory: 512, cpus: 1.5, cpuset: "0-1" } }).container).toMatchObject({
      memory: 512,
      memory_swap: 512,
      cpus: "1.5",
      cpu_set: "0-1",
    });
  });
});

test("labels are sorted by name, with the product's own, and the one that makes registrator ignore the container", () => {
  expect(server({ labels: { rack: "b", a: "1" } }).container.labels).toEqual([
    { label: "SERVICE_IGNORE", value: "true" },
    { label: "a", value: "1" },
    { label: "consul-cdktf.agent", value: "s1" },
    { label: "consul-cdktf.role", value: "server" },
    { label: "rack", value: "b" },
  ]);
});

describe("is reached", () => {
  test("only from its own host by default", () =>
    expect(server().output).toMatchObject({ http: "http://127.0.0.1:8500", dns: "127.0.0.1:8600" }));
  test("at its host's address if it listens on every address", () => {
    expect(server({ clientAddr: "0.0.0.0" }).output).toMatchObject({
      http: "http://10.0.0.1:8500",
      ui: "http://10.0.0.1:8500/ui",
    });
  });
  test("at the address that is not loopback if it has several", () =>
    expect(server({ clientAddr: "127.0.0.1 10.9.9.9" }).output.http).toBe("http://10.9.9.9:8500"));
  test("on the ports that are set", () => {
    expect(server({ ports: { http: 80, dns: 53 } }).output).toMatchObject({
      http: "http://127.0.0.1:80",
      dns: "127.0.0.1:53",
    });
  });
  test("by no DNS if that is off", () => expect(server({ ports: { dns: -1 } }).output).not.toHaveProperty("dns"));
  test("by no UI if that is off", () => expect(server({ ui: false }).output).not.toHaveProperty("ui"));
});

describe("is joined", () => {
  test("at its host's address", () => expect(server().output.join).toBe("10.0.0.1"));
  test("on its own port if that is not Consul's default", () =>
    expect(server({ ports: { serfLan: 9301 } }).output.join).toBe("10.0.0.1:9301"));
  test("at the address that it advertises", () =>
    expect(server({ bindAddr: "10.1.1.1", advertiseAddr: "192.168.1.1" }).output.join).toBe("192.168.1.1"));
  test("at the address that it binds to", () => expect(server({ bindAddr: "10.1.1.1" }).output.join).toBe("10.1.1.1"));
  test("at its host's address if only Consul can resolve the bind address", () =>
    expect(server({ bindAddr: '{{ GetInterfaceIP "eth1" }}' }).output.join).toBe("10.0.0.1"));
});

describe("the readiness check", () => {
  test("requires a voter, after each start, in its own container", () => {
    const { readiness } = server();
    expect(Object.values(readiness?.triggers_replace ?? {})).toEqual(["${docker_container.s1.id}"]);
    expect(requestOf("readiness", readiness)).toEqual({
      step: "readiness",
      target: { daemon: "ssh://root@10.0.0.1", container: "s1" },
      owner: "s1",
      role: "server",
      node: "s1",
      expect: 1,
      seconds: 120,
    });
  });
});

describe("never joins itself", () => {
  test.each(["10.0.0.1", "10.0.0.1:8301"])("at %s", (address) => {
    expect(() => server({ join: [ConsulServer.fromAddress(address)] })).toThrow(
      "mine/s1 cannot join itself, at 10.0.0.1; name another server",
    );
  });
  test("but may join another agent on its host", () => {
    expect(flagValues(server({ join: [ConsulServer.fromAddress("10.0.0.1:9301")] }).container, "-retry-join")).toEqual([
      "10.0.0.1:9301",
    ]);
  });
});

test("a server joins each address once, sorted by address", () => {
  const join = ["10.0.0.3", "10.0.0.2", "10.0.0.3"].map((address) => ConsulServer.fromAddress(address));
  expect(flagValues(server({ join }).container, "-retry-join")).toEqual(["10.0.0.2", "10.0.0.3"]);
});

describe("in a bridge network", () => {
  test("is joined by its container's name, and binds where Consul chooses", () => {
    const { container, output } = server({}, "net");
    expect([output.join, flagValues(container, "-bind")]).toEqual(["s1", []]);
  });
  test("listens on every address of its container, and publishes nothing", () => {
    const { container } = server({}, "net");
    expect([flagValues(container, "-client"), container.ports]).toEqual([["0.0.0.0"], undefined]);
  });
  test("publishes ports at its host's address, DNS by TCP and UDP", () => {
    expect(server({ publish: { http: 80, dns: 53 } }, "net").container.ports).toEqual([
      { internal: 8500, external: 80, ip: "10.0.0.1", protocol: "tcp" },
      { internal: 8600, external: 53, ip: "10.0.0.1", protocol: "tcp" },
      { internal: 8600, external: 53, ip: "10.0.0.1", protocol: "udp" },
    ]);
  });
  test("is reached at its published port", () =>
    expect(server({ publish: { http: 80 } }, "net").output.http).toBe("http://10.0.0.1:80"));
});

test.each<[string, Partial<ConsulAgentProps>, string]>([
  [
    "configuration",
    { config: { encrypt: "HUSH" } },
    "mine/s1.config.encrypt: error secret-in-config: config.encrypt is a secret",
  ],
  ["flags", { flags: ["-encrypt=HUSH"] }, "mine/s1.flags[0]: error secret-in-config: flags[0] holds a secret"],
  ["labels", { labels: { db_password: "HUSH" } }, "mine/s1.labels.db_password: error secret-in-config"],
])("a secret in its %s is rejected, and not printed", (_, props, message) => {
  expect(() => server(props)).toThrow(message);
  expect(() => server(props)).not.toThrow("HUSH");
});
