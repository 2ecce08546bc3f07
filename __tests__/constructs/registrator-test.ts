import { TerraformStack } from "cdktf";
import { ConsulClient } from "../../constructs/consul-client";
import { ConsulServer } from "../../constructs/consul-server";
import { DockerHost } from "../../constructs/docker-host";
import { Registrator, type RegistratorProps } from "../../constructs/registrator";
import { BRIDGE, FOUR_HOSTS, load } from "../cluster-files";
import {
  type ContainerJson,
  readable,
  requestOf,
  type StackJson,
  stacksOf,
  synthesize,
  synthesizeText,
} from "../synthesized";

/** Beside what every container has. */
interface RegistratorJson extends ContainerJson {
  readonly entrypoint?: readonly string[];
  readonly mounts: readonly { source: string; target: string; read_only: boolean; type: string }[];
  readonly upload: readonly { file: string; content: string; source?: string; permissions?: string }[];
}

/** The stack of four hosts, each with a registrator. */
function stackWith(registrator: string, security = "off", more = "") {
  const { c } = stacksOf(
    load(`${FOUR_HOSTS.replace("security: off", `security: ${security}`)}registrator: ${registrator}\n${more}`),
  );
  return c as StackJson;
}
const registratorOf = (stack: StackJson, host: string) =>
  stack.resource.docker_container[`${host}_registrator`] as unknown as RegistratorJson;
const on = (host: string, registrator = "on", security = "off", more = "") =>
  registratorOf(stackWith(registrator, security, more), host);
const flags = (registrator: string) => on("c1", registrator).command.slice(0, -1);

test("a registrator, as Terraform reads it", () => {
  expect(on("c1")).toMatchSnapshot();
});

test("its id has its host's name, and it uses the host's provider, as agents do", () => {
  const { docker_container, docker_image, terraform_data } = stackWith("on").resource;
  const hosts = ["c1", "s1", "s2", "s3"];
  expect(Object.keys(docker_container)).toEqual(hosts.flatMap((host) => [host, `${host}_registrator`]));
  expect(docker_image.s1_registrator).toMatchObject({
    name: "fayrus/registrator:v9.2.0",
    provider: "docker.s1_host",
    keep_locally: true,
  });
  expect(Object.keys(terraform_data)).not.toContain("c1_registrator");
});

test("it is in its host's stack", () => {
  const { stacks } = synthesizeText(
    `${FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, group: edge }")}registrator: on\n`,
  );
  expect(Object.keys(stacks["c-edge"]?.resource.docker_container ?? {})).toEqual(["c1", "c1_registrator"]);
});

test("its image comes through the mirror, as agents' do", () => {
  expect(stackWith("on", "off", "mirror: mirror.example.com\n").resource.docker_image.c1_registrator?.name).toBe(
    "mirror.example.com/fayrus/registrator:v9.2.0",
  );
});

describe("its flags", () => {
  test("compensate for an agent's restart by default", () => {
    expect(flags("on")).toEqual(["-ip=10.0.0.4", "-resync=60", "-cleanup", "-retry-attempts=-1"]);
  });
  test("are the file's settings, by registrator's names", () => {
    expect(
      flags(
        "{ ip: 192.0.2.1, resync: 5, deregister: on-success, retry_attempts: 3, retry_interval: 500, tags: [a, b], flags: [-explicit] }",
      ),
    ).toEqual([
      "-ip=192.0.2.1",
      "-resync=5",
      "-deregister=on-success",
      "-retry-attempts=3",
      "-retry-interval=500",
      "-tags=a,b",
      "-explicit",
    ]);
  });
  test("have no cleanup if services of failed containers must stay", () =>
    expect(flags("{ deregister: on-success }")).not.toContain("-cleanup"));
  test("can be reset to registrator's own defaults", () =>
    expect(flags("{ resync: 0, cleanup: false, retry_attempts: 0 }")).toEqual(["-ip=10.0.0.4", "-retry-attempts=0"]));
  test("have no host address if containers' own addresses are registered", () => {
    expect(flags("{ internal: true }")).toEqual(["-internal", "-resync=60", "-cleanup", "-retry-attempts=-1"]);
  });
  test("are escaped for Terraform", () => expect(flags('{ tags: ["${a}"] }')).toContain("-tags=$${a}"));
});

