import type { ClusterFile } from "../cluster/file/schema";
import { client, DeclaringCluster, SHOP } from "./declaring-cluster";
import { expectUndisturbed } from "./live-cluster";

describe("what a cluster file declares", () => {
  const live = new DeclaringCluster("declared");

  describe("services and checks", () => {
    test("are registered as soon as the replaced container runs", async () => {
      live.withShop({});
      await live.deployed();
      live.base = { ...live.base, config: { ...live.base.config, node_meta: { change: "declared" } } };
      live.withShop({});
      const seen = await live.cluster.during(() => live.cluster.deploy(), { declared: true });
      expectUndisturbed(seen);
      await live.expectCatalog({ "shop:80": "passing" });
      await live.cluster.expectSound(seen);
    });

    test("that Consul rejects are not delivered to the agent, which keeps its previous ones", async () => {
      live.declare(
        { services: [SHOP, { name: "odd", no_such_key: true }] },
        { ignore: [...(live.base.ignore ?? []), "unknown-consul-key"] },
      );
      expect(await live.cluster.expectRejected()).toContain(
        "consul-client1: its services are not delivered, because Consul rejects them: ",
      );
      await live.expectCatalog({ "shop:80": "passing" });
    });

    test("that only the agent itself rejects are withdrawn from it", async () => {
      // Its container has no systemd.
      live.declare({ services: [SHOP, { name: "unit", check: { os_service: "shop", interval: "1s" } }] });
      expect(await live.cluster.expectRejected()).toContain(
        "consul-client1: its agent rejects its services, and keeps the previous ones: ",
      );
      await live.expectCatalog({ "shop:80": "passing" });
      live.declare({ services: [SHOP] });
      await live.deployed();
      await live.expectEmptyPlan();
    });

    test("with script checks are rejected by synth, unless the agent allows script checks", async () => {
      const services = [SHOP, { name: "cron", check: { args: ["/bin/true"], interval: "1s" } }];
      live.declare({ services });
      live.cluster.write();
      const synth = await live.cluster.project.cdktf(["synth"], { check: false, env: live.cluster.env });
      expect(synth.stdout + synth.stderr).toContain("error script-checks-disabled: ");

      live.declare({ services, config: { enable_local_script_checks: true } });
      expect(await live.cluster.touchedBy(() => live.cluster.deploy())).toEqual([client(1)]);
      await live.expectCatalog({ "shop:80": "passing", "cron:0": "passing" });

      // With these services, the agent would end when it starts.
      live.declare({ services: [SHOP] });
      expect(await live.cluster.expectRejected()).toContain(
        "not stopped: Consul 1.22.7 rejects its next configuration: it has script checks",
      );
      live.declare({ services: [SHOP], config: { enable_local_script_checks: true } });
      await live.deployed();
      live.declare({ services: [SHOP] });
      expect(await live.cluster.touchedBy(() => live.cluster.deploy())).toEqual([client(1)]);
      await live.expectCatalog({ "shop:80": "passing" });
    });
  });

  test("if Consul rejects a configuration, no agent is stopped", async () => {
    live.withShop({ config: { ...live.base.config, no_such_key: true } });
    const seen = await live.cluster.during(
      async () => {
        const why = await live.cluster.expectRejected();
        for (const name of live.cluster.agentNames)
          expect(why).toContain(`${name}: not stopped: Consul 1.22.7 rejects its next configuration: `);
        expect(why).toContain("invalid config key no_such_key");
      },
      { declared: true },
    );
    expect(seen.users.failed).toBe(0);
    live.withShop({});
    await live.deployed();
  });

  describe("keys, config entries, intentions and prepared queries", () => {
    test("of others with other content are rejected, with a hint; with the same content they are adopted", async () => {
      await live.server().put("/v1/config", { Kind: "service-defaults", Name: "theirs", Protocol: "tcp" });
      live.withShop({
        config_entries: [{ kind: "service-defaults", name: "theirs", protocol: "http" }],
        kv: { "app/late": "x" },
      });
      const why = await live.cluster.expectRejected();
      expect(why).toContain(
        "config entry service-defaults/theirs exists, differs from the file, and was not created by a deploy",
      );
      expect(await live.kinds()).toEqual(["service-defaults/theirs"]);
      await expect(live.value("app/late")).rejects.toThrow();
      live.withShop({
        config_entries: [{ kind: "service-defaults", name: "theirs", protocol: "tcp" }],
        kv: { "app/late": "x" },
      });
      await live.deployed();
      expect(await live.value("app/late")).toBe("x");
      live.withShop({});
      await live.deployed();
      expect(await live.kinds()).toEqual([]);
    });

    test("that Consul rejects fail the deploy, which the next one completes", async () => {
      const entries = (protocol: string): ClusterFile["config_entries"] => [
        { kind: "service-splitter", name: "shop", splits: [{ weight: 100 }] },
        { kind: "service-defaults", name: "shop", protocol },
      ];
      live.withShop({ config_entries: entries("tcp") });
      expect(await live.cluster.expectRejected()).toContain("service-splitter shop");
      live.withShop({ config_entries: entries("http") });
      await live.deployed();
      expect(await live.server().json("/v1/config/service-splitter/shop")).toMatchObject({ Name: "shop" });
      live.withShop({});
      await live.deployed();
      await expect(live.server().json("/v1/config/service-splitter/shop")).rejects.toThrow();
      await live.expectEmptyPlan();
    });
  });
});
