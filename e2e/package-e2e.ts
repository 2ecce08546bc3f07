import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHECKOUT } from "../package/checkout";
import { OrdinaryUser } from "./ordinary-user";
import type { CommandOptions } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";
import { CONSUL_VERSIONS } from "./test-bed/world";

const SERVERS = {
  "consul-server1": "172.16.8.120",
  "consul-server2": "172.16.8.121",
  "consul-server3": "172.16.8.122",
} as const;
const [NEWEST = "", FORMER = ""] = CONSUL_VERSIONS;
const CLIENT = ["--client", "consul-client1=172.16.8.110"] as const;
/** `CDKTN=1`, of `npm run test:cdktn -- --live`: with CDK Terrain, and with Node 22 from an npm package, whose script downloads it. */
const { CDKTN } = process.env;
const INIT = CDKTN ? ["--cdktn"] : [];
const INSTALL = CDKTN ? ["node@22"] : ["--ignore-scripts"];
/** The line above the locations that a first deploy prints. */
const FIRST_DEPLOY = "The first deploy is done. Keep copies of these, but not in the repository:";
const CLI = CDKTN ? "cdktn" : "cdktf";

/** A stack of one's own. */
const LIBRARY = `import { App, TerraformStack } from "cdktf";
import { ConsulClient, ConsulServer, DockerHost } from "consul-cdktf";
import { Testing } from "consul-cdktf/testing";

const stack = new TerraformStack(new App(), "mine");
const hostAt = (name: string, address: string) =>
  new DockerHost(stack, name, { address, daemon: { url: \`ssh://root@\${address}\` } });
const server = new ConsulServer(stack, "consul-server1", { host: hostAt("host1", "10.0.0.11"), bootstrapExpect: 1 });
const client = new ConsulClient(stack, "consul-client1", { host: hostAt("host2", "10.0.0.21") });
client.addJoin(server);
export const { resource } = Testing.synth(stack);
`;

/** The same in JavaScript. */
const LIBRARY_IN_JAVASCRIPT = LIBRARY.replace(/: string/g, "").replace(
  "export const { resource }",
  "const { resource }",
);
const PRINTED = "console.log(Object.keys(resource.docker_container).join());\n";

