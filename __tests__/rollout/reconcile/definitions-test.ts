import type { Change } from "../../../rollout/reconcile/changes";
import { definitions, type ExistingObjects, plannedDefinitions } from "../../../rollout/reconcile/definitions";
import type { DeclaredObjects } from "../../../rollout/request";
import { SimulatedObjects } from "./simulated-objects";

const NOTE = "/v1/kv/consul-cdktf/definitions";
const NOTHING: DeclaredObjects = { kv: {}, config_entries: {}, prepared_queries: {} };
const UNNOTED = { config_entries: [], prepared_queries: [] };

const web = { kind: "service-defaults", name: "web", protocol: "http" };
const ENTRIES = { config_entries: { "service-defaults/web": web } };
const near = { Name: "near", Service: { Service: "web", OnlyPassing: true }, Dns: { Ttl: "10s" } };
const QUERIES = { prepared_queries: { near } };
const webExisting = {
  Kind: "service-defaults",
  Name: "web",
  Protocol: "http",
  TransparentProxy: {},
  CreateIndex: 3,
  ModifyIndex: 4,
};
const nearExisting = {
  ID: "id1",
  Name: "near",
  Session: "",
  Token: "",
  Template: { Type: "" },
  Service: { Service: "web", OnlyPassing: true, Near: "", Tags: null },
  DNS: { TTL: "10s" },
};

const planned = (declared: Partial<DeclaredObjects>, existing: Partial<ExistingObjects> = {}) =>
  plannedDefinitions({ ...NOTHING, ...declared }, { note: UNNOTED, entries: [], queries: [], ...existing });
const requests = (changes: readonly Change[]) => changes.map(({ method, path }) => `${method} ${path}`);

test("nothing is done if nothing is declared and nothing was created", () =>
  expect(planned({})).toEqual({ clashes: [], changes: [], last: [] }));

test("a key is written by its path, and only if it does not exist", () => {
  expect(planned({ kv: { "a b/c?d": "text" } }).changes).toEqual([
    { method: "PUT", path: "/v1/kv/a%20b/c%3Fd?cas=0", body: "text" },
  ]);
});

describe("a new definition", () => {
  test("is noted before it is created", () => {
    const { changes, last } = planned({ ...ENTRIES, ...QUERIES });
    const note = { config_entries: ["service-defaults/web"], prepared_queries: ["near"] };
    expect(changes).toEqual([
      { method: "PUT", path: NOTE, body: note },
      { method: "PUT", path: "/v1/config", body: web },
      { method: "POST", path: "/v1/query", body: near },
    ]);
    expect(last).toEqual([]);
  });

  test("is adopted if an identical object exists", () => {
    const { clashes, changes } = planned(
      { ...ENTRIES, ...QUERIES },
      { entries: [webExisting], queries: [nearExisting] },
    );
    expect(clashes).toEqual([]);
    expect(requests(changes)).toEqual([`PUT ${NOTE}`, "PUT /v1/config", "PUT /v1/query/id1"]);
  });

  test("is rejected if a different object exists", () => {
    const existing = {
      entries: [{ ...webExisting, Protocol: "grpc" }],
      queries: [{ ...nearExisting, Service: { Service: "api", OnlyPassing: true } }],
    };
    expect(planned({ ...ENTRIES, ...QUERIES }, existing).clashes).toEqual([
      "config entry service-defaults/web",
      'prepared query "near"',
    ]);
  });

  test("does not clash with a query of a session, which is gone with it", () => {
    const queries = [{ ...nearExisting, Session: "s", Service: {} }];
    const { clashes, changes } = planned(QUERIES, { queries });
    expect(clashes).toEqual([]);
    expect(requests(changes)).toEqual([`PUT ${NOTE}`, "POST /v1/query"]);
  });

  test("is written after the kinds that it depends on", () => {
    const keys = ["a-new-kind/web", "service-router/web", "service-defaults/web", "proxy-defaults/global"];
    const { changes } = planned({ config_entries: Object.fromEntries(keys.map((key) => [key, { key }])) });
    expect(changes.slice(1).map(({ body }) => body)).toEqual(keys.reverse().map((key) => ({ key })));
  });

  describe("is compared by its own fields", () => {
    const clashes = (declared: object, existing: object) =>
      planned({ config_entries: { "mesh/mesh": declared } }, { entries: [{ ...existing, Kind: "mesh", Name: "mesh" }] })
        .clashes.length;
    test.each<[string, object, object, number]>([
      ["in another spelling", { some_field: 1 }, { SomeField: 1 }, 0],
      ["beside others", { a: 1 }, { A: 1, B: 2 }, 0],
      ["with another value", { a: 1 }, { A: 2 }, 1],
      ["that the API leaves out, because they are nothing", { a: "", b: 0, c: false, d: [], e: {}, f: null }, {}, 0],
      ["that do not exist", { a: 1 }, {}, 1],
      ["that every object of JavaScript has", { constructor: "a" }, {}, 1],
      ["with lists in another order", { a: [{ b: 1 }, { b: 2 }] }, { A: [{ B: 2, C: 3 }, { B: 1 }] }, 0],
      ["with lists of other items", { a: [1, 2] }, { A: [1, 3] }, 1],
      ["with longer lists", { a: [1] }, { A: [1, 2] }, 1],
      ["with a list that is text", { a: ["b"] }, { A: "b" }, 1],
      ["with fields in what is text", { a: { b: 1 } }, { A: "b" }, 1],
      ["with fields that are nothing in what is text", { a: { b: "" } }, { A: "b" }, 0],
    ])("%s", (_, declared, existing, count) => expect(clashes(declared, existing)).toBe(count));
  });
});

