import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { unzipSync } from "fflate";
import { Background } from "./background";
import { LiveCluster } from "./live-cluster";
import { type CommandResult, start } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const CHECKOUT = resolve(__dirname, "..");

/** All files below a folder, except what is only installed there. */
function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (/^(node_modules|\.git|secrets|providers)$/.test(entry.name)) return [];
    if (entry.isDirectory()) return files(path);
    return entry.isFile() && statSync(path).size < 20_000_000 ? [path] : [];
  });
}

/** The forms that a secret may have in a text: raw, base64 at each of its three alignments, and hex. */
function forms(secret: Buffer): string[] {
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), secret]).toString("base64");
    // The first and last characters depend on the bytes beside it.
    return text.slice(shift === 0 ? 0 : 4, -4);
  });
  const raw = secret.toString("latin1");
  return [...(/^[ -~]+$/.test(raw) ? [raw] : []), ...base64, secret.toString("hex")];
}

describe("no secret is outside the folder of secrets and the containers' own files", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  let secrets: Map<string, string[]>;
  const outputs: [string, string][] = [];
  let processes: { looks: number; seen: Record<string, string> };

  const note = (what: string, { stdout, stderr }: Pick<CommandResult, "stdout" | "stderr">) =>
    outputs.push([what, stdout + stderr]);
  const npm = async (script: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) =>
    note(
      [script, ...args].join(" "),
      await cluster.project.run("npm", ["run", "-s", script, ...(args.length > 0 ? ["--", ...args] : [])], {
        env,
        check: false,
      }),
    );

  /** The names of the secrets that are found in a text. */
  const foundIn = (text: string): string[] =>
    [...secrets].filter(([, forms]) => forms.some((form) => text.includes(form))).map(([name]) => name);

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "searched", {
      security: "on",
      settings: { registrator: "on", backups: { every: "5s" }, metrics: "on" },
    });
    await cluster.secrets("rotate", "tokens");
    secrets = secretsOf(join(cluster.project.folder, "secrets", cluster.file.name));
    const list = join(cluster.project.folder, "secrets", "forms");
    const forms = [...secrets.values()].flat();
    writeFileSync(list, forms.join("\n"), { mode: 0o600 });
    // Outside the test bed's machines, so that it sees the processes of each.
    const peeper = await Background.start<typeof processes>({ spawn: start }, "users/peeper.ts", [list]);
    await npm("synth");
    await npm("diff");
    // Tokens are delivered to running containers, then all containers are recreated.
    cluster.changeAll();
    note(
      "cdktf deploy, with debug logging",
      await cluster.deploy({ env: { TF_LOG: "trace", CDKTF_LOG_LEVEL: "debug" } }),
    );
    await cluster.secrets("rotate", "gossip");
    await npm("deploy", ["--auto-approve"]);
    await cluster.secrets("rotate", "certificates");
    await npm("deploy", ["--auto-approve"]);
    for (const args of [["check"], ["show"], ["init"], ["revoke"]]) await npm("secrets", args);
    await npm("deploy", ["--auto-approve"]);
    await npm("backup", ["--output", "before.snap"]);
    await npm("restore", ["before.snap", "--auto-approve"]);
    await npm("backup", ["--list"]);
    await npm("status");
    await npm("doctor");
    await npm("doctor", ["--json"]);
    await npm("metrics", ["--out", join(cluster.project.folder, "monitoring"), "--clients-ca"]);
    await npm("status", ["--prometheus", join(cluster.project.folder, "monitoring/consul.prom")]);
    for (const [name, forms] of secretsOf(join(cluster.project.folder, "secrets", cluster.file.name)))
      secrets.set(`${name}, rotated`, forms);
    processes = await peeper.stop();
  });
  afterAll(() => cluster.down());

  test("there is something to search for", () => expect(secrets.size).toBeGreaterThan(20));

  test("a planted secret is found, in each form", () => {
    for (const [name, forms] of secrets) {
      for (const form of forms) expect(foundIn(`x ${form} y`)).toContain(name);
    }
  });

  test("not in the output of commands, with debug logging or without", () => {
    expect(outputs.length).toBeGreaterThan(10);
    expect(outputs.find(([what]) => what.includes("debug"))?.[1]).toContain("[TRACE]");
    expect(outputs.flatMap(([what, text]) => foundIn(text).map((name) => `${name} in ${what}`))).toEqual([]);
  });

  test("not in the synthesized JSON, the Terraform state, or any other file of the project's folder", () => {
    const paths = files(cluster.project.folder);
    for (const kind of ["cdk.tf.json", ".tfstate", "prometheus.yml", "dashboard.json", "consul.prom"])
      expect(paths).toContainEqual(expect.stringMatching(new RegExp(`${kind}$`)));
    expect(paths.flatMap((path) => foundIn(readFileSync(path, "latin1")).map((name) => `${name} in ${path}`))).toEqual(
      [],
    );
  });

  test("not in the repository", () => {
    expect(
      files(CHECKOUT).flatMap((path) => foundIn(readFileSync(path, "latin1")).map((name) => `${name} in ${path}`)),
    ).toEqual([]);
  });

  test("not in a plan", async () => {
    cluster.changeAll();
    cluster.write();
    await cluster.project.cdktf(["synth"]);
    const stack = cluster.file.name;
    await cluster.project.terraform(stack, ["plan", "-input=false", "-no-color", "-out=changed.plan"]);
    const { stdout } = await cluster.project.terraform(stack, ["show", "-json", "changed.plan"]);
    expect(stdout).toContain("consul-server1_secrets");
    expect(foundIn(stdout)).toEqual([]);
  });

  test("not in the folder of a saved plan, nor in the archives that plans are", async () => {
    const out = join(cluster.project.folder, "plans");
    await npm("plan", ["--out", out]);
    const paths = files(out);
    const archives = paths.filter((path) => path.endsWith(".plan"));
    expect(paths).toEqual(expect.arrayContaining([join(out, "manifest.json"), ...archives]));
    expect(paths.flatMap((path) => foundIn(readFileSync(path, "latin1")))).toEqual([]);
    const parts = archives.flatMap((path) => Object.entries(unzipSync(readFileSync(path))));
    expect(parts.map(([name]) => name)).toEqual(
      expect.arrayContaining(["tfplan", "tfstate", "tfconfig/m-/cdk.tf.json"]),
    );
    expect(parts.flatMap(([, content]) => foundIn(Buffer.from(content).toString("latin1")))).toEqual([]);
    expect(outputs.slice(-1).flatMap(([, text]) => foundIn(text))).toEqual([]);
  });

  test("not in docker inspect or docker logs", async () => {
    const containers = [
      ...cluster.agentNames.flatMap((name) => [[name, name] as const, [name, "registrator"] as const]),
      ...cluster.serverNames.map((name) => [name, `${name}-backups`] as const),
    ];
    for (const [host, container] of containers) {
      const { stdout: inspected } = await cluster.docker(host, "inspect", container);
      const logs = await cluster.docker(host, "logs", container);
      expect({ host, container, found: foundIn(inspected + logs.stdout + logs.stderr) }).toEqual({
        host,
        container,
        found: [],
      });
    }
  });

  test("not in any process's arguments or environment, on any host, during all of that", () => {
    expect(processes.looks).toBeGreaterThan(500);
    expect(processes.seen).toEqual({});
  });
});

