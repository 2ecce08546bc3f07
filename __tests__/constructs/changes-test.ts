import { parse } from "yaml";
import { loadCluster } from "../../cluster/file/load";
import type { ClusterFile } from "../../cluster/file/schema";
import { clusterFile, FOUR_HOSTS, HEAD, load, SEED, yaml } from "../cluster-files";
import { containersOf, stackOf, stacksOf, synthesizeCluster, synthesizeText } from "../synthesized";

/** Keys of provisioners and of order. They belong to the configuration, not to the container, so a change replaces nothing. */
const OF_TERRAFORM = ["provisioner", "depends_on", "lifecycle"];

const synthesized = new Map<string, { stacks: ReturnType<typeof stacksOf> }>();

/** The stacks of a cluster file. Many tests begin from the same file, so each file is synthesized once. */
function stacksOfText(text: string): { stacks: ReturnType<typeof stacksOf> } {
  const known = synthesized.get(text) ?? { stacks: stacksOf(load(text)) };
  synthesized.set(text, known);
  return known;
}

/** The JSON of each container by its Terraform id, without the keys that replace nothing. */
const containerTexts = (text: string): Map<string, string> =>
  new Map(
    Object.entries(containersOf(stacksOfText(text))).map(([id, json]) => [
      id,
      JSON.stringify(json, (key, value) => (OF_TERRAFORM.includes(key) ? undefined : value)),
    ]),
  );

/** The effect of a change of the cluster file on containers. Terraform replaces each container whose JSON differs. */
function effect(before: string, after: string): { changed: string[]; added: string[]; removed: string[] } {
  const from = containerTexts(before);
  const to = containerTexts(after);
  return {
    changed: [...from.keys()].filter((id) => to.has(id) && to.get(id) !== from.get(id)),
    added: [...to.keys()].filter((id) => !from.has(id)),
    removed: [...from.keys()].filter((id) => !to.has(id)),
  };
}

/** The rollout steps that a change of the cluster file repeats. */
function steps(before: string, after: string): string[] {
  const triggers = (text: string): Map<string, string | undefined> =>
    new Map(
      Object.entries(stackOf(stacksOfText(text), "c").resource.terraform_data).map(([id, { triggers_replace }]) => [
        id,
        JSON.stringify(triggers_replace),
      ]),
    );
  const from = triggers(before);
  return [...triggers(after)].filter(([id, trigger]) => trigger !== from.get(id)).map(([id]) => id);
}

let security: "on" | "off" = "off";
const cluster = (servers: string[], clients: ClusterFile["clients"], more: Partial<ClusterFile> = {}): string =>
  yaml({
    name: "c",
    security,
    daemon: "ssh://root@{address}",
    hosts: Object.fromEntries([
      ...["s1", "s2", "s3", "s4", "s5", "s6", "s7"].map((name, index) => [name, `10.0.0.${index + 1}`]),
      ...Array.from({ length: 40 }, (_, index) => [`c${index}`, `10.0.1.${index + 1}`]),
    ]),
    servers,
    clients,
    ignore: ["big-group", "even-servers"],
    ...more,
  });

const forty = Array.from({ length: 40 }, (_, index) => `c${index}`);
const three = ["s1", "s2", "s3"];
const join = three;

