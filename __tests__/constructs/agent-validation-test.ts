import { TerraformStack, TerraformVariable } from "cdktf";
import { ConsulClient, type ConsulClientProps } from "../../constructs/consul-client";
import { ConsulCluster } from "../../constructs/consul-cluster";
import { ConsulServer, type ConsulServerProps } from "../../constructs/consul-server";
import { DockerHost } from "../../constructs/docker-host";
import { FOUR_HOSTS, load } from "../cluster-files";
import { OwnStack, synthesizeOwn } from "../own-stack";
import { containerOf, requestOf, synthesize } from "../synthesized";

/** What is wrong with a stack, each with the path of its construct. */
function problemsOf(build: (stack: OwnStack) => void): string[] {
  try {
    synthesizeOwn(build);
    return [];
  } catch (error) {
    const [title, ...problems] = (error as Error).message.split("\n");
    expect(title).toBe("Validation failed with the following errors:");
    // CDKTF's own advice comes last.
    return problems.map((problem) => problem.trim()).filter((problem) => problem.startsWith("["));
  }
}

const elsewhere = ConsulServer.fromAddress("10.9.9.9");
/** Servers on hosts of their own, each with its own props. The first is joined by the others. */
function serversIn(stack: OwnStack, ...props: Partial<ConsulServerProps>[]): ConsulServer[] {
  const servers = props.map((own, index) => stack.server(index + 1, own));
  for (const server of servers) server.addJoin(...servers.slice(0, 1));
  return servers;
}

describe("a client agent that joins no server", () => {
  const client = (props: Partial<ConsulClientProps>) => problemsOf((stack) => stack.client(1, { join: [], ...props }));

  test("is an error", () =>
    expect(client({})).toEqual([
      "[mine/c1] this client agent joins no server, so it never becomes part of a cluster; name one with `join: [server]` or `addJoin(server)`",
    ]));
  test.each<[string, Partial<ConsulClientProps>]>([
    ["a server", { join: [elsewhere] }],
    ["one by its configuration", { config: { retry_join: ["provider=aws tag_key=consul"] } }],
    ["one by a flag", { flags: ["-retry-join=10.0.0.9"] }],
    ["no server any more", { decommission: true }],
  ])("is none if it joins %s", (_, props) => expect(client(props)).toEqual([]));
});

describe("bootstrapExpect", () => {
  test("is the same for all servers of a cluster", () =>
    expect(problemsOf((stack) => serversIn(stack, { bootstrapExpect: 2 }, { bootstrapExpect: 3 }))).toEqual([
      "[mine/s2] bootstrapExpect is 3, but mine/s1 of the same cluster has 2; give all servers of a cluster the same number",
    ]));
  test("may differ between clusters", () =>
    expect(
      problemsOf((stack) => [stack.server(9), ...serversIn(stack, ...Array(3).fill({ bootstrapExpect: 2 }))]),
    ).toEqual([]));
  test("is not more than there are servers, which were perhaps never introduced to each other", () =>
    expect(problemsOf((stack) => [1, 2].map((number) => stack.server(number, { bootstrapExpect: 2 })))).toEqual(
      [1, 2].map(
        (number) =>
          `[mine/s${number}] bootstrapExpect is 2, but its cluster has 1 server (mine/s${number}), which would wait for ever; introduce the others with \`addJoin(...servers)\`, or lower bootstrapExpect`,
      ),
    ));
  test("may be more if other programs have servers of the cluster", () =>
    expect(problemsOf((stack) => stack.server(1, { bootstrapExpect: 2, join: [elsewhere] }))).toEqual([]));
  test("is a majority", () =>
    expect(problemsOf((stack) => serversIn(stack, {}, {}))).toEqual([
      "[mine/s1] bootstrapExpect is 1 of 2 servers (mine/s1, mine/s2), which is not a majority: two halves could each elect a leader; use at least 2",
    ]));
  test("of a server that is decommissioned does not matter, but it still counts as a server", () =>
    expect(
      problemsOf((stack) =>
        serversIn(stack, { bootstrapExpect: 3 }, { bootstrapExpect: 3 }, { bootstrapExpect: 1, decommission: true }),
      ),
    ).toEqual([]));
  test("is not checked if only Terraform knows it", () =>
    expect(
      problemsOf((stack) => {
        const { numberValue } = new TerraformVariable(stack, "count", { type: "number" });
        serversIn(stack, { bootstrapExpect: numberValue }, { bootstrapExpect: 2 }, { bootstrapExpect: 2 });
      }),
    ).toEqual([]));
});

