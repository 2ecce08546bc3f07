import { BRIDGE, HEAD } from "../cluster-files";
import { rendered, stackOf, synthesizeText } from "../synthesized";

const stopOf = (text: string, agent: string) => {
  const container = stackOf(synthesizeText(text), "c").resource.docker_container[agent] as unknown as {
    provisioner: { "local-exec": { when: string; environment: Record<string, string> } }[];
  };
  return container.provisioner[0]?.["local-exec"];
};
const CLUSTER = `${HEAD}hosts: { s1: 10.0.0.1, s2: 10.0.0.2, s3: 10.0.0.3, c1: 10.0.0.4 }\nservers: [s1, { name: s2, container: two, node: second }, s3]\nclients: [c1]\nready_timeout: 77\n`;

test("the pre-stop check of a server runs in its own container, then in the others, by the names of the running containers", () => {
  const { when, environment } = stopOf(CLUSTER, "s2") ?? { environment: {} as Record<string, string> };
  expect(when).toBe("destroy");
  expect(environment.ASK_TARGETS?.split("\n")).toEqual([
    "-H ssh://root@10.0.0.2 exec -i '${self.name}'",
    "-H ssh://root@10.0.0.1 exec -i s1",
    "-H ssh://root@10.0.0.3 exec -i s3",
  ]);
});

/** The container's own node name, which Terraform reads from its command. */
const OWN_NODE = `'\${one([for word in self.command : trimprefix(word, "-node=") if startswith(word, "-node=")])}'`;

test("the lock's owner is the agent's Terraform id, and the node is the running container's, so that a new name changes neither", () => {
  expect(stopOf(CLUSTER, "s2")?.environment.ASK_ARGUMENTS).toBe(`77 s2 ${OWN_NODE} replace 3 off`);
});

test("the check of a client agent runs in its own container, then in the servers, with the number of rollout slots", () => {
  const { ASK_ARGUMENTS, ASK_TARGETS, STOP_OWNER } =
    stopOf(`${CLUSTER}max_parallel_clients: 4\n`, "c1")?.environment ?? {};
  expect(ASK_ARGUMENTS).toBe(`77 c1 ${OWN_NODE} replace 4 off`);
  expect(ASK_TARGETS?.split("\n").map((target) => target.split(" ").at(-1))).toEqual([
    "'${self.name}'",
    "s1",
    "two",
    "s3",
  ]);
  expect(STOP_OWNER).toBe("c1");
});

test("the next image is pulled to the host first", () => {
  const environment = stopOf(`${CLUSTER}mirror: r.example:5000\nimage: hashicorp/consul:1.21.5\n`, "c1")?.environment;
  expect(environment).toMatchObject({
    STOP_CONTAINER: "${self.name}",
    STOP_IMAGE: "r.example:5000/hashicorp/consul:1.21.5",
    STOP_SECONDS: "77",
  });
});

describe("the next image's Consul has to accept the next configuration", () => {
  test("as a whole, with the flags of the command", () => {
    const {
      STOP_CONFIG = "",
      STOP_NETWORK,
      STOP_DECLARED,
    } = stopOf(`${CLUSTER}config: { log_level: "a \${b}" }\n`, "s2")?.environment ?? {};
    expect(JSON.parse(rendered(STOP_CONFIG))).toMatchObject({
      ...{
        data_dir: "/consul/data",
        node_name: "second",
        bind_addr: "10.0.0.2",
        client_addr: "127.0.0.1",
        server: true,
        bootstrap_expect: 3,
      },
      ...{ log_level: "a ${b}", retry_interval: "2s", datacenter: "dc1" },
    });
    expect({ STOP_NETWORK, STOP_DECLARED }).toEqual({ STOP_NETWORK: "host", STOP_DECLARED: "${self.name}-declared" });
  });
  test("a client is none of the servers", () => {
    const config = JSON.parse(stopOf(CLUSTER, "c1")?.environment.STOP_CONFIG ?? "");
    expect(config).not.toHaveProperty("server");
    expect(config).not.toHaveProperty("bootstrap_expect");
  });
  test("in the network of the new container", () => {
    const { environment } = stopOf(`${BRIDGE}servers: [{ name: s1, host: local }]\n`, "s1") ?? {};
    expect(environment?.STOP_NETWORK).toBe("c");
    expect(JSON.parse(environment?.STOP_CONFIG ?? "")).not.toHaveProperty("bind_addr");
  });
  test("unless it is too large for an argument", () => {
    const { environment } = stopOf(`${CLUSTER}config: { x: ${"y".repeat(100_000)} }\n`, "c1") ?? {};
    expect(environment).not.toHaveProperty("STOP_CONFIG");
    expect(environment).toHaveProperty("TRY_SCRIPT");
  });
});

describe("an agent that is decommissioned", () => {
  const leaving = CLUSTER.replace("servers: [s1,", "servers: [{ name: s1, decommission: true },")
    .replace("s3]", "s3, s4]")
    .replace("s3: ", "s4: 10.0.0.9, s3: ");
  const text = `${leaving}join: [s1, s2, s3]\n`;

  test("keeps its resource, with no container, so that Terraform runs the pre-stop check", () => {
    const { resource } = stackOf(synthesizeText(text), "c");
    expect(resource.docker_container.s1).toMatchObject({ count: 0 });
    const staying = ["c1", "s2", "s3", "s4"].flatMap((agent) => [agent, `${agent}_services`]);
    expect(Object.keys(resource.terraform_data).sort()).toEqual(
      [...staying, "consul_autopilot", "consul_definitions", "consul_quorum"].sort(),
    );
  });
  test("is checked for leaving, with the number of remaining servers", () => {
    expect(stopOf(text, "s1")?.environment.ASK_ARGUMENTS).toBe(`77 s1 ${OWN_NODE} leave 3 off`);
  });
  test("needs no next image", () => expect(stopOf(text, "s1")?.environment).not.toHaveProperty("STOP_IMAGE"));
  test("is removed by the remaining servers, which do not join it", () => {
    expect(
      stopOf(text, "s1")
        ?.environment.GONE_TARGETS?.split("\n")
        .map((target) => target.split(" ").at(-1)),
    ).toEqual(["two", "s3", "s4"]);
    for (const agent of ["s2", "c1"]) expect(stopOf(text, agent)?.environment.ASK_TARGETS).not.toContain("10.0.0.1 ");
  });
});
