import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { clusterFile, FOUR_HOSTS, folder, PROJECT } from "../../cluster-files";
import { type Ended, run as runInProcess } from "../../command-line";
import { ContainerStandIn } from "../../rollout/container-stand-in";
import { ClusterSecrets, daysAgo } from "../secrets/cluster-secrets";

/** Runs a command in this process. */
const run = (name: string, cluster: string, args: readonly string[], env: Record<string, string> = {}) =>
  runInProcess([name, ...args], { env: { CLUSTER: cluster, ...env } });

/** Runs a command in a process of its own. */
function runAlone(name: string, cluster: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--require", "./typescript.cjs", "ops/main.ts", name, ...args],
      { cwd: PROJECT, env: { ...process.env, CLUSTER: cluster }, timeout: 25_000, killSignal: "SIGKILL" },
      (error, stdout, stderr) => resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

const stored = new ClusterSecrets();
const file = stored.file();
const secrets = (...args: string[]) => run("secrets", file, args);
/** Every secret of the folder, as it may turn up somewhere. */
const every = (): string[] => [
  stored.read("gossip.key").trim(),
  ...Object.values<string>(stored.json("tokens.json").current),
  ...Object.values<string[]>(stored.json("tokens.json").retiring).flat(),
  ...["ca-key.pem", "agents/s1/key.pem", "operator/key.pem"].map((key) => stored.read(key).split("\n")[1] as string),
];

test("the check of secrets before a deploy does not load the modules that issue certificates", async () => {
  const program =
    'require("./ops/secrets/check"); require("./ops/secrets/initialize"); console.log(Object.keys(require.cache).filter((file) => /peculiar|certificates/.test(file)).length)';
  const said = await new Promise((resolve) =>
    execFile(process.execPath, ["--require", "./typescript.cjs", "-e", program], { cwd: PROJECT }, (_, stdout) =>
      resolve(stdout),
    ),
  );
  expect(said).toBe("0\n");
}, 60_000);

describe("npm run secrets", () => {
  test("lists its subcommands, and suggests one that was misspelt", async () => {
    expect(await secrets()).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining("Usage: npm run secrets -- COMMAND"),
    });
    expect((await secrets("chekc")).stderr).toContain("unknown command 'chekc'\n(Did you mean check?)");
    expect((await secrets("rotate", "gosip")).stderr).toContain("unknown command 'gosip'\n(Did you mean gossip?)");
    expect((await secrets("check", "--ca", "x")).stderr).toContain("unknown option '--ca'");
    expect((await secrets("init", "s1")).stderr).toContain("too many arguments for 'init'");
  });

  test("of a cluster with `security: off` is an error: it has none", async () => {
    const plain = clusterFile(FOUR_HOSTS);
    expect(await run("secrets", plain, ["init"])).toMatchObject({
      status: 1,
      stderr: `secrets: ${plain} has \`security: off\`: the cluster has no secrets\n`,
    });
  }, 60_000);

  test.each(["/proc/secrets", "/proc/secrets/c"])(
    "creates nothing in %s, where nothing can be created, and reports that",
    async (path) => {
      const there = clusterFile(FOUR_HOSTS.replace("security: off", `security: { secrets: ${path} }`));
      expect(await run("secrets", there, ["init"])).toEqual({
        status: 1,
        stdout: "",
        stderr:
          "secrets: /proc/secrets: error secrets-folder-unusable: cannot be made: ENOENT\n    hint: name a folder that this user can make: `private_folder: FOLDER`, or `security: { secrets: FOLDER }`\n",
      });
    },
    60_000,
  );

  test("prints secrets only by show and export; results go to standard output, the next step to standard error", async () => {
    const init = await secrets("init");
    expect(init).toMatchObject({ status: 0, stderr: "next: npm run deploy\n" });
    const outputs = [init];
    for (const words of [
      "init",
      "init --json",
      "check",
      "check --json",
      "show",
      "show --json",
      "rotate gossip",
      "rotate ca",
      "rotate certificates --json",
    ])
      outputs.push(await secrets(...words.split(" ")));
    outputs.push(await secrets("rotate", "tokens"), await secrets("revoke"), await secrets("clean"));
    expect(outputs.map(({ status }) => status)).toEqual(outputs.map(() => 0));
    const said = outputs.map(({ stdout, stderr }) => stdout + stderr).join("\n");
    for (const secret of every()) expect(said).not.toContain(secret);
    for (const output of [outputs[2], outputs[4], outputs[6]])
      expect(JSON.parse(output?.stdout ?? "")).toMatchObject({ file, folder: stored.path });

    const { dns } = stored.json("tokens.json").current;
    expect(await secrets("show", "dns")).toEqual({ status: 0, stdout: `${dns}\n`, stderr: "" });
    expect(JSON.parse((await secrets("show", "gossip", "--json")).stdout)).toEqual({
      name: "gossip",
      secret: stored.read("gossip.key").trim(),
    });
    const unknown = await secrets("show", "dsn");
    expect(unknown).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining("there is no token dsn; there are agent:c1, "),
    });
    for (const secret of every()) expect(unknown.stderr).not.toContain(secret);
  }, 180_000);

  test("prints the next step only if nothing has to be fixed first", async () => {
    const there = new ClusterSecrets().copy(stored);
    chmodSync(join(there.path, "gossip.key"), 0o644);
    expect(await run("secrets", there.file(), ["init"])).toMatchObject({
      status: 1,
      stderr: `${there.path}/gossip.key: error secrets-permissions: other users can read or write it\n    hint: chmod -R go= ${there.path}/; if others may have read it, rotate its secrets\n`,
    });
  }, 60_000);

  test("two at the same time do not mix their results", async () => {
    const there = new ClusterSecrets();
    const elsewhere = there.file();
    const both = await Promise.all([1, 2, 3].map(() => runAlone("secrets", elsewhere, ["init"])));
    expect(both.map(({ status }) => status)).toContain(0);
    for (const { status, stderr } of both)
      if (status !== 0) expect(stderr).toContain("another run of secrets is in progress, process ");
    expect(there.found()).toEqual([]);
  }, 60_000);

  describe("cleans an import although the cluster file has an error:", () => {
    test.each<[string, (text: string) => string]>([
      ["an agent's host is not there", (text) => `${text.replace("clients: [c1]", "clients: [c9]")}`],
      ["a key that there is not", (text) => `${text}strange: 1\n`],
      ["no YAML", (text) => `${text}clients: [c1, {\n`],
    ])(
      "%s",
      async (_, spoil) => {
        const there = new ClusterSecrets();
        expect((await run("secrets", there.file(), ["import", "--from", stored.path])).status).toBe(0);
        const target = realpathSync(there.path);
        const spoilt = clusterFile(there.written(spoil));
        expect((await run("secrets", spoilt, ["check"])).status).toBe(1);
        expect(await run("secrets", spoilt, ["clean"])).toEqual({
          status: 0,
          stdout: `removed  ${there.path}, and the folder that it was a link to\n`,
          stderr: "",
        });
        expect([existsSync(there.path), existsSync(target)]).toEqual([false, false]);
      },
      60_000,
    );
    test.each<[string, (text: string) => string]>([
      ["but for one in its name", (text) => text.replace("name: c", "name: C!")],
      ["but for one that is empty", () => ""],
    ])(
      "%s, when it names what to remove by hand",
      async (_, spoil) => {
        const spoilt = clusterFile(stored.written(spoil));
        const { status, stderr } = await run("secrets", spoilt, ["clean"]);
        expect([status, stderr]).toEqual([
          1,
          expect.stringMatching(/^secrets: what an import created is not known .*\n.* remove the link by hand, /),
        ]);
        expect(stderr).toMatch(new RegExp(`^${spoilt}:1:\\d+: error `, "m"));
      },
      60_000,
    );
  });

  test("a pipeline exports on one machine, imports on another, and cleans", async () => {
    const exported = await secrets("export");
    expect(exported).toMatchObject({ status: 0, stderr: "" });
    const there = new ClusterSecrets();
    const elsewhere = there.file();
    expect(await run("secrets", elsewhere, ["import"], { CONSUL_SECRETS: exported.stdout })).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("npm run secrets -- clean"),
    });
    expect(await run("secrets", elsewhere, ["check"])).toMatchObject({
      status: 0,
      stdout: `${there.path}: nothing is wrong\n`,
    });
    expect(readFileSync(join(there.path, "gossip.key"), "utf8")).toBe(stored.read("gossip.key"));
    await run("secrets", elsewhere, ["clean"]);
    expect(existsSync(there.path)).toBe(false);
  }, 60_000);

  describe("with a private folder", () => {
    const PRIVATE = FOUR_HOSTS.replace("security: off\n", "private_folder: ../c-private\n");
    let project: string;
    beforeEach(() => {
      project = join(folder(), "project");
      mkdirSync(join(project, ".git"), { recursive: true });
      writeFileSync(join(project, "cluster.yaml"), PRIVATE);
    });
    const here = (...args: string[]) =>
      runInProcess(["secrets", ...args], { cwd: project, env: { CLUSTER: "cluster.yaml" } });

    test("secrets are made beside the project, for this user alone, and git clean does not reach them", async () => {
      const { status, stderr } = await here("init");
      expect([status, stderr]).toEqual([0, "next: npm run deploy\n"]);
      for (const made of ["", "secrets", "secrets/c"])
        expect(statSync(join(project, "../c-private", made)).mode & 0o777).toBe(0o700);
      expect(readdirSync(project).sort()).toEqual([".git", "cluster.yaml"]);
    }, 60_000);

    test("of two checkouts side by side, the second cannot replace or clean what the first has imported", async () => {
      const second = join(project, "../second");
      mkdirSync(second);
      writeFileSync(join(second, "cluster.yaml"), PRIVATE);
      const there = (...args: string[]) =>
        runInProcess(["secrets", ...args], { cwd: second, env: { CLUSTER: "cluster.yaml" } });
      expect((await here("import", "--from", stored.path)).status).toBe(0);
      for (const args of [["import", "--from", stored.path], ["clean"]])
        expect(await there(...args)).toMatchObject({
          status: 1,
          stderr: expect.stringContaining(`secrets-locked: is an import for the checkout ${project}, `),
        });
      expect((await here("check")).status).toBe(0);
      expect((await here("clean")).status).toBe(0);
      expect((await there("import", "--from", stored.path)).status).toBe(0);
      // The second checkout is thrown away, with its job.
      rmSync(second, { recursive: true });
      expect((await here("import", "--from", stored.path)).status).toBe(0);
      expect((await here("clean")).status).toBe(0);
    }, 60_000);

    test("without it, the first init warns of what git clean would remove, and the next one does not", async () => {
      writeFileSync(join(project, "cluster.yaml"), PRIVATE.replace("private_folder: ../c-private\n", ""));
      const { status, stderr } = await here("init");
      expect(stderr).toContain(
        `cluster.yaml:1:7: warning files-in-checkout: secrets/c is in the git checkout ${project},`,
      );
      expect(stderr).toContain("write private_folder: ../project-private,");
      expect([status, (await here("init")).stderr]).toEqual([0, "next: npm run deploy\n"]);
    }, 60_000);

    test.each<[string, (text: string) => string]>([
      ["", (text) => text],
      [", although the cluster file has an error", (text) => `${text}strange: 1\n`],
    ])(
      "a pipeline imports them there, and cleans%s",
      async (_, spoil) => {
        expect((await here("import", "--from", stored.path)).status).toBe(0);
        const target = realpathSync(join(project, "../c-private/secrets/c"));
        expect(target).not.toContain(project);
        expect((await here("check")).status).toBe(0);
        writeFileSync(join(project, "cluster.yaml"), spoil(PRIVATE));
        expect(await here("clean")).toMatchObject({
          status: 0,
          stdout: "removed  ../c-private/secrets/c, and the folder that it was a link to\n",
        });
        expect([existsSync(target), readdirSync(join(project, "../c-private/secrets"))]).toEqual([false, []]);
      },
      60_000,
    );
  });

  describe("rotate --due", () => {
    const renew = (of: ClusterSecrets, ...args: string[]) => run("secrets", of.file(), ["rotate", ...args]);
    const madeAgo = async (days: number) => {
      const old = new ClusterSecrets();
      await old.init(daysAgo(days));
      return old;
    };
    let fresh: ClusterSecrets;
    beforeAll(async () => {
      fresh = await madeAgo(300);
    });

    test("ends with 0 if nothing is due, and prints what it did as JSON too", async () => {
      expect(await renew(fresh, "--due", "30d")).toEqual({
        status: 0,
        stdout: expect.stringContaining(`${fresh.path}: nothing to do\n`),
        stderr: "",
      });
      const { status, stdout } = await renew(fresh, "--due", "720h", "--json");
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ made: [], removed: [], needed: [], waiting: [] });
    });

    test("renews, and names the deploy that has to follow", async () => {
      const old = await madeAgo(340);
      const { status, stdout, stderr } = await renew(old, "--due", "30d");
      expect([status, stderr]).toEqual([0, "next: npm run deploy\n"]);
      expect(stdout).toMatch(/^created {2}agents\/s1\/cert\.pem, key\.pem: issued, until /m);
      expect(old.found()).toEqual([]);
    });

    test("waits with certificates until agents have a new CA, and is no failure of a nightly job", async () => {
      const old = await madeAgo(3640);
      await old.init(daysAgo(20));
      expect((await renew(old, "--due", "30d")).stdout).toMatch(/^created {2}ca\.pem, ca-key\.pem: a new CA in front/m);
      const standIn = new ContainerStandIn();
      standIn.program("docker", "#!/bin/sh\necho 'no route to host' >&2; exit 1");
      const { status, stdout, stderr } = await run("secrets", old.file(), ["rotate", "--due", "30d"], {
        PATH: standIn.path,
      });
      expect(status).toBe(0);
      expect(stdout).toMatch(/^waiting {2}s3: no route to host$/m);
      expect(stderr).toMatch(/^next: npm run deploy; then repeat this/);
    });

    test("ends with 1 if certificates have to be issued elsewhere", async () => {
      const old = await madeAgo(340);
      rmSync(join(old.path, "ca-key.pem"));
      const { status, stderr } = await renew(old, "--due", "30d");
      expect(status).toBe(1);
      expect(stderr).toContain("npm run secrets -- rotate certificates s1 s2 s3 operator --certificates FOLDER");
    });

    test.each([
      ["30", "It must be days or hours, such as 30d or 12h."],
      ["0d", "It must be days or hours"],
      ["301d", "It must be 300d at most"],
    ])("rejects the period %s", async (period, reason) => {
      expect(await renew(fresh, "--due", period)).toMatchObject({ status: 1, stderr: expect.stringContaining(reason) });
    });

    test("or a subcommand is needed: without one there is the help", async () => {
      expect(await renew(fresh)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("npm run secrets -- rotate COMMAND | --due PERIOD [options]"),
      });
    });
  });

  test("recover changes nothing while a container cannot be read, and names the option that leaves its host out", async () => {
    const there = new ClusterSecrets();
    const standIn = new ContainerStandIn();
    standIn.program("docker", "#!/bin/sh\necho 'no route to host' >&2; exit 1");
    const recover = (...args: string[]) => run("secrets", there.file(), ["recover", ...args], { PATH: standIn.path });
    expect(await recover()).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /s1 on s1: no route to host\n(.*\n)* {2}bring the host back, or leave it out: --without HOST/,
      ),
    });
    expect((await recover("--without", "s*")).stderr).toContain("reading the secrets of 1 container\n");
    expect((await recover("--without", "s9")).stderr).toContain("s9");
    expect(existsSync(there.path)).toBe(false);
  }, 60_000);

  test("check --detailed-exitcode tells a warning from an error and from nothing", async () => {
    const other = new ClusterSecrets();
    await other.init();
    const check = async () => (await run("secrets", other.file(), ["check", "--detailed-exitcode"])).status;
    expect(await check()).toBe(0);
    other.secrets.write("agents/unknown/cert.pem", "a certificate\n");
    expect(await check()).toBe(2);
    other.change("gossip.key", () => "no key\n");
    expect(await check()).toBe(1);
  }, 60_000);

  test.each(["deploy", "diff"])(
    "%s rejects a key that other users can read, before it synthesizes; check reports the same",
    async (name) => {
      const key = join(stored.path, "agents/s1/key.pem");
      chmodSync(key, 0o644);
      const refused = await run(name, file, []);
      const checked = await secrets("check");
      chmodSync(key, 0o600);
      expect(checked.status).toBe(1);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain(checked.stdout);
      expect(refused.stderr).toContain(
        `${key}: error secrets-permissions: other users can read or write it\n    hint: chmod -R go= ${stored.path}/`,
      );
      expect(refused.stderr).not.toContain("inspecting");
    },
    60_000,
  );
});