describe("an object that a deploy created", () => {
  const note = { config_entries: ["service-defaults/web", "service-router/a/b"], prepared_queries: ["near"] };
  const entries = [webExisting, { Kind: "service-router", Name: "a/b" }];

  test("is updated when the file changes, and after a change by hand", () => {
    const { clashes, changes } = planned(
      { ...ENTRIES, ...QUERIES },
      { note, entries: [{ ...webExisting, Protocol: "tcp" } as typeof webExisting], queries: [nearExisting] },
    );
    expect(clashes).toEqual([]);
    expect(changes).toContainEqual({ method: "PUT", path: "/v1/config", body: web });
    expect(changes).toContainEqual({ method: "PUT", path: "/v1/query/id1", body: near });
  });

  test("is deleted when it is no longer declared, after the objects that depend on it; then its note is deleted", () => {
    const { changes, last } = planned({}, { note, entries, queries: [nearExisting] });
    expect(changes).toEqual([
      { method: "DELETE", path: "/v1/query/id1" },
      { method: "DELETE", path: "/v1/config/service-router/a%2Fb" },
      { method: "DELETE", path: "/v1/config/service-defaults/web" },
    ]);
    expect(last).toEqual([{ method: "DELETE", path: NOTE }]);
  });

  test("and that no longer exists only loses its note", () => {
    const { changes, last } = planned(ENTRIES, { note, entries: [webExisting] });
    expect(changes).toEqual([{ method: "PUT", path: "/v1/config", body: web }]);
    expect(last).toEqual([
      { method: "PUT", path: NOTE, body: { config_entries: ["service-defaults/web"], prepared_queries: [] } },
    ]);
  });
});

test("an object that no deploy created, and that is not declared, does not change", () => {
  const existing = {
    entries: [webExisting, { ...webExisting, Name: "theirs" }],
    queries: [nearExisting, { ...nearExisting, ID: "id2", Name: "theirs" }],
  };
  expect(requests(planned(ENTRIES, existing).changes)).toEqual([`PUT ${NOTE}`, "PUT /v1/config"]);
});