describe.each(["off", "on"] as const)("with security %s", (word) => {
  beforeAll(() => {
    security = word;
  });
  afterAll(() => {
    security = "off";
  });

  test("growing from 3 to 5 servers touches no running container", () => {
    expect(effect(cluster(three, ["c0"]), cluster([...three, "s4", "s5"], ["c0"], { join }))).toEqual({
      changed: [],
      added: ["s4", "s5"],
      removed: [],
    });
  });

  test("growing by one server at a time touches no running container", () => {
    expect(effect(cluster(three, ["c0"]), cluster([...three, "s4"], ["c0"], { join })).changed).toEqual([]);
    expect(
      effect(cluster([...three, "s4"], ["c0"], { join }), cluster([...three, "s4", "s5"], ["c0"], { join })).changed,
    ).toEqual([]);
  });

  test("a server may leave while its name stays under `join`, without touching another container", () => {
    expect(effect(cluster([...three, "s4"], ["c0"], { join }), cluster(["s1", "s2", "s4"], ["c0"], { join }))).toEqual({
      changed: [],
      added: [],
      removed: ["s3"],
    });
  });

  test.each(three)("%s is decommissioned, and then its line is deleted, without touching another container", (name) => {
    const servers = [...three, "s4", "s5"];
    const before = cluster(servers, ["c0"], { join });
    const leaving = yaml({
      ...parse(before),
      servers: servers.map((each) => (each === name ? { name, decommission: true } : each)),
    });
    const after = cluster(
      servers.filter((each) => each !== name),
      ["c0"],
      { join },
    );
    expect(effect(before, leaving)).toEqual({ changed: [name], added: [], removed: [] });
    expect(effect(leaving, after)).toEqual({ changed: [], added: [], removed: [name] });
  });

  test("backups that are added, changed or removed touch no agent", () => {
    const saving = ["s1_backups", "s2_backups", "s3_backups"];
    const [none, some, others] = [
      {},
      { backups: {} },
      { backups: { every: "30m", keep: 3, to: "/srv/backups", image: "hashicorp/consul:1.22.1" } },
    ].map((more) => cluster(three, ["c0"], more)) as [string, string, string];
    expect(effect(none, some)).toEqual({ changed: [], added: saving, removed: [] });
    expect(effect(some, others)).toEqual({ changed: saving, added: [], removed: [] });
    expect(effect(others, none)).toEqual({ changed: [], added: [], removed: saving });
  });

  test("max_parallel_clients and autopilot's settings touch no container", () => {
    const autopilot = { last_contact_threshold: "500ms", cleanup_dead_servers: false };
    expect(effect(cluster(three, ["c0"]), cluster(three, ["c0"], { max_parallel_clients: 5, autopilot }))).toEqual({
      changed: [],
      added: [],
      removed: [],
    });
  });

  test("the same holds where the cluster gossips on a port of its own", () => {
    const ports = { serf_lan: 9301 };
    const before = cluster([...three, "s4"], ["c0"], { join, ports });
    expect(effect(before, cluster(["s1", "s2", "s4"], ["c0"], { join, ports })).changed).toEqual([]);
  });

  test("adding a client agent touches only the new one", () => {
    expect(effect(cluster(three, forty.slice(1)), cluster(three, forty))).toEqual({
      changed: [],
      added: ["c0"],
      removed: [],
    });
  });

  test("removing the first of forty client agents touches only that one", () => {
    expect(effect(cluster(three, forty), cluster(three, forty.slice(1)))).toEqual({
      changed: [],
      added: [],
      removed: ["c0"],
    });
  });

  test("turning registrator on, changing it, and turning it off on one or all hosts touches no agent", () => {
    const registrators = (...names: string[]) => names.map((name) => `${name}_registrator`);
    const [without, all] = [cluster(three, ["c0"]), cluster(three, ["c0"], { registrator: "on" })];
    const changed = cluster(three, ["c0"], {
      registrator: { resync: 5, image: "gliderlabs/registrator:latest", tags: ["a"] },
    });
    const but = yaml({
      ...parse(all),
      hosts: { ...parse(all).hosts, s1: { address: "10.0.0.1", registrator: "off" } },
    });
    expect(effect(without, all)).toEqual({ changed: [], added: registrators("c0", "s1", "s2", "s3"), removed: [] });
    expect(effect(all, changed)).toEqual({ changed: registrators("c0", "s1", "s2", "s3"), added: [], removed: [] });
    expect(effect(all, but)).toEqual({ changed: [], added: [], removed: registrators("s1") });
    expect(effect(changed, without)).toEqual({ changed: [], added: [], removed: registrators("c0", "s1", "s2", "s3") });
  });

  test("of an agent's changes, only another API address or another agent touches a registrator", () => {
    const before = cluster(three, ["c0"], { registrator: "on" });
    expect(effect(before, cluster(three, [{ name: "c0", labels: { a: "b" } }], { registrator: "on" })).changed).toEqual(
      ["c0"],
    );
    expect(
      effect(before, cluster(three, [{ name: "c0", ports: { http: 9500 } }], { registrator: "on" })).changed,
    ).toEqual(["c0", "c0_registrator"]);
  });

  test("DNS of one agent touches only that agent", () => {
    expect(
      effect(cluster(three, ["c0", "c1"]), cluster(three, ["c0", { name: "c1", dns: { only_passing: true } }])).changed,
    ).toEqual(["c1"]);
  });

  test("a service of one client agent that is changed or removed touches no container", () => {
    const none = cluster(three, ["c0", "c1"]);
    const web = (port: number) =>
      cluster(three, [{ name: "c0", services: [{ name: "web", port }], checks: [{ name: "x", ttl: "1h" }] }, "c1"]);
    // A new service name changes the agent's token.
    const named = security === "on" ? ["c0_services", "consul_acl"] : ["c0_services"];
    for (const [before, after, repeated] of [
      [none, web(80), named],
      [web(80), web(81), ["c0_services"]],
      [web(81), none, named],
    ] as const) {
      expect(effect(before, after)).toEqual({ changed: [], added: [], removed: [] });
      expect(steps(before, after)).toEqual(repeated);
    }
  });

  test("keys, config entries, intentions and prepared queries touch no container", () => {
    const defined = cluster(three, ["c0"], {
      kv: { a: "1" },
      config_entries: [{ kind: "mesh" }],
      intentions: { web: { "*": "deny" } },
      prepared_queries: [{ name: "near", service: { service: "web" } }],
    });
    expect(effect(cluster(three, ["c0"]), defined)).toEqual({ changed: [], added: [], removed: [] });
    expect(steps(cluster(three, ["c0"]), defined)).toEqual(["consul_definitions"]);
  });

  test("a label of one agent touches only its container", () => {
    expect(
      effect(cluster(three, forty), cluster(three, ["c0", { name: "c1", labels: { rack: "b" } }, ...forty.slice(2)]))
        .changed,
    ).toEqual(["c1"]);
  });
});

