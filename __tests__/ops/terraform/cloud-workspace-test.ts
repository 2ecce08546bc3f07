import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { selfSigned } from "../../../e2e/state-servers/certificate";
import { CloudServer, storedIn } from "../../../e2e/state-servers/cloud";
import { ensureWorkspace } from "../../../ops/terraform/cloud-workspace";
import { folder } from "../../cluster-files";

const root = folder();
const SSL_CERT_FILE = join(root, "cert.pem");
let server: CloudServer;
let hostname: string;

beforeAll(async () => {
  const certificate = await selfSigned("localhost");
  writeFileSync(SSL_CERT_FILE, certificate.cert);
  server = new CloudServer({ folder: root, certificate, token: "good", organization: "acme" });
  hostname = `localhost:${await server.listen(0, "127.0.0.1")}`;
});
afterAll(() => server.close());

/** The environment with a configuration of Terraform's. */
function configured(text: string, env: Record<string, string> = {}): NodeJS.ProcessEnv {
  const file = join(folder(), "terraform.rc");
  writeFileSync(file, text);
  return { SSL_CERT_FILE, TF_CLI_CONFIG_FILE: file, ...env };
}
const withToken = (token: string) => configured(`credentials "${hostname}" {\n  token = "${token}"\n}\n`);
const block = (name: string) => ({ hostname, organization: "acme", workspaces: { name } });
const requests = (): string[] => readFileSync(join(root, "requests.log"), "utf8").trim().split("\n");

test("a workspace that is missing is created with local execution", async () => {
  await ensureWorkspace(block("c"), withToken("good"));
  expect(storedIn(root)).toMatchObject([{ name: "c", mode: "local" }]);
});

test("one that exists is asked for once, and stays as it is", async () => {
  const before = requests().length;
  await Promise.all([ensureWorkspace(block("c"), withToken("good")), ensureWorkspace(block("c"), withToken("good"))]);
  expect(requests()).toHaveLength(before);
  expect(storedIn(root)).toHaveLength(1);
});

test("its project is created if it is missing", async () => {
  const cloud = { hostname, organization: "acme", workspaces: { name: "p", project: "consul" } };
  await expect(ensureWorkspace(cloud, withToken("good"))).rejects.toThrow(
    "has no organizations/acme/projects, or its token may not create there",
  );
  expect(requests().slice(-3)).toEqual([
    "GET /api/v2/organizations/acme/workspaces/p 404",
    "GET /api/v2/organizations/acme/projects 200",
    "POST /api/v2/organizations/acme/projects 404",
  ]);
});

test("without a token, the error names its variable", async () => {
  const cloud = { hostname: "tfe.my-company.com", organization: "acme", workspaces: { name: "c" } };
  await expect(ensureWorkspace(cloud, configured(""))).rejects.toThrow(
    /^there is no token for tfe\.my-company\.com.*\n.*TF_TOKEN_tfe_my__company_com.*terraform login tfe\.my-company\.com/,
  );
});

test("a wrong token is named as such", async () => {
  await expect(ensureWorkspace(block("w"), withToken("wrong"))).rejects.toThrow(
    /acme\/w cannot be checked: localhost:\d+ rejects the token\n.*hint: /,
  );
});

test("a certificate that is not trusted is named, and behind a proxy Terraform itself connects", async () => {
  const untrusting = (env: Record<string, string>) => {
    const { SSL_CERT_FILE: _, ...rest } = { ...withToken("good"), ...env };
    return rest;
  };
  await expect(ensureWorkspace(block("u"), untrusting({}))).rejects.toThrow(/is unreachable: self-signed certificate/);
  await expect(ensureWorkspace(block("v"), untrusting({ HTTPS_PROXY: "http://proxy:3128" }))).resolves.toBeUndefined();
});
