import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadCluster } from "../../../cluster/file/load";
import { createProgram } from "../../../ops/command-line/program";
import { Terminal } from "../../../ops/terminal/terminal";
import { folder } from "../../cluster-files";
import { run } from "../../command-line";

const SERVERS = [1, 2, 3].flatMap((number) => ["--server", `consul-server${number}=10.0.0.1${number}`]);
const init = (cwd: string, ...words: string[]) => run(["init", ...words], { cwd });

test("a project has a cluster file of its own, which has no errors", async () => {
  const cwd = folder();
  const { status, stdout, stderr } = await init(
    cwd,
    "mine",
    ...SERVERS,
    "--client",
    "consul-client1=10.0.0.21",
    "--name",
    "payments",
  );
  expect([status, stderr]).toEqual([0, ""]);
  const files = ["cluster.yaml", "main.ts", "cdktf.json", "package.json", "tsconfig.json", ".gitignore"];
  expect(readdirSync(join(cwd, "mine")).sort()).toEqual([...files].sort());
  for (const line of [...files, "cd mine", "npm install", "npm run deploy"]) expect(stdout).toContain(line);
  for (const path of ["secrets/payments", "terraform.payments.tfstate", "backups/payments"])
    expect(stdout).toMatch(
      new RegExp(`^ {2}../mine-private/${path} .*: no copy(, and none until npm run backup)?$`, "m"),
    );
  const cluster = loadCluster(join(cwd, "mine/cluster.yaml"));
  expect(cluster).toMatchObject({ name: "payments", stage: "strict", privateFolder: "../mine-private", warnings: [] });
  expect(cluster.agents.map(({ name, role, host }) => [name, role, host.address, host.daemon.url])).toEqual([
    ["consul-client1", "client", "10.0.0.21", "ssh://root@10.0.0.21"],
    ["consul-server1", "server", "10.0.0.11", "ssh://root@10.0.0.11"],
    ["consul-server2", "server", "10.0.0.12", "ssh://root@10.0.0.12"],
    ["consul-server3", "server", "10.0.0.13", "ssh://root@10.0.0.13"],
  ]);
});

test("the private folder of a project in a git checkout is beside the checkout", async () => {
  const cwd = join(folder(), "infra");
  mkdirSync(join(cwd, ".git"), { recursive: true });
  const { stdout } = await init(cwd, "clusters/mine", ...SERVERS);
  expect(loadCluster(join(cwd, "clusters/mine/cluster.yaml")).privateFolder).toBe(
    "../../../infra-clusters-mine-private",
  );
  expect(stdout).not.toContain("git clean");
});

test("a private folder that has files already may be another project's", async () => {
  const cwd = folder();
  mkdirSync(join(cwd, "mine-private/secrets"), { recursive: true });
  const { status, stderr } = await init(cwd, "mine", ...SERVERS);
  expect([status, stderr]).toEqual([
    0,
    `${join(cwd, "mine-private")} has files already. If they are another project's, write another folder into cluster.yaml:\n  private_folder: ../mine-private-2\n`,
  ]);
});

test("each command that needs a project is an npm script of it", async () => {
  const cwd = folder();
  await init(cwd, ...SERVERS);
  const { scripts } = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const commands = createProgram({ terminal: new Terminal(), words: [], exitCode: 0 }).subcommands.filter(
    ({ isForEverybody }) => !isForEverybody,
  );
  const { synth: _, typecheck: __, ...ofCommands } = scripts;
  expect(ofCommands).toEqual(
    Object.fromEntries(commands.map((command) => [command.name(), `consul-cdktf ${command.name()}`])),
  );
  expect(JSON.parse(readFileSync(join(cwd, "cdktf.json"), "utf8"))).toMatchObject({
    context: { cluster: "cluster.yaml" },
  });
});

test("--cdktn makes a project with CDK Terrain", async () => {
  const cwd = folder();
  await init(cwd, ...SERVERS, "--cdktn");
  const { dependencies, devDependencies, overrides } = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8"));
  expect(dependencies.cdktf).toMatch(/^npm:cdktn@/);
  expect(Object.keys(devDependencies)).toContain("cdktn-cli");
  expect(Object.keys(devDependencies)).not.toContain("cdktf-cli");
  expect(overrides).toEqual({ cdktf: "$cdktf" });
});