describe("the agent's address", () => {
  const address = (...args: Parameters<typeof on>) => on(...args).command.at(-1);
  test("is on loopback, in the host's network", () => expect(address("c1")).toBe("consul://127.0.0.1:8500"));
  test("has the agent's own port", () =>
    expect(address("c1", "on", "off", "ports: { http: 9500 }\n")).toBe("consul://127.0.0.1:9500"));
  test("is the agent's client address if that is not loopback", () =>
    expect(address("c1", "on", "off", "client_addr: 10.9.9.9\n")).toBe("consul://10.9.9.9:8500"));
  test("is on loopback with security too, wherever HTTPS listens", () =>
    expect(address("c1", "on", "on", "client_addr: 0.0.0.0\n")).toBe("consul://127.0.0.1:8500"));
  test("may be IPv6", () => expect(address("c1", "on", "off", 'client_addr: "::"\n')).toBe("consul://[::1]:8500"));
  test("is the agent's container, in a bridge network", () => {
    const { c } = stacksOf(load(`${BRIDGE}servers: [{ name: s1, host: local, container: first }]\nregistrator: on\n`));
    expect(c?.resource.docker_container.local_registrator?.command.at(-1)).toBe("consul://first:8500");
  });
});

test("in a bridge network it has its own address, so that it does not get an agent's while that agent is replaced", () => {
  const { c } = stacksOf(load(`${BRIDGE}servers: [{ name: s1, host: local }]\nregistrator: on\n`));
  const networks = ["s1", "local_registrator"].map((id) => c?.resource.docker_container[id]?.networks_advanced);
  expect(networks).toEqual([
    [{ ipv4_address: "172.30.86.241", name: "${docker_network.local_host.name}" }],
    [{ ipv4_address: expect.stringMatching(/^172\.30\.86\.\d+$/), name: "${docker_network.local_host.name}" }],
  ]);
  expect(networks[1]).not.toEqual(networks[0]);
});

describe("the daemon's socket", () => {
  const socket = (text: string, host = "c1") =>
    registratorOf(stacksOf(load(text)).c as StackJson, host).mounts[0]?.source;
  test("is Docker's default if the daemon is reached from another host", () => {
    expect(socket(`${FOUR_HOSTS}registrator: on\n`)).toBe("/var/run/docker.sock");
    expect(socket(`${FOUR_HOSTS.replace("ssh://root@{address}", "tcp://{address}:2376")}registrator: on\n`)).toBe(
      "/var/run/docker.sock",
    );
  });
  test("is the daemon's own socket if the daemon is local", () => {
    const text = `${BRIDGE.replace("/var/run/docker.sock", "/run/user/1000/docker.sock")}servers: [{ name: s1, host: local }]\nregistrator: on\n`;
    expect(socket(text, "local")).toBe("/run/user/1000/docker.sock");
  });
  test("can be another", () =>
    expect(socket(`${FOUR_HOSTS}registrator: { socket: /run/other.sock }\n`)).toBe("/run/other.sock"));
});

test("its log is stored as those of the cluster's agents", () => {
  expect(on("c1", "on", "off", "log: { driver: journald }\n")).toMatchObject({ log_driver: "journald" });
});

