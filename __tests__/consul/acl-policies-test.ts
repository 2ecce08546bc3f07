import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { defineCluster } from "../../cluster/define";
import type { ClusterFile } from "../../cluster/file/schema";
import type { Security } from "../../cluster/model";
import { aclOf } from "../../constructs/security-steps";
import type { AclDefinitions } from "../../consul/acl-policies";
import { PROJECT } from "../cluster-files";

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
test("policies and tokens are sorted by name", () => {
  const a = { b: 'key "b" {}', a: 'key "a" {}' };
  const b = { a: 'key "a" {}', b: 'key "b" {}' };
  expect(JSON.stringify(definitions({ security: { policies: a } }))).toBe(
    JSON.stringify(definitions({ security: { policies: b } })),
  );
});

describe("acl.jq plans", () => {
  const own = { current: { management: "m", dns: "d", "agent:node-c1": "a" }, retiring: ["old"] };
  const token = (SecretID: string, Description: string, more: object = {}) => ({
    SecretID,
    AccessorID: `accessor-${SecretID}`,
    Description,
    ...more,
  });
  const managed = token("m", "Initial Management Token", { Policies: [{ ID: "1", Name: "global-management" }] });
  const given = {
    datacenter: "dc1",
    policies: { dns: "rules" },
    tokens: { dns: ["dns"] },
    services: { "node-c1": ["web"] },
  };
  const steps = (there: {
    policies?: object[];
    tokens?: object[];
    rules?: object;
  }): [string, string, Record<string, unknown>][] => {
    const args = ["-c", "-f", join(PROJECT, "rollout/agent/acl.jq")];
    const json = (name: string, value: unknown) => ["--argjson", name, JSON.stringify(value)];
    const { status, stdout, stderr } = spawnSync(
      "jq",
      [
        "-n",
        ...args,
        ...json("definitions", given),
        ...json("own", [own]),
        ...json("policies", there.policies ?? []),
        ...json("rules", there.rules ?? {}),
        ...json("tokens", there.tokens ?? [managed]),
      ],
      { encoding: "utf8" },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout
      .trim()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };
  const all = {
    policies: [{ ID: "p", Name: "dns", Description: "consul-cdktf: " }],
    rules: { dns: "rules" },
    tokens: [
      managed,
      token("d", "consul-cdktf: dns", { Policies: [{ ID: "p", Name: "dns" }] }),
      token("a", "consul-cdktf: agent:node-c1", {
        NodeIdentities: [{ NodeName: "node-c1", Datacenter: "dc1" }],
        ServiceIdentities: [{ ServiceName: "web", Datacenters: null }],
      }),
    ],
  };

  test("no request if policies and tokens are complete", () => expect(steps(all)).toEqual([]));
  test("all requests in a new cluster, policies first", () => {
    const made = steps({});
    expect(made.map(([method, path]) => `${method} ${path}`)).toEqual([
      "PUT /v1/acl/policy",
      "PUT /v1/acl/token",
      "PUT /v1/acl/token",
    ]);
    expect(made[2]?.[2]).toMatchObject({
      SecretID: "a",
      NodeIdentities: [{ NodeName: "node-c1", Datacenter: "dc1" }],
      ServiceIdentities: [{ ServiceName: "web" }],
    });
  });
  test("an update of a policy with other rules", () => {
    expect(steps({ ...all, rules: { dns: "by hand" } })).toEqual([
      ["PUT", "/v1/acl/policy/p", { ID: "p", Name: "dns", Rules: "rules", Description: "consul-cdktf: " }],
    ]);
  });
  test("an update of a token with other policies", () => {
    const tokens = all.tokens.map((one) =>
      one.SecretID === "d" ? { ...one, Policies: [{ ID: "q", Name: "other" }] } : one,
    );
    expect(steps({ ...all, tokens })).toMatchObject([
      ["PUT", "/v1/acl/token/accessor-d", { AccessorID: "accessor-d", Policies: [{ Name: "dns" }] }],
    ]);
  });
  test("a deletion of its own undeclared objects, but not of tokens in rotation or foreign objects", () => {
    const more = [
      token("old", "consul-cdktf: dns"),
      token("gone", "consul-cdktf: agent:gone"),
      token("theirs", "by hand"),
    ];
    expect(steps({ ...all, tokens: [...all.tokens, ...more] })).toEqual([
      ["DELETE", "/v1/acl/token/accessor-gone", null],
    ]);
    const policies = [
      ...all.policies,
      { ID: "x", Name: "left", Description: "consul-cdktf: " },
      { ID: "y", Name: "theirs", Description: "" },
    ];
    expect(steps({ ...all, policies })).toEqual([["DELETE", "/v1/acl/policy/x", null]]);
  });
  test("a new management token first, and the deletion of the old one when it is revoked", () => {
    const before = token("n", "Initial Management Token", { Policies: [{ ID: "1", Name: "global-management" }] });
    const done = steps({ ...all, tokens: [before, ...all.tokens.slice(1)] });
    expect(done).toMatchObject([
      ["PUT", "/v1/acl/token", { SecretID: "m", Policies: [{ Name: "global-management" }] }],
      ["DELETE", "/v1/acl/token/accessor-n", null],
    ]);
  });
});