describe("two agents on one port of one host", () => {
  const twins = (first: Partial<ConsulServerProps>, second: Partial<ConsulClientProps>, bridge?: string) =>
    problemsOf((stack) => {
      const host = stack.host(1, { bridge });
      stack.server(1, { host, ...first });
      stack.client(2, { host, ...second });
    });
  const others = { dns: 53, http: 80, serfLan: 9301 };

  test("are an error for each port", () =>
    expect(twins({}, {})).toEqual([
      "[mine/c2] port 8600 has two listeners: dns of mine/s1, and dns of this agent; give one of them another port with `ports`",
      "[mine/c2] port 8500 has two listeners: http of mine/s1, and http of this agent; give one of them another port with `ports`",
      "[mine/c2] port 8301 has two listeners: serf_lan of mine/s1, and serf_lan of this agent; give one of them another port with `ports`",
    ]));
  test("are none on different ports", () => expect(twins({}, { ports: others })).toEqual([]));
  test("are none at different addresses of the host", () =>
    expect(twins({}, { clientAddr: "10.0.0.100", bindAddr: "10.0.0.100" })).toEqual([]));
  test("are an error if one of them listens at every address", () =>
    expect(twins({ clientAddr: "0.0.0.0" }, { ports: { ...others, dns: 8600 } })).toHaveLength(1));
  test("are none in a bridge network, where each has its own", () => expect(twins({}, {}, "net")).toEqual([]));
  test("are an error in a bridge network if both are published there", () =>
    expect(twins({ publish: { http: 80 } }, { publish: { https: 80 }, ports: { https: 443 } }, "net")).toEqual([
      "[mine/c2] port 80 has two listeners: http of mine/s1, and https of this agent; give one of them another port with `publish`",
    ]));
  test("are an error if the hosts are two constructs of one daemon", () =>
    expect(
      problemsOf((stack) => {
        stack.server(1);
        stack.server(2, { host: stack.host(7, { daemon: "ssh://root@10.0.0.1" }), ports: { dns: 53, grpcTls: -1 } });
      }),
    ).toEqual([expect.stringMatching(/^\[mine\/s2\] port 8500 has two listeners: http of mine\/s1/)]));
  test("may be one agent with two listeners", () =>
    expect(problemsOf((stack) => stack.server(1, { ports: { dns: 8500 } }))).toEqual([
      "[mine/s1] port 8500 has two listeners: dns of this agent, and http of this agent; give one of them another port with `ports`",
    ]));
});

describe("two agents with one name", () => {
  const ports = { dns: 53, http: 80, serfLan: 9301 };
  const twins = (own: Partial<ConsulClientProps>, host = 1) =>
    problemsOf((stack) => {
      const server = stack.server(1);
      stack.client(2, { host: host === 1 ? server.host : stack.host(host), join: [server], ports, ...own });
    });

  test.each<[string, Partial<ConsulClientProps>]>([
    ["node", { node: "s1" }],
    ["container", { container: "s1", data: "other" }],
    ["data", { data: "s1-data" }],
  ])("of their %s are an error", (name, own) =>
    expect(twins(own)).toEqual([
      `[mine/c2] \`${name}\` is ${name === "data" ? "s1-data" : "s1"}, as of mine/s1; give one of them another`,
    ]),
  );
  test("of their ids in two stacks of one cluster are an error, because the deploy lock names an agent by its id", () => {
    const inTwoStacks = (join: ConsulClientProps["join"] = undefined) =>
      problemsOf((stack) => {
        const server = stack.server(1);
        const other = new TerraformStack(stack.node.root, "other");
        const host = new DockerHost(other, "n9", { address: "10.0.0.9", daemon: "ssh://root@{address}" });
        new ConsulClient(other, "s1", { host, node: "c9", join: join ?? [server] });
      });
    expect(inTwoStacks()).toEqual(["[other/s1] `id` is s1, as of mine/s1; give one of them another"]);
    expect(inTwoStacks([elsewhere])).toEqual([]);
  });
  test("of containers or data on two hosts are none", () =>
    expect(twins({ container: "s1", data: "s1-data" }, 2)).toEqual([]));
  test("of nodes in two clusters are none", () => expect(twins({ node: "s1", join: [elsewhere] })).toEqual([]));
});

