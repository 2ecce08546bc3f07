import { acl, type ExistingAcls, plannedAclChanges, type Token } from "../../../rollout/reconcile/acl";
import type { Change } from "../../../rollout/reconcile/changes";
import type { SecretIds } from "../../../rollout/reconcile/management";
import type { DeclaredAcls } from "../../../rollout/request";
import { SimulatedObjects } from "./simulated-objects";

const DECLARED: DeclaredAcls = {
  datacenter: "dc1",
  policies: { dns: "rules" },
  tokens: { dns: ["dns"] },
  services: { "node-c1": ["web"] },
};
const SECRET_IDS: SecretIds = {
  current: { management: "secret-m", dns: "secret-d", "agent:node-c1": "secret-a" },
  retiring: ["secret-old"],
};

const token = (SecretID: string, Description: string, more: Partial<Token> = {}): Token => ({
  SecretID,
  AccessorID: SecretID.replace("secret", "accessor"),
  Description,
  ...more,
});
const MANAGEMENT_POLICY = { ID: "00000000-0000-0000-0000-000000000001", Name: "global-management", Description: "" };
const initialManagement = (SecretID: string): Token =>
  token(SecretID, "Initial Management Token", { Policies: [MANAGEMENT_POLICY] });

describe("the planned changes", () => {
  const COMPLETE: ExistingAcls = {
    policies: [{ ID: "p", Name: "dns", Description: "consul-cdktf: " }],
    rules: new Map([["dns", "rules"]]),
    tokens: [
      initialManagement("secret-m"),
      token("secret-d", "consul-cdktf: dns", { Policies: [{ Name: "dns" }], NodeIdentities: null }),
      token("secret-a", "consul-cdktf: agent:node-c1", {
        NodeIdentities: [{ NodeName: "node-c1", Datacenter: "dc1" }],
        ServiceIdentities: [{ ServiceName: "web" }],
      }),
    ],
  };
  const planned = (existing: Partial<ExistingAcls>, declared = DECLARED, secretIds = SECRET_IDS) =>
    plannedAclChanges(declared, secretIds, { ...COMPLETE, ...existing });
  const requests = (changes: readonly Change[]) => changes.map(({ method, path }) => `${method} ${path}`);
  const without = (secretId: string) => COMPLETE.tokens.filter(({ SecretID }) => SecretID !== secretId);

  test("are none if policies and tokens are complete", () => expect(planned({})).toEqual([]));

  test("create all in a new cluster, policies first", () => {
    const changes = planned({ policies: [], rules: new Map(), tokens: [initialManagement("secret-m")] });
    expect(changes).toEqual([
      { method: "PUT", path: "/v1/acl/policy", body: { Name: "dns", Rules: "rules", Description: "consul-cdktf: " } },
      {
        method: "PUT",
        path: "/v1/acl/token",
        body: {
          Description: "consul-cdktf: dns",
          Policies: [{ Name: "dns" }],
          NodeIdentities: [],
          ServiceIdentities: [],
          SecretID: "secret-d",
        },
      },
      {
        method: "PUT",
        path: "/v1/acl/token",
        body: {
          Description: "consul-cdktf: agent:node-c1",
          Policies: [],
          NodeIdentities: [{ NodeName: "node-c1", Datacenter: "dc1" }],
          ServiceIdentities: [{ ServiceName: "web" }],
          SecretID: "secret-a",
        },
      },
    ]);
  });

  test("write a policy whose rules differ", () => {
    expect(planned({ rules: new Map([["dns", "by hand"]]) })).toEqual([
      {
        method: "PUT",
        path: "/v1/acl/policy/p",
        body: { ID: "p", Name: "dns", Rules: "rules", Description: "consul-cdktf: " },
      },
    ]);
  });

  test.each<[string, Partial<Token>]>([
    ["policies", { Policies: [{ Name: "other" }] }],
    ["policies, none", { Policies: null }],
    ["node identities", { NodeIdentities: [{ NodeName: "node-c1", Datacenter: "dc1" }] }],
    ["service identities", { ServiceIdentities: [{ ServiceName: "web" }] }],
  ])("write a token with other %s", (_, difference) => {
    const other = token("secret-d", "consul-cdktf: dns", { Policies: [{ Name: "dns" }], ...difference });
    expect(planned({ tokens: [...without("secret-d"), other] })).toMatchObject([
      {
        method: "PUT",
        path: "/v1/acl/token/accessor-d",
        body: { AccessorID: "accessor-d", Policies: [{ Name: "dns" }] },
      },
    ]);
  });

  test("do not write a token with the same policies in another order", () => {
    const declared = { ...DECLARED, tokens: { dns: ["dns", "b"] } };
    const other = token("secret-d", "consul-cdktf: dns", { Policies: [{ Name: "b" }, { Name: "dns" }] });
    expect(planned({ tokens: [...without("secret-d"), other] }, declared)).toEqual([]);
  });

  test("give an agent without services its node, and a token without policies nothing", () => {
    const secretIds = {
      current: { management: "secret-m", "agent:node-c2": "secret-b", constructor: "secret-c" },
      retiring: ["secret-d", "secret-a"],
    };
    expect(planned({}, DECLARED, secretIds)).toMatchObject([
      { body: { NodeIdentities: [{ NodeName: "node-c2", Datacenter: "dc1" }], ServiceIdentities: [] } },
      { body: { Policies: [], NodeIdentities: [], ServiceIdentities: [] } },
    ]);
  });

  test("delete the product's undeclared objects, but no token in rotation and nothing of somebody else's", () => {
    const tokens = [
      token("secret-old", "consul-cdktf: dns"),
      token("secret-gone", "consul-cdktf: agent:gone"),
      token("secret-x", "by hand"),
    ];
    const policies = [
      { ID: "l", Name: "left", Description: "consul-cdktf: " },
      { ID: "c", Name: "constructor", Description: "consul-cdktf: " },
      { ID: "x", Name: "theirs", Description: "" },
    ];
    const changes = planned({
      tokens: [...COMPLETE.tokens, ...tokens],
      policies: [...COMPLETE.policies, ...policies],
    });
    expect(requests(changes)).toEqual([
      "DELETE /v1/acl/token/accessor-gone",
      "DELETE /v1/acl/policy/l",
      "DELETE /v1/acl/policy/c",
    ]);
  });

  test("create a new management token before they delete the revoked one", () => {
    expect(requests(planned({ tokens: [initialManagement("secret-n"), ...without("secret-m")] }))).toEqual([
      "PUT /v1/acl/token",
      "DELETE /v1/acl/token/accessor-n",
    ]);
  });
});

