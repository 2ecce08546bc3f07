import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { FOUR_HOSTS, PROJECT } from "../../cluster-files";
import { rendered, stackOf, synthesizeText } from "../../synthesized";

const NOTE = "/v1/kv/consul-cdktf/definitions";

interface Plan {
  readonly clashes: readonly string[];
  readonly steps: readonly [string, string, Record<string, unknown> | string | null][];
  readonly last: readonly [string, string, Record<string, unknown> | null][];
}
interface Existing {
  /** The note of the objects that a deploy created. */
  readonly note?: object;
  readonly queries?: readonly object[];
  /** The API's list of config entries, for each kind. */
  readonly entries?: readonly (readonly object[])[];
}

/** The requests that definitions.jq plans. */
function plan(definitions: object, { note = {}, queries = [], entries = [] }: Existing = {}): Plan {
  const wanted = JSON.stringify({ kv: {}, config_entries: {}, prepared_queries: {}, ...definitions });
  const args = ["-cs", "--argjson", "definitions", wanted, "-f", join(PROJECT, "rollout/agent/definitions.jq")];
  const input = [note, queries, ...entries].map((value) => JSON.stringify(value)).join("\n");
  const { status, stdout, stderr } = spawnSync("jq", args, { encoding: "utf8", input });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return JSON.parse(stdout);
}
const requests = ({ steps }: Plan) => steps.map(([method, path]) => `${method} ${path}`);

const web = { kind: "service-defaults", name: "web", protocol: "http" };
const ENTRIES = { config_entries: { "service-defaults/web": web } };
const QUERIES = {
  prepared_queries: { near: { Name: "near", Service: { Service: "web", OnlyPassing: true }, Dns: { Ttl: "10s" } } },
};
const webExisting = {
  Kind: "service-defaults",
  Name: "web",
  Protocol: "http",
  TransparentProxy: {},
  CreateIndex: 3,
  ModifyIndex: 4,
};
const nearExisting = {
  ...{ ID: "id1", Name: "near", Session: "", Token: "", Template: { Type: "" } },
  ...{ Service: { Service: "web", OnlyPassing: true, Near: "", Tags: null }, DNS: { TTL: "10s" } },
};

test("nothing is done if nothing is declared and nothing was created", () =>
  expect(plan({})).toEqual({ clashes: [], steps: [], last: [] }));

test("a key is written by its path, and only if it does not exist", () => {
  expect(plan({ kv: { "a b/c?d": "text" } }).steps).toEqual([["PUT", "/v1/kv/a%20b/c%3Fd?cas=0", "text"]]);
});

describe("a new definition", () => {
  test("is noted before it is created", () => {
    const { steps, last } = plan({ ...ENTRIES, ...QUERIES });
    const note = { config_entries: ["service-defaults/web"], prepared_queries: ["near"] };
    expect(steps).toEqual([
      ["PUT", NOTE, note],
      ["PUT", "/v1/config", web],
      ["POST", "/v1/query", QUERIES.prepared_queries.near],
    ]);
    expect(last).toEqual([]);
  });
  test("is adopted if an identical object exists", () => {
    const { clashes, steps } = plan({ ...ENTRIES, ...QUERIES }, { entries: [[webExisting]], queries: [nearExisting] });
    expect(clashes).toEqual([]);
    expect(steps.map(([method, path]) => `${method} ${path}`)).toEqual([
      `PUT ${NOTE}`,
      "PUT /v1/config",
      "PUT /v1/query/id1",
    ]);
  });
  test("is rejected if a different object exists", () => {
    const existing = {
      entries: [[{ ...webExisting, Protocol: "grpc" }]],
      queries: [{ ...nearExisting, Service: { Service: "api", OnlyPassing: true } }],
    };
    expect(plan({ ...ENTRIES, ...QUERIES }, existing).clashes).toEqual([
      "config entry service-defaults/web",
      'prepared query "near"',
    ]);
  });
  test("is compared although the file and the API spell names differently and order lists differently", () => {
    const intentions = {
      kind: "service-intentions",
      name: "web",
      sources: [
        { name: "*", action: "deny" },
        { name: "api", action: "allow" },
      ],
    };
    const wanted = { config_entries: { "service-intentions/web": intentions } };
    const sources = [
      { Name: "api", Action: "allow", Precedence: 9 },
      { Name: "*", Action: "deny", Precedence: 8 },
    ];
    const existing = (list: object[]) => ({ entries: [[{ Kind: "service-intentions", Name: "web", Sources: list }]] });
    expect(plan(wanted, existing(sources)).clashes).toEqual([]);
    expect(plan(wanted, existing(sources.slice(1))).clashes).toEqual(["config entry service-intentions/web"]);
  });
});