describe("the npm package, installed in an empty folder whose path has a space", () => {
  const testBed = TestBed.standing();
  const root = mkdtempSync(join(tmpdir(), "consul-cdktf-e2e-"));
  const folder = join(root, "my cluster");
  let tarball = "";
  let user: OrdinaryUser;

  /** On this machine: the operator's has no network but the test bed's. The project's own Node comes first, if it has one. */
  const here = (program: string, ...args: string[]) => {
    const env = { ...process.env, PATH: `${join(folder, "node_modules/.bin")}:${process.env.PATH}` };
    return execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env });
  };
  const npm = (args: readonly string[], options: CommandOptions = {}) =>
    user.run("npm", ["run", "-s", ...args], { cwd: folder, timeoutMs: 240_000, ...options });
  const edit = (change: (text: string) => string) => {
    const file = join(folder, "cluster.yaml");
    writeFileSync(file, change(readFileSync(file, "utf8")));
  };
  const started = async () => {
    const times = Object.keys(SERVERS).map(async (name) => {
      const { stdout } = await testBed.host(name).docker("inspect", "-f", "{{.State.StartedAt}}", name);
      return [name, stdout.trim()];
    });
    return Object.fromEntries(await Promise.all(times)) as Record<string, string>;
  };

  beforeAll(async () => {
    chmodSync(root, 0o755);
    mkdirSync(folder);
    user = await OrdinaryUser.at(testBed.operator, join(root, "home"));
    await testBed.reset();
  });
  afterAll(async () => {
    await testBed.reset();
    rmSync(root, { recursive: true, force: true });
  });

  test("is less than a megabyte, and has neither tests nor sources", () => {
    const packed = execFileSync("npm", ["pack", "--silent", "--json", "--pack-destination", root], {
      cwd: CHECKOUT,
      encoding: "utf8",
    });
    const [{ filename, files }] = JSON.parse(packed.slice(packed.indexOf("["))) as [
      { filename: string; files: { path: string }[] },
    ];
    tarball = join(root, filename);
    expect(statSync(tarball).size).toBeLessThan(1_000_000);
    const isPipeline = (path: string) => /^dist\/ops\/project\/pipeline\/\w+\.yml$/.test(path);
    const isOther = ({ path }: { path: string }) =>
      !/^(package\.json|LICENSE|[\w.-]+\.md)$|^dist\/.*\.(js|cjs|d\.ts|sh|json)$/.test(path) && !isPipeline(path);
    expect(files.filter(isOther)).toEqual([]);
    expect(files.map(({ path }) => path).filter((path) => /test|e2e|bench/.test(path))).toEqual([
      "dist/constructs/testing.d.ts",
      "dist/constructs/testing.js",
      "dist/ops/backups/test-restore.sh",
    ]);
  });

  test("makes a project, whose program has no type errors, nor has one with a stack of its own", () => {
    const servers = Object.entries(SERVERS).flatMap(([name, address]) => ["--server", `${name}=${address}`]);
    here("npx", "--yes", "--package", tarball, "consul-cdktf", "init", ".", ...servers, ...CLIENT, ...INIT);
    here("npm", "install", "--no-audit", "--no-fund", ...INSTALL, tarball);
    writeFileSync(join(folder, "library.ts"), LIBRARY);
    here("npx", "tsc", "--skipLibCheck", "false");
    expect(readdirSync(folder)).toContain("cluster.yaml");
  });

  test("is used from JavaScript, by ES modules and by require", () => {
    const required = LIBRARY_IN_JAVASCRIPT.replace(/^import (.*) from (.*);$/gm, "const $1 = require($2);");
    for (const [file, text] of Object.entries({ "library.mjs": LIBRARY_IN_JAVASCRIPT, "library.cjs": required })) {
      writeFileSync(join(folder, file), text + PRINTED);
      expect(here("node", file)).toBe("consul-client1,consul-server1\n");
    }
  });

  test("deploys a secured cluster, by a user who is not root, and then prints where its secrets and state are", async () => {
    edit((text) => text.replace(NEWEST, FORMER));
    // The private folder is beside the project.
    await user.own(root);
    await npm(["secrets", "--", "init"]);
    const { stderr } = await npm(["deploy", "--", "--auto-approve"]);
    const [, ...locations] = stderr
      .slice(Math.max(stderr.indexOf(FIRST_DEPLOY), 0))
      .trimEnd()
      .split("\n");
    const places = locations.map((line) => line.trim().split(/ {3,}/));
    expect(places.map(([, what]) => what)).toEqual([
      "secrets: no copy of the CA's key; containers have the rest",
      "Terraform state: no copy; npm run adopt writes it from the containers",
      "snapshots: no copy, and none until npm run backup",
    ]);
    expect(places.map(([where = ""]) => existsSync(join(folder, where)))).toEqual([true, true, false]);
    const { stdout } = await npm(["status"]);
    expect(stdout).toMatch(/^leader +consul-server[123]/m);
  });

  test("is upgraded as any other dependency, which touches no container", async () => {
    const next = join(root, "next");
    mkdirSync(next);
    execFileSync("tar", ["-xzf", tarball, "-C", next]);
    for (const description of ["package/package.json", "package/dist/package.json"].map((file) => join(next, file)))
      writeFileSync(
        description,
        readFileSync(description, "utf8").replace(/"version": "[^"]+"/, '"version": "99.0.0"'),
      );
    execFileSync("tar", ["-czf", `${next}.tgz`, "-C", next, "package"]);
    here("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", `${next}.tgz`);
    await user.own(folder);
    expect((await user.run("npx", ["consul-cdktf", "--version"], { cwd: folder })).stdout).toBe("99.0.0\n");
    expect((await npm(["diff", "--", "--detailed-exitcode"])).stdout).toContain("nothing to do");
  });

  test("upgrades Consul one server at a time, and then has nothing to do", async () => {
    const before = await started();
    edit((text) => text.replace(FORMER, NEWEST));
    const { stdout, stderr } = await npm(["deploy", "--", "--auto-approve"]);
    expect(stderr).not.toContain(FIRST_DEPLOY);
    for (const name of Object.keys(SERVERS)) {
      expect(stdout).toContain(`${name}: stop allowed: 2 of 3 voters are healthy without it`);
      expect((await started())[name]).not.toBe(before[name]);
    }
    expect((await npm(["diff", "--", "--detailed-exitcode"])).stdout).toContain("nothing to do");
    const { stdout: plan } = await user.run("npx", [CLI, "diff"], { cwd: folder, timeoutMs: 240_000 });
    expect(plan).toContain("No changes.");
  });

  test("removes it", async () => {
    await npm(["destroy", "--", "--auto-approve"], { env: { CONSUL_ALLOW_QUORUM_LOSS: "yes" } });
    const { stdout } = await testBed.host("consul-server1").docker("ps", "-aq");
    expect(stdout.trim()).toBe("");
  });
});