describe("servers that are introduced by joins", () => {
  const asked = (agent: string, build: (stack: OwnStack) => void) =>
    requestOf("pre-stop", containerOf(synthesizeOwn(build), agent));
  const three = (stack: OwnStack) => serversIn(stack, ...Array(3).fill({ bootstrapExpect: 2 }));

  test("are asked by each other's pre-stop checks", () => {
    const { servers, limit } = asked("s3", three);
    expect({ servers: servers.map(({ container }) => container), limit }).toEqual({ servers: ["s1", "s2"], limit: 3 });
  });
  test("are asked by a client agent that joins one of them", () =>
    expect(
      asked("c9", (stack) => stack.client(9, { join: three(stack).slice(1, 2) })).servers.map(
        ({ container }) => container,
      ),
    ).toEqual(["s1", "s2", "s3"]));
  test("are those that join one address of another program, in the configuration too", () =>
    expect(
      asked("s1", (stack) => {
        const retry_join = ["10.9.9.9:8301"];
        stack.server(1, { bootstrapExpect: 3, join: [elsewhere] });
        stack.server(2, { bootstrapExpect: 3, config: { retry_join } });
        stack.server(3);
      }).servers.map(({ container }) => container),
    ).toEqual(["s2"]));
  test("are not those of another bridge network, whose containers have the same names", () =>
    expect(
      asked("a1", (stack) => {
        for (const [number, name] of ["a", "b"].entries()) {
          const host = stack.host(number + 1, { bridge: "net" });
          const server = new ConsulServer(stack, `${name}1`, { host, bootstrapExpect: 2, container: "one" });
          new ConsulServer(stack, `${name}2`, { host, bootstrapExpect: 2, container: "two", join: [server] });
        }
      }).servers,
    ).toEqual([{ daemon: "ssh://root@10.0.0.1", container: "two" }]));
  test("are not asked when they are decommissioned", () =>
    expect(
      asked("s1", (stack) => serversIn(stack, { bootstrapExpect: 2 }, { decommission: true, bootstrapExpect: 2 }))
        .servers,
    ).toEqual([]));
});

describe("an agent's `config` and `flags`", () => {
  const problems = (props: Partial<ConsulServerProps>) => problemsOf((stack) => stack.server(1, props));

  test.each<[string, Partial<ConsulServerProps>, string]>([
    ["a key with which the agent ends", { config: { performance: { raft_multiplier: 11 } } }, "from 1 to 10"],
    ["two words in one flag", { flags: ["-log-level debug"] }, "-log-level=..."],
  ])("must not have %s", (_, props, hint) => expect(problems(props)).toEqual([expect.stringContaining(hint)]));
  test("may have what a cluster file has keys for, and what only Terraform knows", () =>
    expect(
      problemsOf((stack) => {
        const value = new TerraformVariable(stack, "level", { type: "number" });
        const limits = { performance: { raft_multiplier: value.numberValue }, log_file: value.stringValue };
        stack.server(1, { config: { ports: { dns: 53 }, ...limits }, flags: [`-log-level ${value.stringValue}`] });
      }),
    ).toEqual([]));
  test("warn of what may be meant", () => {
    const warnings: string[] = [];
    synthesizeOwn((stack) => {
      const { node } = stack.server(1, { config: { enable_syslog: true } });
      node.addValidation({
        validate: () => {
          warnings.push(...node.metadata.map(({ data }) => data));
          return [];
        },
      });
    });
    expect(warnings).toEqual([
      expect.stringContaining("`config.enable_syslog`: enable_syslog: the container has no syslog"),
    ]);
  });
});

test("the servers of a cluster file are asked by an agent that joins them", () => {
  const synthesized = synthesize((app) => {
    const cluster = new ConsulCluster(app, load(FOUR_HOSTS));
    const server = cluster.agents.get("s2") as ConsulServer;
    new OwnStack(app).client(9, { join: [server] });
  });
  const { servers } = requestOf("pre-stop", containerOf(synthesized, "c9"));
  expect(servers.map(({ container }) => container)).toEqual(["s1", "s2", "s3"]);
});
