import type { ClusterFile } from "../cluster/file/schema";
import { client, DeclaringCluster, type Services, SHOP } from "./declaring-cluster";
import { expectUndisturbed } from "./live-cluster";
import { pause } from "./pause";

describe("what a cluster file declares", () => {
  const live = new DeclaringCluster("declared");

  describe("services and checks", () => {
    const OTHERS: Services = [
      { name: "mail", port: 25, check: { tcp: "127.0.0.1:9", interval: "1s", timeout: "500ms" } },
      { name: "job", id: "job-1", check: { ttl: "1h" } },
      { name: "worker", id: "job-2", check: { alias_service: "shop" } },
    ];

    test("are registered by a deploy that touches no container", async () => {
      live.declare({ services: [SHOP, ...OTHERS], checks: [{ name: "disk", ttl: "1h", status: "passing" }] });
      const grpc = { grpc: "127.0.0.1:8503", grpc_use_tls: true, tls_skip_verify: true, interval: "1s" };
      live.cluster.file.servers = [
        "consul-server1",
        "consul-server2",
        { name: "consul-server3", services: [{ name: "rpc", port: 8503, check: grpc }] },
      ];
      const output = await live.deployed();
      expect(output).toContain("consul-client1: services: job-1 job-2 mail shop disk");
      await live.expectCatalog({
        "shop:80": "passing",
        "mail:25": "critical",
        "job-1:0": "critical",
        "job-2:0": "passing",
      });
      // Agents sync the output of a check whose status stays the same every five minutes only: so the agents' own API
      // is requested.
      await live.expectCheck(client(1), "disk", { Status: "passing" });
      await live.expectCheck(client(1), "service:mail", {
        Status: "critical",
        Type: "tcp",
        Output: expect.stringContaining("connection refused"),
      });
      // Consul speaks gRPC, but not gRPC's health protocol.
      await live.expectCheck("consul-server3", "service:rpc", {
        Status: "critical",
        Type: "grpc",
        Output: expect.stringMatching(/\w/),
      });
      await live.cluster.api(client(1)).put("/v1/agent/check/pass/service:job-1", "");
      await live.expectCatalog({
        "shop:80": "passing",
        "mail:25": "critical",
        "job-1:0": "passing",
        "job-2:0": "passing",
      });
      await live.expectEmptyPlan();
    });

    test("are changed under load, and no container is touched; lookups find the service throughout", async () => {
      const seen = await live.cluster.during(
        async () => {
          await pause(2);
          live.declare({ services: [{ ...SHOP, port: 81, tags: ["v2"] }, OTHERS[1] as Services[number]] });
          await live.deployed();
          await pause(2);
        },
        { declared: true },
      );
      expect(seen.users.failed).toBe(0);
      expectUndisturbed(seen);
      // A TTL check keeps the status that was reported for it.
      await live.expectCatalog({ "shop:81": "passing", "job-1:0": "passing" });
      await live.cluster.expectSound(seen);
    });

    test("are removed when the file no longer has them", async () => {
      live.declare({});
      await live.deployed();
      await live.expectCatalog({});
      await live.expectCatalog({ "consul:8300": "passing" }, "consul-server3");
      await live.expectEmptyPlan();
    });
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
      prepared_queries: [
        { name: "near-shop", service: { service: "shop", only_passing: true, near: "_agent" }, dns: { ttl: "7s" } },
      ],
    };
    const allowed = async (source: string) =>
      (await live.server().json(`/v1/connect/intentions/check?source=${source}&destination=shop&consistent`)).Allowed;
    const queries = async () =>
      (await live.server().json("/v1/query?consistent")).map(({ Name }: { Name: string }) => Name);

    test("are created by a deploy that touches no container; a key that exists keeps its value", async () => {
      await live.server().put("/v1/kv/app/theirs", "theirs");
      live.withShop(DEFINED);
      expect(await live.deployed()).toContain("definitions: complete");
      expect([
        await live.value("app/greeting"),
        await live.value("app/limits"),
        await live.value("app/theirs"),
      ]).toEqual(["hello", '{"rate":10}', "theirs"]);
      expect(await live.kinds()).toEqual(["service-defaults/shop", "service-router/shop", "service-intentions/shop"]);
      expect([await allowed("web"), await allowed("other")]).toEqual([true, false]);
      const { Service, DNS, Nodes } = await live.server().json("/v1/query/near-shop/execute");
      expect({ Service, DNS, found: Nodes.map(({ Node }: { Node: { Node: string } }) => Node.Node) }).toEqual({
        ...{ Service: "shop", DNS: { TTL: "7s" }, found: [client(1)] },
      });
      await live.expectEmptyPlan();
    });

    test("a prepared query is looked up by DNS", async () => {
      const address = String(live.cluster.file.hosts[client(2)]);
      const script = `const { Resolver } = require("node:dns/promises"); const resolver = new Resolver(); resolver.setServers(["${address}:8600"]);
        resolver.resolve4("near-shop.query.consul").then((found) => console.log(found.join(" ")));`;
      expect((await live.testBed.operator.run("node", ["-e", script])).stdout.trim()).toBe(
        String(live.cluster.file.hosts[client(1)]),
      );
    });

    test("are changed and removed with the file; keys stay, and so do definitions of others", async () => {
      await live.server().put("/v1/config", { Kind: "service-defaults", Name: "theirs", Protocol: "tcp" });
      live.withShop({
        ...DEFINED,
        kv: { "app/greeting": "good morning" },
        config_entries: [{ kind: "service-defaults", name: "shop", protocol: "tcp" }],
        intentions: { shop: { "*": "allow" } },
      });
      await live.deployed();
      expect(await live.value("app/greeting")).toBe("hello");
      expect(await live.kinds()).toEqual([
        "service-defaults/shop",
        "service-defaults/theirs",
        "service-intentions/shop",
      ]);
      expect(await allowed("other")).toBe(true);
      live.withShop({});
      await live.deployed();
      expect(await live.kinds()).toEqual(["service-defaults/theirs"]);
      expect(await queries()).toEqual([]);
      expect(await live.value("app/limits")).toBe('{"rate":10}');
      await live.cluster.expectWhole();
      await live.expectEmptyPlan();
    });
  });
});
