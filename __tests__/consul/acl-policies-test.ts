import { defineCluster } from "../../cluster/define";
import type { ClusterFile } from "../../cluster/file/schema";
import type { Security } from "../../cluster/model";
import { aclOf } from "../../constructs/security-steps";
import type { AclDefinitions } from "../../consul/acl-policies";

const definitions = (file: Partial<ClusterFile> = {}): AclDefinitions => {
  const cluster = defineCluster({
    name: "c",
    daemon: "ssh://root@{address}",
    hosts: { s1: "10.0.0.1", c1: "10.0.0.2" },
    servers: ["s1"],
    clients: [{ name: "c1", node: "node-c1", config: { services: [{ name: "web" }, { name: "api" }] } }],
    ...file,
  });
  return aclOf(cluster, cluster.security as Security);
};

test("no token of the product manages ACLs, or writes KV keys other than the product's own", () => {
  const { policies } = definitions();
  expect(Object.keys(policies)).toContain("rollout-server");
  for (const rules of Object.values(policies)) {
    expect(rules).not.toContain("acl");
    expect(rules.match(/key_prefix "[^"]*"/g) ?? []).toEqual(
      rules.includes("key_prefix") ? ['key_prefix "consul-cdktf/"'] : [],
    );
  }
});
test("root in a client agent's container cannot make the next deploy delete foreign objects", () =>
  expect(definitions().policies["rollout-client"]).toContain('key "consul-cdktf/definitions" { policy = "deny" }'));
test("an agent may register the services of its own configuration", () =>
  expect(definitions().services).toEqual({ "node-c1": ["api", "web"] }));
test("an agent may register services that are declared on it, or on every agent", () => {
  const clients = [{ name: "c1", node: "node-c1", services: [{ name: "shop", id: "shop-1" }] }];
  expect(definitions({ clients, services: [{ name: "exporter" }] }).services).toEqual({
    "node-c1": ["exporter", "shop"],
    s1: ["exporter"],
  });
});
test("registrator's policy exists if a token has it, and a token for snapshots has all rights", () => {
  expect(definitions().policies).not.toHaveProperty("registrator");
  const { policies, tokens } = definitions({ security: { tokens: { registrator: {}, snapshots: {} } } });
  expect(policies.registrator).toContain('service_prefix "" { policy = "write" }');
  expect(tokens).toMatchObject({ registrator: ["registrator"], snapshots: ["global-management"] });
});
test("the token of scheduled backups has all rights, and exists if the cluster has them", () => {
  expect(definitions().tokens).not.toHaveProperty("backups");
  expect(definitions({ backups: {} }).tokens).toMatchObject({ backups: ["global-management"] });
});
test("the token of metrics may read agents and nothing else, and exists if the cluster has them", () => {
  expect(definitions().tokens).not.toHaveProperty("metrics");
  const { policies, tokens } = definitions({ metrics: "on" });
  expect([tokens.metrics, policies.metrics]).toEqual([["metrics"], 'agent_prefix "" { policy = "read" }']);
});
test("policies and tokens are sorted by name", () => {
  const a = { b: 'key "b" {}', a: 'key "a" {}' };
  const b = { a: 'key "a" {}', b: 'key "b" {}' };
  expect(JSON.stringify(definitions({ security: { policies: a } }))).toBe(
    JSON.stringify(definitions({ security: { policies: b } })),
  );
});