describe("the step", () => {
  function secured(): SimulatedObjects {
    const cluster = new SimulatedObjects();
    cluster.isSecured = true;
    cluster.tokens.push({ ...initialManagement("secret-m") });
    cluster.policies.push({ ...MANAGEMENT_POLICY });
    return cluster;
  }
  const run = (cluster: SimulatedObjects, secretIds = SECRET_IDS) =>
    cluster.run((api, clock, log) => acl({ acls: DECLARED, seconds: 60 }, secretIds, api, clock, log));
  const COMPLETE = { kind: "allow", reason: "policies and tokens are complete" };

  test("creates policies and tokens; a second run changes nothing", async () => {
    const cluster = secured();
    expect(await run(cluster)).toEqual({ outcome: COMPLETE, seconds: 1, log: [] });
    expect(cluster.tokens.map(({ SecretID }) => SecretID)).toEqual(["secret-m", "secret-d", "secret-a"]);
    cluster.changes.length = 0;
    expect((await run(cluster)).outcome).toEqual(COMPLETE);
    expect(cluster.changes).toEqual([]);
  });

  test("writes the rules of a policy that was changed by hand, and reads those of no other", async () => {
    const cluster = secured();
    await run(cluster);
    const policy = cluster.policies.find(({ Name }) => Name === "dns");
    Object.assign(policy ?? {}, { Rules: undefined });
    expect((await run(cluster)).outcome).toEqual(COMPLETE);
    expect(cluster.policies.find(({ Name }) => Name === "dns")).toMatchObject({ Rules: "rules" });
    cluster.exceptions.set(/policy\/0000/, "none");
    expect((await run(cluster)).outcome).toEqual(COMPLETE);
  });

  test("uses the token before while the management token is being replaced", async () => {
    const cluster = secured();
    cluster.management = "secret-new";
    const current = { ...SECRET_IDS.current, management: "secret-new" };
    const { outcome } = await run(cluster, { current, retiring: [SECRET_IDS.current.dns ?? "", "secret-m"] });
    expect(outcome).toEqual(COMPLETE);
    expect(cluster.tokens.map(({ SecretID }) => SecretID)).toEqual(["secret-m", "secret-new", "secret-d", "secret-a"]);
  });

  test("is skipped while the other servers are still to be deployed", async () => {
    const cluster = secured();
    Object.assign(cluster, { hasLeader: false, bootstrapped: false });
    expect(await run(cluster)).toEqual({
      outcome: {
        kind: "allow",
        reason: "skipped: the other servers are not deployed yet, and the last stack creates the tokens",
      },
      seconds: 6,
      log: ["acl: waiting for a leader that knows the management token"],
    });
  });

  describe("asks another server if this one", () => {
    test.each<[string, (cluster: SimulatedObjects) => unknown]>([
      ["knows no leader", (cluster) => Object.assign(cluster, { hasLeader: false })],
      ["knows no token", (cluster) => cluster.tokens.splice(0)],
      ["is unreachable", (cluster) => cluster.exceptions.set(/./, "none")],
      ["knows a token with fewer rights", (cluster) => Object.assign(cluster.tokens[0] ?? {}, { Policies: null })],
      ["writes no JSON", (cluster) => cluster.exceptions.set(/self/, { status: 200, body: "<html>" })],
    ])("%s for 8 s", async (_, prepare) => {
      const cluster = secured();
      prepare(cluster);
      expect(await run(cluster)).toMatchObject({
        outcome: { kind: "unknown", reason: "waiting for a leader that knows the management token" },
        seconds: 8,
      });
      expect(cluster.changes).toEqual([]);
    });
  });

  describe("changes nothing while it cannot read", () => {
    test.each([
      ["policies", /acl.policies/, "none", "/v1/acl/policies: its API gave no answer within 5 s"],
      ["policies as a list", /acl.policies/, { status: 200, body: "{}" }, "/v1/acl/policies: its answer is not a list"],
      ["a policy", /acl.policy\/p/, { status: 500, body: "rpc\n error" }, "/v1/acl/policy/p: 500: rpc error"],
      ["a policy that is gone", /acl.policy\/p/, { status: 404 }, "/v1/acl/policy/p: 404:"],
      [
        "tokens",
        /acl.tokens/,
        { status: 403, body: "denied to secret-m" },
        "/v1/acl/tokens: 403: denied to (a SecretID)",
      ],
      [
        "tokens as JSON",
        /acl.tokens/,
        { status: 200, body: '[{"SecretID":"secret-d"' },
        "/v1/acl/tokens: its answer is not JSON",
      ],
      [
        "SecretIDs",
        /acl.tokens/,
        { status: 200, body: '[{"SecretID":"<hidden>"}]' },
        "/v1/acl/tokens: its answer has no SecretIDs",
      ],
      [
        "tokens with SecretIDs",
        /acl.tokens/,
        { status: 200, body: "[{}]" },
        "/v1/acl/tokens: its answer has no SecretIDs",
      ],
    ] as const)("%s", async (_, path, exception, reason) => {
      const cluster = secured();
      cluster.policies.push({ ID: "p", Name: "dns", Description: "consul-cdktf: ", Rules: "rules" });
      cluster.exceptions.set(path, exception);
      expect(await run(cluster)).toMatchObject({
        outcome: {
          kind: "deny",
          reason: expect.stringContaining(`not done after 60 s: cannot be read: ${reason}`),
        },
        seconds: 60,
        log: [`acl: cannot be read: ${reason}`],
      });
      expect(cluster.changes).toEqual([]);
    });
  });

  test("an empty list may be null", async () => {
    const cluster = secured();
    cluster.exceptions.set(/acl.policies/, { status: 200, body: "null" });
    cluster.simulation.at(1, () => cluster.exceptions.clear());
    expect((await run(cluster)).outcome).toEqual(COMPLETE);
  });

  test("makes the other changes when one fails, and reports it without SecretIDs", async () => {
    const cluster = secured();
    cluster.exceptions.set(/PUT .*policy$/, { status: 500, body: "Invalid rules\n  of secret-d" });
    const secretIds = { current: { management: "secret-m", dns: "secret-d" }, retiring: [] };
    const { outcome, log } = await run(cluster, secretIds);
    const reason = "PUT /v1/acl/policy of dns: 500: Invalid rules of (a SecretID)";
    expect(outcome).toMatchObject({ kind: "deny", reason: `not done after 60 s: ${reason}` });
    expect(log).toEqual([`acl: ${reason}`]);
    expect(cluster.tokens.map(({ SecretID }) => SecretID)).toEqual(["secret-m", "secret-d"]);
  });
});