/** Every secret of a folder by its name, in the forms that the search looks for. */
function secretsOf(folder: string): Map<string, string[]> {
  const read = (path: string) => readFileSync(join(folder, path), "utf8");
  const { current, retiring } = JSON.parse(read("tokens.json")) as {
    current: Record<string, string>;
    retiring: Record<string, string[]>;
  };
  const key = (path: string): [string, string[]] => {
    // Each line of a PEM file, and the bytes that the lines encode.
    const lines = read(path)
      .split("\n")
      .filter((line) => line.length > 40 && !line.startsWith("-"));
    return [path, [...lines, ...forms(Buffer.from(lines.join(""), "base64"))]];
  };
  const leaves = readdirSync(join(folder, "agents")).filter((agent) =>
    readdirSync(join(folder, "agents", agent)).includes("key.pem"),
  );
  return new Map([
    ...Object.entries(current).map(([name, id]): [string, string[]] => [
      `token ${name}`,
      [...forms(Buffer.from(id)), id.replaceAll("-", "")],
    ]),
    ...Object.entries(retiring).flatMap(([name, ids]) =>
      ids.map((id): [string, string[]] => [
        `token ${name}, retiring`,
        [...forms(Buffer.from(id)), id.replaceAll("-", "")],
      ]),
    ),
    ["gossip.key", [read("gossip.key").trim(), ...forms(Buffer.from(read("gossip.key").trim(), "base64"))]],
    key("ca-key.pem"),
    key("operator/key.pem"),
    ...leaves.map((agent) => key(`agents/${agent}/key.pem`)),
  ]);
}
