import { App, TerraformOutput, TerraformStack } from "cdktf";
import { defineCluster } from "../../cluster/define";
import { loadCluster } from "../../cluster/file/load";
import { ConsulCluster } from "../../constructs/consul-cluster";
import { BRIDGE, FOUR_HOSTS, folder, HEAD, load, SEED } from "../cluster-files";
import {
  agentConfigOf,
  containerOf,
  flagValues,
  readable,
  rendered,
  requestOf,
  stackOf,
  synthesizeCluster,
  synthesizeText,
} from "../synthesized";

test("the article's cluster in TypeScript has the same JSON as in YAML, to the byte", () => {
  const inTypeScript = defineCluster({
    name: "consul",
    security: "off",
    client_addr: "0.0.0.0",
    daemon: "ssh://root@{address}",
    hosts: {
      "consul-server1": "172.16.8.120",
      "consul-server2": "172.16.8.121",
      "consul-server3": "172.16.8.122",
      "consul-client1": "172.16.8.110",
    },
    servers: ["consul-server1", "consul-server2", "consul-server3"],
    clients: ["consul-client1"],
    bootstrap_expect: 3,
    images: ["gliderlabs/registrator:latest"],
  });
  expect(synthesizeCluster(inTypeScript).texts).toEqual(synthesizeCluster(loadCluster(SEED)).texts);
});