describe("the step", () => {
  const run = (
    cluster: SimulatedObjects,
    declared: Partial<DeclaredObjects> = {},
    secretIds?: Parameters<typeof definitions>[1],
  ) => {
    const objects = { ...NOTHING, ...declared };
    return cluster.run((api, clock, log) => definitions({ objects, seconds: 60 }, secretIds, api, clock, log));
  };
  const COMPLETE = { kind: "allow", reason: "complete" };
  const ALL = { kv: { "a/b": "text" }, ...ENTRIES, ...QUERIES };

  test("creates objects, changes no key that exists, and deletes what is not declared any more", async () => {
    const cluster = new SimulatedObjects();
    cluster.kv.set("a/b", "by hand");
    expect(await run(cluster, ALL)).toEqual({ outcome: COMPLETE, seconds: 0, log: [] });
    expect(cluster.kv.get("a/b")).toBe("by hand");
    expect(cluster.entries).toHaveLength(1);
    expect(cluster.queries).toHaveLength(1);
    expect((await run(cluster)).outcome).toEqual(COMPLETE);
    expect([cluster.entries, cluster.queries, [...cluster.kv.keys()]]).toEqual([[], [], ["a/b"]]);
  });

  test("uses the management token, or the one before", async () => {
    const cluster = new SimulatedObjects();
    cluster.isSecured = true;
    const Policies = [{ ID: "00000000-0000-0000-0000-000000000001" }];
    cluster.tokens.push({ SecretID: "secret-former", Policies });
    const secretIds = { current: {}, retiring: ["secret-former"] };
    expect((await run(cluster, ALL, secretIds)).outcome).toEqual(COMPLETE);
    expect(cluster.queries).toHaveLength(1);
  });

  test("another server is asked if this one knows no leader for 8 s", async () => {
    const cluster = new SimulatedObjects();
    cluster.hasLeader = false;
    const reason = "waiting for a leader that knows the management token";
    expect(await run(cluster)).toEqual({
      outcome: { kind: "unknown", reason },
      seconds: 8,
      log: [`definitions: ${reason}`],
    });
  });

  test("fails without any change if an object of somebody else's differs", async () => {
    const cluster = new SimulatedObjects();
    cluster.entries.push({ ...webExisting, Protocol: "tcp" });
    expect((await run(cluster, ALL)).outcome).toEqual({
      kind: "deny",
      reason:
        "nothing was changed: config entry service-defaults/web exists, differs from the file, and was not created by a deploy",
      hint: "write what exists into the file, or delete it in Consul, and deploy again",
    });
    expect(cluster.changes).toEqual([]);
  });

  describe("changes nothing while it cannot read", () => {
    test.each([
      ["its note", /GET .v1.kv/, { status: 500, body: "rpc error" }, `${NOTE}?raw&consistent: 500: rpc error`],
      ["a note of its own", /GET .v1.kv/, { status: 200, body: "[]" }, "it is not the note of a deploy"],
      ["a note", /GET .v1.kv/, { status: 200, body: "null" }, "it is not the note of a deploy"],
      ["a note that is JSON", /GET .v1.kv/, { status: 200, body: "" }, "its answer is not JSON"],
      ["a note with objects", /GET .v1.kv/, { status: 200, body: "1" }, "it is not the note of a deploy"],
      [
        "noted entries",
        /GET .v1.kv/,
        { status: 200, body: '{"config_entries":"a"}' },
        "it is not the note of a deploy",
      ],
      [
        "noted names",
        /GET .v1.kv/,
        { status: 200, body: '{"prepared_queries":[1]}' },
        "it is not the note of a deploy",
      ],
      ["entries", /GET .v1.config/, "none", "/v1/config/service-defaults: its API gave no answer within 5 s"],
      ["queries", /GET .v1.query/, { status: 403, body: "denied" }, "/v1/query: 403: denied"],
    ] as const)("%s", async (_, path, exception, reason) => {
      const cluster = new SimulatedObjects();
      cluster.exceptions.set(path, exception);
      expect(await run(cluster, ALL)).toMatchObject({
        outcome: { kind: "deny", reason: expect.stringContaining(reason) },
        seconds: 60,
        log: [expect.stringMatching(/^definitions: cannot be read: /)],
      });
      expect(cluster.changes).toEqual([]);
    });
  });

  test("reads entries of each kind that is declared or noted; a kind without any has none", async () => {
    const cluster = new SimulatedObjects();
    cluster.kv.set("consul-cdktf/definitions", { config_entries: ["mesh/mesh", "mesh/other"] });
    cluster.exceptions.set(/GET .v1.config.service-defaults/, { status: 404 });
    cluster.entries.push({ Kind: "mesh", Name: "mesh" });
    expect((await run(cluster, ALL)).outcome).toEqual(COMPLETE);
    expect(cluster.changes).toContain("DELETE /v1/config/mesh/mesh");
    expect(cluster.kv.get("consul-cdktf/definitions")).toEqual({
      config_entries: ["service-defaults/web"],
      prepared_queries: ["near"],
    });
  });

  describe("a change that Consul rejects", () => {
    const REJECTION = "PUT /v1/config of service-defaults web: 400: invalid protocol";

    test("is retried alone, because it may depend on another; the final note waits for it", async () => {
      const cluster = new SimulatedObjects();
      cluster.kv.set("consul-cdktf/definitions", { prepared_queries: ["gone"] });
      cluster.exceptions.set(/PUT .v1.config/, { status: 400, body: "invalid\nprotocol" });
      cluster.simulation.at(3, () => cluster.exceptions.clear());
      expect(await run(cluster, ALL)).toEqual({
        outcome: COMPLETE,
        seconds: 3,
        log: [`definitions: ${REJECTION}`],
      });
      const rejected = "PUT /v1/config";
      const first = [`PUT ${NOTE}`, "PUT /v1/kv/a/b?cas=0", rejected, "POST /v1/query"];
      expect(cluster.changes).toEqual([...first, rejected, rejected, rejected, `PUT ${NOTE}`]);
    });

    test("fails after 10 s", async () => {
      const cluster = new SimulatedObjects();
      cluster.exceptions.set(/PUT .v1.config/, { status: 400, body: "invalid\nprotocol" });
      expect(await run(cluster, ALL)).toMatchObject({
        outcome: { kind: "deny", reason: `not done after 10 s: ${REJECTION}` },
        seconds: 10,
      });
    });

    test("is retried to the end while there is no leader", async () => {
      const cluster = new SimulatedObjects();
      cluster.isSecured = true;
      const Policies = [{ ID: "00000000-0000-0000-0000-000000000001" }];
      cluster.tokens.push({ SecretID: "secret-m", Policies });
      cluster.exceptions.set(/PUT .v1.config/, { status: 500, body: "no leader" });
      cluster.exceptions.set(/status.leader/, { status: 200, body: '""' });
      const secretIds = { current: {}, retiring: [] };
      expect(await run(cluster, ALL, secretIds)).toMatchObject({
        outcome: {
          kind: "deny",
          reason: expect.stringMatching(/^not done after 60 s: .*: 500: no leader$/),
        },
        seconds: 60,
      });
    });

    test("is the final note", async () => {
      const cluster = new SimulatedObjects();
      await run(cluster, ALL);
      cluster.exceptions.set(/DELETE .v1.kv/, { status: 500, body: "busy" });
      cluster.simulation.at(2, () => cluster.exceptions.clear());
      expect((await run(cluster)).outcome).toEqual(COMPLETE);
      expect(cluster.kv.has("consul-cdktf/definitions")).toBe(false);
    });
  });
});
