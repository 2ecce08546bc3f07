import { BACKENDS, type BackendType, backendOf, backendProblems } from "../../../cluster/resolve/state-backend";

/** The arguments that a backend cannot do without. */
const REQUIRED: Readonly<Record<BackendType, object>> = {
  local: {},
  s3: { bucket: "b" },
  http: { address: "https://example.com/{stack}" },
  pg: {},
  cloud: { organization: "o" },
  gcs: { bucket: "b" },
  azurerm: { storage_account_name: "s", container_name: "n" },
  oss: { bucket: "b" },
  cos: { bucket: "b" },
  kubernetes: {},
};
const TYPES = Object.keys(BACKENDS) as BackendType[];

describe("one state for several stacks is refused", () => {
  test.each([
    ["a file", { local: { path: "a.tfstate" } }, "backend.local.path"],
    [
      "a key of S3, whose prefix is for other workspaces",
      { s3: { bucket: "b", key: "k", workspace_key_prefix: "{stack}" } },
      "backend.s3.key",
    ],
    ["an address", { http: { address: "https://example.com" } }, "backend.http.address"],
    ["a schema", { pg: { schema_name: "s" } }, "backend.pg.schema_name"],
    ["a prefix of Google's", { gcs: { bucket: "b", prefix: "p" } }, "backend.gcs.prefix"],
    ["a key of Azure's", { azurerm: { ...REQUIRED.azurerm, key: "k" } }, "backend.azurerm.key"],
    ["a prefix of Alibaba's", { oss: { bucket: "b", prefix: "p", key: "k" } }, "backend.oss.prefix"],
    ["a prefix of Tencent's", { cos: { bucket: "b", prefix: "p" } }, "backend.cos.prefix"],
    ["a suffix", { kubernetes: { secret_suffix: "s" } }, "backend.kubernetes.secret_suffix"],
    ["a workspace", { cloud: { organization: "o", workspaces: { name: "w" } } }, "backend.cloud.workspaces.name"],
  ])("%s", (_, entry, path) => {
    expect(
      backendProblems(entry as never, ["c", "c-a"]).map((problem) => `${problem.code} ${problem.path.join(".")}`),
    ).toEqual([`shared-state ${path}`]);
    expect(backendProblems(entry as never, ["c"])).toEqual([]);
  });
});

test.each([undefined, ...TYPES])("what is left out is the stack's own: %s", (type) => {
  const entry = type === undefined ? undefined : ({ [type]: REQUIRED[type] } as never);
  expect(backendProblems(entry, ["c", "c-a"])).toEqual([]);
  expect(JSON.stringify(backendOf(entry, "c"))).not.toBe(JSON.stringify(backendOf(entry, "c-a")));
});

test("one of several arguments may have the stack's name, and then no other gets a default", () => {
  const entry = { cos: { bucket: "b", key: "{stack}.json" } };
  expect(backendProblems(entry, ["c", "c-a"])).toEqual([]);
  expect(backendOf(entry, "c").arguments).toEqual({ bucket: "b", key: "c.json" });
});

test.each(TYPES)("each secret argument of %s is refused, with the variable that it belongs in", (type) => {
  for (const [argument, variable] of Object.entries(BACKENDS[type].secrets)) {
    const entry = { [type]: { ...REQUIRED[type], [argument]: "x" } } as never;
    expect(backendProblems(entry, ["c"])).toMatchObject([
      { code: "secret-in-config", path: ["backend", type, argument], hint: expect.stringContaining(variable) },
    ]);
  }
});

test("two backends are refused", () => {
  expect(backendProblems({ local: {}, pg: {} }, ["c"])).toMatchObject([
    { code: "invalid-value", message: "2 backends instead of one" },
  ]);
});

test.each([
  ["s3", { bucket: "b", access_key: "x" }, "AWS_ACCESS_KEY_ID"],
  ["http", { address: "a", password: "x" }, "TF_HTTP_PASSWORD"],
  ["pg", { conn_str: "postgres://u:p@h" }, "PG_CONN_STR"],
  ["cloud", { organization: "o", token: "x" }, "TF_TOKEN_"],
])("a secret of %s is refused, with the variable that it belongs in", (type, args, variable) => {
  expect(backendProblems({ [type]: args } as never, ["c"])).toMatchObject([
    { code: "secret-in-config", hint: expect.stringContaining(variable) },
  ]);
});

test.each([
  [
    "in a nested mapping",
    { s3: { bucket: "b", assume_role_with_web_identity: { web_identity_token: "x" } } },
    "assume_role_with_web_identity.web_identity_token",
  ],
  ["in a URL", { http: { address: "https://u:p@example.com" } }, "address"],
])("a secret %s is refused", (_, entry, path) => {
  expect(
    backendProblems(entry as never, ["c"]).map((problem) => `${problem.code} ${problem.path.slice(2).join(".")}`),
  ).toEqual([`secret-in-config ${path}`]);
});