describe("an object that a deploy created", () => {
  const note = { config_entries: ["service-defaults/web", "service-router/web"], prepared_queries: ["near"] };
  const entries = [[webExisting], [{ Kind: "service-router", Name: "web" }]];

  test("is updated when the file changes, and after a change by hand", () => {
    const { clashes, steps } = plan(
      { ...ENTRIES, ...QUERIES },
      { note, entries: [[{ ...webExisting, Protocol: "tcp" }]], queries: [nearExisting] },
    );
    expect(clashes).toEqual([]);
    expect(steps).toContainEqual(["PUT", "/v1/config", web]);
    expect(steps).toContainEqual(["PUT", "/v1/query/id1", QUERIES.prepared_queries.near]);
  });
  test("is deleted when it is no longer declared, after the objects that depend on it; then its note is deleted", () => {
    const { steps, last } = plan({}, { note, entries, queries: [nearExisting] });
    expect(steps).toEqual([
      ["DELETE", "/v1/query/id1", null],
      ["DELETE", "/v1/config/service-router/web", null],
      ["DELETE", "/v1/config/service-defaults/web", null],
    ]);
    expect(last).toEqual([["DELETE", NOTE, null]]);
  });
  test("and that no longer exists only loses its note", () => {
    const { steps, last } = plan(ENTRIES, { note, entries: [[webExisting]] });
    expect(steps).toEqual([["PUT", "/v1/config", web]]);
    expect(last).toEqual([["PUT", NOTE, { config_entries: ["service-defaults/web"], prepared_queries: [] }]]);
  });
});

test("an object that no deploy created, and that is not declared, does not change", () => {
  const existing = {
    entries: [[webExisting, { ...webExisting, Name: "theirs" }]],
    queries: [nearExisting, { ...nearExisting, ID: "id2", Name: "theirs" }],
  };
  expect(requests(plan(ENTRIES, existing))).toEqual([`PUT ${NOTE}`, "PUT /v1/config"]);
});

describe("the step of a deploy", () => {
  const step = (text: string) => stackOf(synthesizeText(text), "c").resource.terraform_data.consul_definitions;

  test("runs after the servers are voters, and again when the definitions change", () => {
    const { depends_on, triggers_replace } = step(`${FOUR_HOSTS}kv: { a: '\${x}' }\n`) ?? {};
    expect(depends_on).toEqual(["terraform_data.consul_quorum"]);
    const [given = ""] = Object.values(triggers_replace ?? {});
    expect(JSON.parse(rendered(given))).toEqual({ kv: { a: "${x}" }, config_entries: {}, prepared_queries: {} });
  });
  test("exists if nothing is declared, because earlier definitions must be removed", () => {
    const [given = ""] = Object.values(step(FOUR_HOSTS)?.triggers_replace ?? {});
    expect(JSON.parse(rendered(given))).toEqual({ kv: {}, config_entries: {}, prepared_queries: {} });
  });
  test("runs in servers that are not decommissioned", () => {
    const leaving = FOUR_HOSTS.replace("servers: [s1,", "servers: [{ name: s1, decommission: true },").concat(
      "ignore: [two-servers]\n",
    );
    const { ASK_TARGETS } = step(leaving)?.provisioner[0]?.["local-exec"].environment ?? {};
    expect(ASK_TARGETS?.split("\n").map((target) => target.split(" ").at(-1))).toEqual(["s2", "s3"]);
  });
});