describe("with security", () => {
  test("its token is in a file, and not in the JSON", () => {
    expect(on("c1", "on", "on")).toMatchObject({
      env: ["CONSUL_HTTP_TOKEN_FILE=/registrator.token"],
      upload: [{ file: "/registrator.token", source: "../../../secrets/c/registrator.token", permissions: "0400" }],
    });
    expect(on("c1", "on", "on").entrypoint).toBeUndefined();
  });
  test("gliderlabs' image, which reads no token from a file, starts with read-token.sh, whatever registry it is pulled from", () => {
    for (const image of [
      "gliderlabs/registrator:latest",
      "registry.example.com/gliderlabs/registrator@sha256:".concat("0".repeat(64)),
    ]) {
      const { entrypoint, upload, env } = on("c1", `{ image: "${image}" }`, "on");
      expect({ image, entrypoint }).toEqual({ image, entrypoint: ["/bin/sh", "/read-token.sh", "/bin/registrator"] });
      expect(readable(upload[1])).toMatchObject({ file: "/read-token.sh", source: "${path.module}/read-token.sh" });
      expect(env).toEqual(["CONSUL_HTTP_TOKEN_FILE=/registrator.token"]);
    }
  });
  test("its token is delivered when the cluster knows it, and again when the token or the container changes", () => {
    const { c1_registrator } = stackWith("on", "on").resource.terraform_data;
    expect(c1_registrator?.depends_on).toEqual(["terraform_data.consul_acl"]);
    const [container, hash] = Object.values(c1_registrator?.triggers_replace ?? {});
    expect(container).toBe("${docker_container.c1_registrator.id}");
    expect(hash).toContain('"../../../secrets/c/${name}"');
    expect(hash).toContain('["registrator.token"]');
    expect(requestOf("deliver-token", c1_registrator)).toEqual({
      step: "deliver-token",
      target: { daemon: "ssh://root@10.0.0.4", container: "registrator" },
      file: "../../../secrets/c/registrator.token",
      path: "/registrator.token",
      seconds: 120,
    });
  });
  test("a plan without its token fails with a hint", () => {
    const { lifecycle } = stackWith("on", "on").resource.terraform_data.c1_registrator as unknown as {
      lifecycle: { precondition: { condition: string; error_message: string }[] };
    };
    expect(lifecycle.precondition[0]?.condition).toContain('["registrator.token"]');
    expect(lifecycle.precondition[0]?.error_message).toContain("secrets -- init");
  });
  test("it has no token while agents use none", () => {
    expect(on("c1", "on", "{ stage: permissive }").env).toBeUndefined();
    expect(stackWith("on", "{ stage: permissive }").resource.terraform_data).not.toHaveProperty("c1_registrator");
    expect(on("c1", "on", "{ stage: outgoing }").env).toEqual(["CONSUL_HTTP_TOKEN_FILE=/registrator.token"]);
  });
  test("in a stack of client agents it waits for no step, because another stack creates the tokens", () => {
    const { stacks } = synthesizeText(
      `${FOUR_HOSTS.replace("security: off", "security: on").replace("10.0.0.4", "{ address: 10.0.0.4, group: edge }")}registrator: on\n`,
    );
    expect(stacks["c-edge"]?.resource.terraform_data.c1_registrator?.depends_on).toBeUndefined();
  });
});

describe("in a user's own stack", () => {
  const build = (props: Partial<RegistratorProps> = {}, bridge?: string, secrets?: string) =>
    synthesize((app) => {
      const stack = new TerraformStack(app, "mine");
      const host = new DockerHost(stack, "h1", { address: "10.0.0.1", daemon: "ssh://root@{address}", bridge });
      const agent = new ConsulClient(stack, "client", {
        host,
        join: [ConsulServer.fromAddress("10.0.0.9")],
        security: secrets === undefined ? undefined : { secrets },
      });
      new Registrator(stack, "services", { agent, ...props });
    });

  test("it needs only an agent", () => {
    expect(build().stacks.mine?.resource.docker_container.services).toMatchObject({
      name: "registrator",
      hostname: "client",
      command: ["-ip=10.0.0.1", "-resync=60", "-cleanup", "-retry-attempts=-1", "consul://127.0.0.1:8500"],
    });
  });
  test("it is rejected if it could not reach the agent", () => {
    expect(() => build({}, "bridge", "secrets/client")).toThrow(
      "mine/services: plain HTTP of mine/client is for its own container alone; use the host's network",
    );
  });
});