describe("joins", () => {
  const joins = (text: string, agent: string) => flagValues(containerOf(synthesizeText(text), agent), "-retry-join");
  const five = `${HEAD}hosts: { s1: 10.0.0.1, s2: 10.0.0.2, s3: 10.0.0.3, s4: 10.0.0.4, s5: 10.0.0.5, c1: 10.0.0.6 }
servers: [s1, s2, s3, s4, s5]
clients: [c1]
`;

  test("a client joins all of three servers", () =>
    expect(joins(FOUR_HOSTS, "c1")).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.3"]));
  test("a server joins the others", () => expect(joins(FOUR_HOSTS, "s2")).toEqual(["10.0.0.1", "10.0.0.3"]));
  test("with more than three servers, agents join those under `join`", () => {
    const text = `${five}join: [s1, s3, s5]\n`;
    expect([joins(text, "s2"), joins(text, "s3"), joins(text, "c1")]).toEqual([
      ["10.0.0.1", "10.0.0.3", "10.0.0.5"],
      ["10.0.0.1", "10.0.0.5"],
      ["10.0.0.1", "10.0.0.3", "10.0.0.5"],
    ]);
  });
  test("an agent's own `join` replaces the cluster's", () => {
    expect(joins(FOUR_HOSTS.replace("[c1]", "[{ name: c1, join: [s2] }]"), "c1")).toEqual(["10.0.0.2"]);
  });
  test("agents may join addresses and DNS names outside the cluster", () => {
    expect(joins(`${FOUR_HOSTS}join: [s1, 10.9.9.9, consul.example.com]\n`, "c1")).toEqual([
      "10.0.0.1",
      "10.9.9.9",
      "consul.example.com",
    ]);
  });
  test("an agent does not join its own address", () => {
    const text = `${FOUR_HOSTS.replace("[c1]", "[{ name: c1, advertise_addr: 192.168.1.1 }]")}join: [s1, 192.168.1.1]\n`;
    expect([joins(text, "c1"), joins(text, "s2")]).toEqual([["10.0.0.1"], ["10.0.0.1", "192.168.1.1"]]);
  });
  test("agents join servers at the advertised address", () => {
    expect(joins(FOUR_HOSTS.replace("[s1,", "[{ name: s1, advertise_addr: 192.168.1.1 },"), "s2")).toEqual([
      "10.0.0.3",
      "192.168.1.1",
    ]);
  });
  test("on one daemon, agents join each other by container name", () => {
    const text = `${BRIDGE}servers: [{ name: s1, host: local }]\nclients: [{ name: c1, host: local }]\n`;
    expect(joins(text, "c1")).toEqual(["s1"]);
  });
  test("a lone server joins no other, and its client agents join it", () => {
    const text = `${HEAD}hosts: { s1: 10.0.0.1, c1: 10.0.0.2 }\nservers: [s1]\nclients: [c1]\n`;
    expect([joins(text, "s1"), joins(text, "c1")]).toEqual([[], ["10.0.0.1"]]);
  });
});

describe("settings", () => {
  const labelled = synthesizeText(
    `${FOUR_HOSTS.replace("[c1]", "[{ name: c1, labels: { b: mine }, config: { x: { own: 1 } }, flags: [-own], image: own:1 }]")}labels: { a: all, b: all }
config: { x: { all: 1, own: 0 } }
flags: [-all]
`,
  );
  test("of the cluster apply to every agent", () => {
    expect(containerOf(labelled, "s1").labels).toEqual(expect.arrayContaining([{ label: "a", value: "all" }]));
  });
  test("of an agent override the cluster's, label by label", () => {
    expect(containerOf(labelled, "c1").labels).toEqual(
      expect.arrayContaining([
        { label: "a", value: "all" },
        { label: "b", value: "mine" },
      ]),
    );
  });
  test("of `config` are merged key by key", () => {
    expect(JSON.parse(containerOf(labelled, "c1").upload[0]?.content ?? "")).toMatchObject({ x: { all: 1, own: 1 } });
  });
  test("of DNS are merged key by key, and an agent's replace the cluster's", () => {
    const text = `${FOUR_HOSTS.replace("[c1]", "[{ name: c1, dns: { recursors: [10.9.9.9], service_ttl: { web: 1s } } }]")}dns: { recursors: [10.0.9.9], only_passing: true, service_ttl: { "*": 5s } }\n`;
    expect(agentConfigOf(containerOf(synthesizeText(text), "c1"))).toMatchObject({
      recursors: ["10.9.9.9"],
      dns_config: { only_passing: true, service_ttl: { web: "1s" } },
    });
  });
  test("that are flags follow the cluster's flags", () =>
    expect(containerOf(labelled, "c1").command.slice(-2)).toEqual(["-all", "-own"]));
  test("of an image apply to its agent alone", () => {
    const { docker_image } = stackOf(labelled, "c").resource;
    expect([docker_image.c1?.name, docker_image.s1?.name]).toEqual(["own:1", "hashicorp/consul:1.22.7"]);
  });
});

describe("groups", () => {
  const grouped = synthesizeText(`${HEAD}hosts:
  s1: { address: 10.0.0.1, group: rack1 }
  s2: { address: 10.0.0.2, group: rack2 }
  s3: 10.0.0.3
  c1: { address: 10.0.0.4, group: edge }
servers: [s1, s2, s3]
clients: [c1]
`);
  test("are separate stacks beside the cluster's own", () =>
    expect(Object.keys(grouped.stacks).sort()).toEqual(["c", "c-edge", "c-rack1", "c-rack2"]));
  test("of servers are deployed before the cluster's own stack, which checks all voters, and groups of client agents after it", () => {
    const order = Object.fromEntries(
      Object.entries(grouped.manifest.stacks).map(([name, { dependencies }]) => [name, dependencies]),
    );
    expect(order).toEqual({ c: ["c-rack1", "c-rack2"], "c-edge": ["c"], "c-rack1": [], "c-rack2": [] });
  });
  test("do not read each other's Terraform state", () => {
    for (const text of Object.values(grouped.texts)) expect(text).not.toContain("terraform_remote_state");
  });
  test("do not change the joins", () => {
    expect(flagValues(containerOf(grouped, "c1"), "-retry-join")).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
  });
});

describe("the last step of a deploy", () => {
  const { terraform_data } = stackOf(synthesizeText(FOUR_HOSTS), "c").resource;
  const quorum = terraform_data.consul_quorum;

  test("checks in any server that all servers are voters", () => {
    expect(requestOf("voters", quorum)).toEqual({
      step: "voters",
      nodes: ["s1", "s2", "s3"],
      servers: [1, 2, 3].map((index) => ({ daemon: `ssh://root@10.0.0.${index}`, container: `s${index}` })),
      seconds: 120,
    });
  });
  test("runs after every server's own steps", () => {
    expect([...(quorum?.depends_on ?? [])].sort()).toEqual([
      "terraform_data.s1",
      "terraform_data.s2",
      "terraform_data.s3",
    ]);
  });
  test("delays no client agent, whose readiness check runs although the servers are unreachable", () =>
    expect(terraform_data.c1?.depends_on).toBeUndefined());
  test("is repeated when a server's container is replaced", () => {
    expect(Object.values(quorum?.triggers_replace ?? {})).toEqual(
      expect.arrayContaining(["s1", "s2", "s3"].map((name) => `\${docker_container.${name}.id}`)),
    );
  });
  test("delays no container: servers do not depend on each other, so Terraform stops none because of another", () => {
    const { docker_container } = stackOf(synthesizeText(FOUR_HOSTS), "c").resource;
    expect(Object.values(docker_container).filter((container) => "depends_on" in container)).toEqual([]);
  });
});

test("warnings are annotations of the stack, which cdktf prints", () => {
  const { manifest } = synthesizeText(`${FOUR_HOSTS}client_addr: 0.0.0.0\n`);
  expect(manifest.stacks.c?.annotations).toEqual([
    expect.objectContaining({
      level: "@cdktf/warn",
      message: expect.stringMatching(/:7:14: warning open-http: .*\n {4}.*ignore: \[open-http\]/),
    }),
  ]);
});
test("ignored warnings are no annotations", () => {
  expect(
    synthesizeText(`${FOUR_HOSTS}client_addr: 0.0.0.0\nignore: [open-http]\n`).manifest.stacks.c?.annotations,
  ).toEqual([]);
});

test("a cluster exposes its agents with their L1 resources, for settings that the cluster file does not have", () => {
  const app = new App();
  const cluster = new ConsulCluster(app, load(FOUR_HOSTS));
  cluster.agents.get("c1")?.container.addOverride("shm_size", 128);
  expect(cluster.agents.get("c1")?.httpAddress).toBe("http://127.0.0.1:8500");
  expect(JSON.stringify(cluster.toTerraform())).toContain('"shm_size":128');
});

test("a value of one stack cannot be used in another stack, which would need the first one's Terraform state", () => {
  expect(() => {
    const app = new App({ outdir: folder() });
    const cluster = new ConsulCluster(app, load(FOUR_HOSTS));
    new TerraformOutput(new TerraformStack(app, "other"), "x", { value: cluster.agents.get("c1")?.container.id });
    app.synth();
  }).toThrow("a value of one stack cannot be used in another here");
});

test("a cluster of two hosts, as Terraform reads it", () => {
  const stack = stackOf(
    synthesizeText(`${HEAD}hosts: { s1: 10.0.0.1, c1: 10.0.0.2 }\nservers: [s1]\nclients: [c1]\n`),
    "c",
  );
  expect(readable(stack)).toMatchSnapshot();
});

describe("autopilot", () => {
  const autopilotOf = (more: string) => {
    const { consul_autopilot } = stackOf(synthesizeText(`${FOUR_HOSTS}${more}`), "c").resource.terraform_data;
    const { settings, seconds, servers } = requestOf("autopilot", consul_autopilot);
    expect({ seconds, servers: servers.map(({ container }) => container) }).toEqual({
      seconds: 120,
      servers: ["s1", "s2", "s3"],
    });
    return { settings, after: consul_autopilot?.depends_on };
  };

  test("keeps at least as many servers as the first bootstrap needs by default", () => {
    expect(autopilotOf("").settings).toEqual({ MinQuorum: 3 });
    expect(autopilotOf("autopilot: { min_quorum: 2 }\n").settings).toEqual({ MinQuorum: 2 });
  });
  test("is set by the API's names, after all servers are voters", () => {
    const { settings, after } = autopilotOf(
      "autopilot: { cleanup_dead_servers: false, server_stabilization_time: 20s }\n",
    );
    expect(settings).toEqual({ CleanupDeadServers: false, MinQuorum: 3, ServerStabilizationTime: "20s" });
    expect(after).toEqual(["terraform_data.consul_quorum"]);
  });
});

describe("definitions", () => {
  const resourceOf = (text: string) => stackOf(synthesizeText(text), "c").resource.terraform_data.consul_definitions;

  test("are written after the servers are voters, and again when they change", () => {
    const resource = resourceOf(`${FOUR_HOSTS}kv: { a: '\${x}' }\n`);
    expect(resource?.depends_on).toEqual(["terraform_data.consul_quorum"]);
    const [trigger = ""] = Object.values(resource?.triggers_replace ?? {});
    const { objects } = requestOf("definitions", resource);
    expect(objects).toEqual({ kv: { a: "${x}" }, config_entries: {}, prepared_queries: {} });
    expect(JSON.parse(rendered(trigger))).toEqual(objects);
  });
  test("have a step if nothing is declared, because earlier ones must be removed", () => {
    expect(requestOf("definitions", resourceOf(FOUR_HOSTS)).objects).toEqual({
      kv: {},
      config_entries: {},
      prepared_queries: {},
    });
  });
  test("are written by servers that are not decommissioned", () => {
    const leaving = FOUR_HOSTS.replace("servers: [s1,", "servers: [{ name: s1, decommission: true },").concat(
      "ignore: [two-servers]\n",
    );
    const { servers } = requestOf("definitions", resourceOf(leaving));
    expect(servers.map(({ container }) => container)).toEqual(["s2", "s3"]);
  });
});
