import { backendOf, backendProblems } from "../../../cluster/resolve/state-backend";

describe("one state for several stacks is refused", () => {
  test.each([
    ["a file", { local: { path: "a.tfstate" } }, "backend.local.path"],
    ["a key of S3", { s3: { bucket: "b", key: "k" } }, "backend.s3.key"],
    ["an address", { http: { address: "https://example.com" } }, "backend.http.address"],
    ["a schema", { pg: { schema_name: "s" } }, "backend.pg.schema_name"],
    ["a workspace", { cloud: { organization: "o", workspaces: { name: "w" } } }, "backend.cloud.workspaces.name"],
  ])("%s", (_, entry, path) => {
    expect(backendProblems(entry, ["c", "c-a"]).map((problem) => `${problem.code} ${problem.path.join(".")}`)).toEqual([
      `shared-state ${path}`,
    ]);
    expect(backendProblems(entry, ["c"])).toEqual([]);
  });
});

test("what is left out is the stack's own", () => {
  for (const entry of [
    undefined,
    { local: {} },
    { s3: { bucket: "b" } },
    { pg: {} },
    { cloud: { organization: "o" } },
  ]) {
    expect(backendProblems(entry, ["c", "c-a"])).toEqual([]);
    expect(JSON.stringify(backendOf(entry, "c"))).not.toBe(JSON.stringify(backendOf(entry, "c-a")));
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
