import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostConfiguration, tokenVariable } from "../../../ops/terraform/credentials";
import { folder } from "../../cluster-files";

const HOST = "tfe.my-company.com";
const named = (text: string): NodeJS.ProcessEnv => {
  const file = join(folder(), "terraform.rc");
  writeFileSync(file, text);
  return { TF_CLI_CONFIG_FILE: file };
};

test("the variable of a host has two underscores for a hyphen", () => {
  expect(tokenVariable(HOST)).toBe("TF_TOKEN_tfe_my__company_com");
  expect(hostConfiguration(HOST, { ...named(""), [tokenVariable(HOST)]: "t" })).toEqual({ token: "t" });
});

test.each([
  ["a block", `credentials "${HOST}" {\n  token = "t"\n}`],
  [
    "a block on a line, behind another host's",
    `credentials "a.b" { token = "x" }\ncredentials "${HOST}" { token = "t" }`,
  ],
  ["JSON", JSON.stringify({ credentials: { [HOST]: { token: "t" } } })],
])("the token is read from %s", (_, text) => {
  expect(hostConfiguration(HOST, named(text)).token).toBe("t");
});

test.each([
  ["another host", 'credentials "other" { token = "t" }'],
  ["a comment", `# credentials "${HOST}" { token = "t" }`],
  ["a similar name", 'credentials "tfeXmy-company.com" { token = "t" }'],
])("no token is read from %s", (_, text) => {
  expect(hostConfiguration(HOST, named(text)).token).toBeUndefined();
});

test("a variable wins over a file, and the file that a variable names is the only one", () => {
  const home = folder();
  mkdirSync(join(home, ".terraform.d"));
  writeFileSync(
    join(home, ".terraform.d/credentials.tfrc.json"),
    JSON.stringify({ credentials: { [HOST]: { token: "login" } } }),
  );
  const env = { HOME: home };
  expect(hostConfiguration(HOST, env).token).toBe("login");
  expect(hostConfiguration(HOST, { ...env, [tokenVariable(HOST)]: "variable" }).token).toBe("variable");
  expect(hostConfiguration(HOST, { ...env, ...named("") }).token).toBeUndefined();
});

test("a host block has the API's address", () => {
  const text = `host "${HOST}" {\n  services = {\n    "tfe.v2" = "https://api.example/v2/"\n  }\n}`;
  expect(hostConfiguration(HOST, named(text)).api).toBe("https://api.example/v2/");
});