describe("security", () => {
  const secured = (more: object) => yaml({ ...parse(FOUR_HOSTS), security: more });
  test("at the next stage changes every agent", () => {
    expect(effect(secured({ stage: "permissive" }), secured({ stage: "outgoing" })).changed).toEqual([
      "c1",
      "s1",
      "s2",
      "s3",
    ]);
  });
  test("a new policy or token touches no container", () => {
    const policies = { shop: 'service "shop" { policy = "write" }' };
    expect(effect(secured({}), secured({ policies, tokens: { shop: {} } }))).toEqual({
      changed: [],
      added: [],
      removed: [],
    });
  });
});

test("a new address of a client agent's host touches only that agent", () => {
  expect(effect(FOUR_HOSTS, FOUR_HOSTS.replace("10.0.0.4", "10.0.0.44")).changed).toEqual(["c1"]);
});

test("a host without agents touches nothing", () => {
  expect(effect(FOUR_HOSTS, FOUR_HOSTS.replace("c1:", "spare: 10.0.0.9, c1:"))).toEqual({
    changed: [],
    added: [],
    removed: [],
  });
});

test("an additional image to pull touches no container", () => {
  expect(effect(FOUR_HOSTS, `${FOUR_HOSTS}images: [nginx]\n`)).toEqual({ changed: [], added: [], removed: [] });
});

describe("another spelling of the same cluster file changes no byte", () => {
  const bytes = (text: string) => synthesizeText(text).texts;
  let expected: ReturnType<typeof bytes>;
  beforeAll(() => {
    expected = bytes(base);
  });
  const base = `${FOUR_HOSTS}config: { a: 1, b: { c: 2, d: 3 } }
labels: { x: "1", y: "2" }
images: [a, b]
join: [s1, s2]
ports: { http: 80, dns: 53 }
services: [{ name: web, port: 80 }, { name: api }]
`;

  test.each([
    ["comments", `# note\n${base.replace("\nservers", " # note\nservers")}`],
    ["quotes", base.replace("name: c\n", 'name: "c"\n').replace("[c1]", "['c1']")],
    ["the order of keys", base.split("\n").reverse().join("\n")],
    ["the order of hosts", base.replace(/\{ (s1: [^,]*), (.*), (c1: [^ ]*) \}/, "{ $3, $2, $1 }")],
    ["the order of servers", base.replace("[s1, s2, s3]", "[s3, s1, s2]")],
    ["the order of `join`", base.replace("[s1, s2]", "[s2, s1]")],
    ["the order of `config`", base.replace("{ a: 1, b: { c: 2, d: 3 } }", "{ b: { d: 3, c: 2 }, a: 1 }")],
    ["the order of labels", base.replace('{ x: "1", y: "2" }', '{ y: "2", x: "1" }')],
    ["the order of images", base.replace("[a, b]", "[b, a]")],
    ["the order of ports", base.replace("{ http: 80, dns: 53 }", "{ dns: 53, http: 80 }")],
    ["an agent as a mapping", base.replace("[c1]", "[{ name: c1 }]")],
    ["a host as a mapping", base.replace("10.0.0.4", "{ address: 10.0.0.4 }")],
    [
      "the order of services",
      base.replace("[{ name: web, port: 80 }, { name: api }]", "[{ name: api }, { port: 80, name: web }]"),
    ],
    ["defaults", `${base}datacenter: dc1\nnetwork: host\n`],
  ])("%s", (_, text) => {
    expect(text).not.toBe(base);
    expect(bytes(text)).toEqual(expected);
  });
});

describe("bootstrap_expect", () => {
  const expected = (servers: number) =>
    loadCluster(clusterFile(cluster(three.concat(["s4", "s5", "s6", "s7"]).slice(0, servers), [], { join })))
      .bootstrapExpect;

  test.each([
    [1, 1],
    [3, 3],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ])("of %i servers is %i", (servers, expect_) => {
    expect(
      servers === 1
        ? loadCluster(clusterFile(`${HEAD}hosts: { s1: 10.0.0.1 }\nservers: [s1]\n`)).bootstrapExpect
        : expected(servers),
    ).toBe(expect_);
  });
  test("can be set", () =>
    expect(loadCluster(clusterFile(`${FOUR_HOSTS}bootstrap_expect: 2\n`)).bootstrapExpect).toBe(2));
});

test("two syntheses of seed.yaml have the same JSON", () => {
  expect(synthesizeCluster(loadCluster(SEED)).texts).toEqual(synthesizeCluster(loadCluster(SEED)).texts);
});