test("a folder with a file of the same name stays as it is", async () => {
  const cwd = folder();
  mkdirSync(join(cwd, "mine"));
  writeFileSync(join(cwd, "mine/main.ts"), "mine");
  const { status, stderr } = await init(cwd, "mine", ...SERVERS);
  expect([status, stderr]).toEqual([1, expect.stringContaining("nothing was written: mine/main.ts exists already")]);
  expect(readdirSync(join(cwd, "mine"))).toEqual(["main.ts"]);
  writeFileSync(join(cwd, "mine/cdktf.json"), "{}");
  expect((await init(cwd, "mine", ...SERVERS)).stderr).toContain("mine/main.ts, mine/cdktf.json exist already");
});

describe("a pipeline", () => {
  const FILES = ["pipeline.sh", ".github/workflows/consul.yml"];

  test("is written into a new project", async () => {
    const cwd = folder();
    const { status, stdout } = await init(cwd, ...SERVERS, "--pipeline", "gitlab");
    expect([status, stdout]).toEqual([0, expect.stringContaining(".gitignore, pipeline.sh, .gitlab-ci.yml")]);
    expect(readdirSync(cwd)).toEqual(expect.arrayContaining(["cluster.yaml", "pipeline.sh", ".gitlab-ci.yml"]));
  });

  test("is added to a project that exists, twice alike", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, "cdktf.json"), "{}");
    const { status, stdout } = await init(cwd, "--pipeline", "github");
    expect([status, stdout]).toEqual([0, expect.stringContaining(`made ${FILES.join(", ")}`)]);
    expect(readdirSync(cwd).sort()).toEqual([".github", "cdktf.json", "pipeline.sh"]);
    expect(await init(cwd, "--pipeline", "github")).toMatchObject({
      status: 0,
      stdout: `nothing to do: ${FILES.join(", ")} exist already\n`,
    });
  });

  test("does not replace a file with another content", async () => {
    const cwd = folder();
    for (const name of ["cdktf.json", "pipeline.sh"]) writeFileSync(join(cwd, name), "mine");
    const { status, stderr } = await init(cwd, "--pipeline", "github");
    expect([status, stderr]).toEqual([1, expect.stringContaining("nothing was written: pipeline.sh exists already")]);
    expect(readdirSync(cwd).sort()).toEqual(["cdktf.json", "pipeline.sh"]);
  });

  test("takes no hosts beside a project", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, "cdktf.json"), "{}");
    const { status, stderr } = await init(cwd, "--pipeline", "github", ...SERVERS);
    expect([status, stderr]).toEqual([1, expect.stringContaining("add hosts to its cluster file")]);
    expect(readdirSync(cwd)).toEqual(["cdktf.json"]);
  });

  test("of a new project is not written over a file, nor is anything else", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, "pipeline.sh"), "mine");
    const { status, stderr } = await init(cwd, ...SERVERS, "--pipeline", "github");
    expect([status, stderr]).toEqual([1, expect.stringContaining("nothing was written: pipeline.sh exists already")]);
    expect(readdirSync(cwd)).toEqual(["pipeline.sh"]);
  });
});

test("a folder's name with a space is in quotes", async () =>
  expect((await init(folder(), "my cluster", ...SERVERS)).stdout).toContain("\n  cd 'my cluster'\n"));

test.each([
  ["a host without an address", ["--server", "consul-server1"], "It must be NAME=ADDRESS"],
  ["a name that Consul does not take", ["--server", "a_b=10.0.0.1"], "cluster.yaml:"],
  ["the same address twice", [...SERVERS, "--client", "consul-client1=10.0.0.11"], "cluster.yaml:"],
  ["nobody to ask", [], "there is no terminal to ask at"],
])("%s: nothing is written", async (_, words, message) => {
  const cwd = folder();
  const { status, stderr } = await init(cwd, "mine", ...words);
  expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
  expect(existsSync(join(cwd, "mine"))).toBe(false);
});
