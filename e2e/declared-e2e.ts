import type { ClusterFile } from "../cluster/schema";
import { eventually } from "./consul";
import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { pause } from "./pause";
import { Rig } from "./rig/rig";

type Client = Exclude<NonNullable<ClusterFile["clients"]>[number], string>;
type Services = NonNullable<Client["services"]>;

/** Consul's own API says whether it answers to everybody. */
const ANSWERS = { http: "http://127.0.0.1:8500/v1/status/leader", interval: "1s" };
const SHOP = { name: "shop", port: 80, tags: ["v1"], check: { ...ANSWERS, status: "passing" as const } };

describe("what a cluster file declares", () => {
  const rig = Rig.standing();
  let cluster: LiveCluster;
  let base: ClusterFile;
  const client = (number: 1 | 2) => `consul-client${number}`;
  const server = () => cluster.api("consul-server1");

  /** The cluster file, with the first client's own settings, and whatever else is changed. */
  const declare = (own: Omit<Client, "name">, more: Partial<ClusterFile> = {}) => {
    cluster.file = { ...base, clients: [{ name: client(1), ...own }, client(2)], ...more };
  };
  /** What a deploy said that went well, and touched nobody. */
  async function deployed(): Promise<string> {
    let words = "";
    const touched = await cluster.touchedBy(async () => {
      words = (await cluster.deploy()).stdout;
    });
    expect(touched).toEqual([]);
    return words;
  }
  /** The services of a node, with the worst of their checks. */
  async function catalog(node = client(1)): Promise<Record<string, string>> {
    const checks: { ServiceID: string; Status: string }[] = await server().json(`/v1/health/node/${node}`);
    const { Services: services } = await server().json(`/v1/catalog/node-services/${node}`);
    const statusOf = (id: string) => {
      const all = checks.filter(({ ServiceID }) => ServiceID === id).map(({ Status }) => Status);
      return ["critical", "warning"].find((status) => all.includes(status)) ?? "passing";
    };
    return Object.fromEntries((services ?? []).map(({ ID, Port = 0 }: { ID: string; Port?: number }) => [`${ID}:${Port}`, statusOf(ID)]));
  }
  const expectCatalog = (wanted: Record<string, string>, node?: string) => eventually(async () => expect(await catalog(node)).toEqual(wanted));
  const expectCheck = (agent: string, id: string, wanted: object) =>
    eventually(async () => expect((await cluster.api(agent).json("/v1/agent/checks"))[id]).toMatchObject(wanted));
  const expectEmptyPlan = async () => expect((await cluster.diff()).stdout).toContain("No changes.");

  beforeAll(async () => {
    cluster = await LiveCluster.up(rig, "declared");
    base = cluster.file;
  });
  afterAll(() => cluster.down());

  describe("services and checks", () => {
    const OTHERS: Services = [
      { name: "mail", port: 25, check: { tcp: "127.0.0.1:9", interval: "1s", timeout: "500ms" } },
      { name: "job", id: "job-1", check: { ttl: "1h" } },
      { name: "worker", id: "job-2", check: { alias_service: "shop" } },
    ];

    test("come with a deploy that touches no container", async () => {
      declare({ services: [SHOP, ...OTHERS], checks: [{ name: "disk", ttl: "1h", status: "passing" }] });
      const grpc = { grpc: "127.0.0.1:8503", grpc_use_tls: true, tls_skip_verify: true, interval: "1s" };
      cluster.file.servers = ["consul-server1", "consul-server2", { name: "consul-server3", services: [{ name: "rpc", port: 8503, check: grpc }] }];
      const words = await deployed();
      expect(words).toContain("consul-client1: services: job-1 job-2 mail shop disk");
      await expectCatalog({ "shop:80": "passing", "mail:25": "critical", "job-1:0": "critical", "job-2:0": "passing" });
      // Agents tell the catalog every five minutes what a check says that does not change: they are asked themselves.
      await expectCheck(client(1), "disk", { Status: "passing" });
      await expectCheck(client(1), "service:mail", { Status: "critical", Type: "tcp", Output: expect.stringContaining("connection refused") });
      // Consul speaks gRPC, but not gRPC's health protocol.
      await expectCheck("consul-server3", "service:rpc", { Status: "critical", Type: "grpc", Output: expect.stringMatching(/\w/) });
      await cluster.api(client(1)).put("/v1/agent/check/pass/service:job-1", "");
      await expectCatalog({ "shop:80": "passing", "mail:25": "critical", "job-1:0": "passing", "job-2:0": "passing" });
      await expectEmptyPlan();
    });

    test("are changed under load without a container being touched; who looks one up finds it throughout", async () => {
      const seen = await cluster.during(
        async () => {
          await pause(2);
          declare({ services: [{ ...SHOP, port: 81, tags: ["v2"] }, OTHERS[1] as Services[number]] });
          await deployed();
          await pause(2);
        },
        { declared: true },
      );
      expect(seen.users.failed).toBe(0);
      expectUndisturbed(seen);
      // What a program has reported is kept.
      await expectCatalog({ "shop:81": "passing", "job-1:0": "passing" });
      await cluster.expectSound(seen);
    });

    test("are there at once when the container is replaced", async () => {
      const { config } = base;
      base = { ...base, config: { ...config, node_meta: { change: "declared" } } };
      declare({ services: [SHOP] });
      const seen = await cluster.during(() => cluster.deploy(), { declared: true });
      expectUndisturbed(seen);
      await expectCatalog({ "shop:80": "passing" });
      await cluster.expectSound(seen);
    });

    test("that Consul refuses are not given to the agent, which goes on as it was", async () => {
      declare({ services: [SHOP, { name: "odd", no_such_key: true }] }, { accept: [...(base.accept ?? []), "unknown-consul-key"] });
      expect(await cluster.expectRefused()).toContain("consul-client1: its services are not given to it, for Consul refuses them: ");
      await expectCatalog({ "shop:80": "passing" });
    });

    test("that only the agent itself refuses are taken back from it", async () => {
      // Its container has no systemd.
      declare({ services: [SHOP, { name: "unit", check: { os_service: "shop", interval: "1s" } }] });
      expect(await cluster.expectRefused()).toContain("consul-client1: its agent does not take its services, and has those of before: ");
      await expectCatalog({ "shop:80": "passing" });
      declare({ services: [SHOP] });
      await deployed();
      await expectEmptyPlan();
    });

    test("that run programs are refused by synth where none may run, and run where they may", async () => {
      const services = [SHOP, { name: "cron", check: { args: ["/bin/true"], interval: "1s" } }];
      declare({ services });
      cluster.write();
      const synth = await cluster.project.cdktf(["synth"], { check: false, env: cluster.env });
      expect(synth.stdout + synth.stderr).toContain("error program-checks: ");

      declare({ services, config: { enable_local_script_checks: true } });
      expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([client(1)]);
      await expectCatalog({ "shop:80": "passing", "cron:0": "passing" });

      // The agent would start with what it has, and end.
      declare({ services: [SHOP] });
      expect(await cluster.expectRefused()).toContain(
        "not stopped: Consul 1.22.2 does not take its next configuration: checks that it has been given run programs",
      );
      declare({ services: [SHOP], config: { enable_local_script_checks: true } });
      await deployed();
      declare({ services: [SHOP] });
      expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([client(1)]);
      await expectCatalog({ "shop:80": "passing" });
    });

    test("go when the file no longer has them", async () => {
      declare({});
      await deployed();
      await expectCatalog({});
      await expectCatalog({ "consul:8300": "passing" }, "consul-server3");
      await expectEmptyPlan();
    });
  });

  test("a configuration that Consul refuses stops nobody", async () => {
    declare({}, { config: { ...base.config, no_such_key: true } });
    const seen = await cluster.during(async () => {
      const why = await cluster.expectRefused();
      for (const name of cluster.agentNames) expect(why).toContain(`${name}: not stopped: Consul 1.22.2 does not take its next configuration: `);
      expect(why).toContain("invalid config key no_such_key");
    });
    expect(seen.users.failed).toBe(0);
    declare({});
    await deployed();
  });

  describe("keys, config entries, intentions and prepared queries", () => {
    const DEFINED: Partial<ClusterFile> = {
      kv: { "app/greeting": "hello", "app/limits": { rate: 10 }, "app/theirs": "ours" },
      config_entries: [
        { kind: "service-defaults", name: "shop", protocol: "http" },
        {
          kind: "service-router",
          name: "shop",
          routes: [{ match: { http: { path_prefix: "/x" } }, destination: { service: "shop", request_timeout: "5s" } }],
        },
      ],
      intentions: { shop: { web: "allow", "*": "deny" } },
      prepared_queries: [{ name: "near-shop", service: { service: "shop", only_passing: true, near: "_agent" }, dns: { ttl: "7s" } }],
    };
    const text = async (key: string) => server().get(`/v1/kv/${key}?raw`);
    const kinds = async () => {
      const entries = await Promise.all(
        ["service-defaults", "service-router", "service-intentions"].map((kind) => server().json(`/v1/config/${kind}`)),
      );
      return entries.flat().map(({ Kind, Name }: { Kind: string; Name: string }) => `${Kind}/${Name}`);
    };
    const allowed = async (source: string) => (await server().json(`/v1/connect/intentions/check?source=${source}&destination=shop`)).Allowed;
    const queries = async () => (await server().json("/v1/query")).map(({ Name }: { Name: string }) => Name);
    const withShop = (defined: Partial<ClusterFile>) => declare({ services: [SHOP] }, defined);

    test("are made by a deploy that touches no container; a key that is there is left alone", async () => {
      await server().put("/v1/kv/app/theirs", "theirs");
      withShop(DEFINED);
      expect(await deployed()).toContain("definitions: all is there");
      expect([await text("app/greeting"), await text("app/limits"), await text("app/theirs")]).toEqual(["hello", '{"rate":10}', "theirs"]);
      expect(await kinds()).toEqual(["service-defaults/shop", "service-router/shop", "service-intentions/shop"]);
      expect([await allowed("web"), await allowed("other")]).toEqual([true, false]);
      const { Service, DNS, Nodes } = await server().json("/v1/query/near-shop/execute");
      expect({ Service, DNS, found: Nodes.map(({ Node }: { Node: { Node: string } }) => Node.Node) }).toEqual({
        ...{ Service: "shop", DNS: { TTL: "7s" }, found: [client(1)] },
      });
      await expectEmptyPlan();
    });

    test("a prepared query is looked up by DNS", async () => {
      const address = String(cluster.file.hosts[client(2)]);
      const script = `const { Resolver } = require("node:dns/promises"); const resolver = new Resolver(); resolver.setServers(["${address}:8600"]);
        resolver.resolve4("near-shop.query.consul").then((found) => console.log(found.join(" ")));`;
      expect((await rig.operator.run("node", ["-e", script])).stdout.trim()).toBe(String(cluster.file.hosts[client(1)]));
    });

    test("are changed, and go when the file no longer has them; a key stays, and what others made", async () => {
      await server().put("/v1/config", { Kind: "service-defaults", Name: "theirs", Protocol: "tcp" });
      withShop({
        ...DEFINED,
        kv: { "app/greeting": "good morning" },
        config_entries: [{ kind: "service-defaults", name: "shop", protocol: "tcp" }],
        intentions: { shop: { "*": "allow" } },
      });
      await deployed();
      expect(await text("app/greeting")).toBe("hello");
      expect(await kinds()).toEqual(["service-defaults/shop", "service-defaults/theirs", "service-intentions/shop"]);
      expect(await allowed("other")).toBe(true);
      withShop({});
      await deployed();
      expect(await kinds()).toEqual(["service-defaults/theirs"]);
      expect(await queries()).toEqual([]);
      expect(await text("app/limits")).toBe('{"rate":10}');
      await cluster.expectWhole();
      await expectEmptyPlan();
    });

    test("that others have made otherwise are refused, with what to do; the same is taken over", async () => {
      withShop({ config_entries: [{ kind: "service-defaults", name: "theirs", protocol: "http" }], kv: { "app/late": "x" } });
      const why = await cluster.expectRefused();
      expect(why).toContain("others have made config entry service-defaults/theirs, and otherwise than the file says");
      expect(await kinds()).toEqual(["service-defaults/theirs"]);
      await expect(text("app/late")).rejects.toThrow();
      withShop({ config_entries: [{ kind: "service-defaults", name: "theirs", protocol: "tcp" }], kv: { "app/late": "x" } });
      await deployed();
      expect(await text("app/late")).toBe("x");
      withShop({});
      await deployed();
      expect(await kinds()).toEqual([]);
    });

    test("that Consul refuses fail the deploy, which the next one completes", async () => {
      const entries = (protocol: string): ClusterFile["config_entries"] => [
        { kind: "service-splitter", name: "shop", splits: [{ weight: 100 }] },
        { kind: "service-defaults", name: "shop", protocol },
      ];
      withShop({ config_entries: entries("tcp") });
      expect(await cluster.expectRefused()).toContain("service-splitter shop");
      withShop({ config_entries: entries("http") });
      await deployed();
      expect(await server().json("/v1/config/service-splitter/shop")).toMatchObject({ Name: "shop" });
      withShop({});
      await deployed();
      await expect(server().json("/v1/config/service-splitter/shop")).rejects.toThrow();
      await expectEmptyPlan();
    });
  });
});
