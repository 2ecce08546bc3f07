import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FOUR_HOSTS, folder, PROJECT } from "./cluster-files";

/** Links are faster than copies. Node takes the code from where they lead. */
const link = (from: string, to: string): void => symlinkSync(from, to);
const copy = (from: string, to: string): void => cpSync(from, to, { recursive: true });

/** A checkout of the product in a folder of its own, with its own cluster files. */
function checkout(place: (from: string, to: string) => void = link): string {
  const directory = join(folder(), "a folder with spaces");
  mkdirSync(directory);
  for (const part of [
    "main.ts",
    "typescript.cjs",
    "package.json",
    "tsconfig.json",
    "cluster",
    "consul",
    "constructs",
    "container",
    "rollout",
  ]) {
    place(join(PROJECT, part), join(directory, part));
  }
  for (const part of ["cdktf.json", "clusters"]) copy(join(PROJECT, part), join(directory, part));
  link(join(PROJECT, "node_modules"), join(directory, "node_modules"));
  return directory;
}

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The words of `app` in cdktf.json. */
const APP: readonly string[] = JSON.parse(readFileSync(join(PROJECT, "cdktf.json"), "utf8")).app.split(" ");

/** Runs what `cdktf synth` runs: `app` of cdktf.json. */
function main(directory: string, env: Record<string, string> = {}): Promise<Ended> {
  const { PATH = "", HOME = "" } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      APP.slice(1),
      { cwd: directory, env: { PATH, HOME, TMPDIR: tmpdir(), ...env } },
      (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}

/** Every file below cdktf.out with its content. */
function outputOf(directory: string): Record<string, string> {
  const out = join(directory, "cdktf.out");
  const files = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((file) =>
    statSync(join(out, file)).isFile(),
  );
  return Object.fromEntries(files.sort().map((file) => [file, readFileSync(join(out, file), "utf8")]));
}

describe("synth of seed.yaml", () => {
  const here = checkout();
  const elsewhere = checkout(copy);
  const rewritten = checkout();
  let plain: Ended;

  beforeAll(async () => {
    const seed = readFileSync(join(PROJECT, "clusters/seed.yaml"), "utf8");
    // The same number of lines, so that the warning's location stays. Everything else of the text may differ.
    const lines = seed
      .replace("# The article's cluster: three servers and a client, each on its own Docker host.", "# other words")
      .replace(
        "[consul-server1, consul-server2, consul-server3]",
        `["consul-server3", 'consul-server1', consul-server2]`,
      )
      .replace("name: consul\n", 'name:   "consul"\n')
      .split("\n");
    const hosts = lines.filter((line) => /^ {2}consul-/.test(line));
    const others = lines.filter((line) => !hosts.includes(line));
    const at = others.indexOf("hosts:") + 1;
    const swapped = [...others.slice(0, at), ...hosts.reverse(), ...others.slice(at)]
      .filter((line) => line !== "")
      .reverse();
    // The keys' order is reversed but for `client:`, which keeps its line, and `hosts:`, which stays above its hosts.
    const clientLine = swapped.findIndex((line) => line.startsWith("client_addr:"));
    const [client = ""] = swapped.splice(clientLine, 1);
    const hostsLine = swapped.indexOf("hosts:");
    swapped.splice(hostsLine, 1);
    swapped.splice(hostsLine - hosts.length, 0, "hosts:");
    swapped.splice(
      lines.findIndex((line) => line.startsWith("client_addr:")),
      0,
      client,
    );
    writeFileSync(join(rewritten, "clusters/seed.yaml"), `${swapped.join("\n")}\n`);

    const [first, second, third] = await Promise.all([
      main(here),
      main(elsewhere, {
        TZ: "Pacific/Kiritimati",
        LANG: "tr_TR.UTF-8",
        LC_ALL: "tr_TR.UTF-8",
        HOME: "/nonexistent",
        USER: "somebody",
        DOCKER_HOST: "tcp://10.9.9.9:2375",
        DOCKER_CONTEXT: "elsewhere",
        DOCKER_CERT_PATH: "/nonexistent/certs",
        DOCKER_TLS_VERIFY: "1",
        TF_VAR_x: "y",
        CONSUL_HTTP_ADDR: "10.9.9.9:8500",
        NODE_ENV: "production",
      }),
      main(rewritten),
    ]);
    expect([second.status, second.stderr, third.status, third.stderr]).toEqual([0, "", 0, ""]);
    plain = first;
  }, 60_000);

  test("succeeds, and prints only which file it read", () => {
    expect(plain).toEqual({ status: 0, stdout: "cluster file: clusters/seed.yaml\n", stderr: "" });
  });
  test("writes a manifest and one stack, with the program of its rollout", () => {
    expect(Object.keys(outputOf(here))).toEqual([
      "manifest.json",
      "stacks/consul/cdk.tf.json",
      "stacks/consul/health.sh",
      "stacks/consul/leave-leadership.sh",
      "stacks/consul/rollout.cjs",
    ]);
  });
  test("is the same in another folder, time zone, language, home and environment", () => {
    expect(outputOf(elsewhere)).toEqual(outputOf(here));
  });
  test("is the same with other comments, quotes, and orders of keys, hosts and servers", () => {
    const texts = [here, rewritten].map((directory) => readFileSync(join(directory, "clusters/seed.yaml"), "utf8"));
    expect(texts[0]).not.toBe(texts[1]);
    expect(outputOf(rewritten)).toEqual(outputOf(here));
  });
  test("passes the cluster's warnings to cdktf", () => {
    const { stacks } = JSON.parse(outputOf(here)["manifest.json"] ?? "");
    expect(stacks.consul.annotations).toEqual([
      {
        constructPath: "consul",
        level: "@cdktf/warn",
        message: expect.stringMatching(
          /^clusters\/seed\.yaml:5:14: warning open-http: .*\n {4}.*ignore: \[open-http\]/,
        ),
      },
    ]);
  });
  test("contains nothing of the machine on which it ran", () => {
    const text = Object.values(outputOf(here)).join("\n");
    for (const trace of [here, PROJECT, process.execPath]) expect(text).not.toContain(trace);
  });
});

describe("a cluster file with errors", () => {
  const directory = checkout();
  const fresh = checkout();
  let before: Record<string, string>;
  let modified: number;
  let bad: Ended;
  let badAtFirst: Ended;

  beforeAll(async () => {
    for (const each of [directory, fresh]) {
      writeFileSync(
        join(each, "clusters/bad.yaml"),
        `${FOUR_HOSTS.replace("[c1]", "[c11]")}bootstrap_expect: 9\nclient_addr: 0.0.0.0\n`,
      );
    }
    mkdirSync(join(directory, "cdktf.out/stacks/c"), { recursive: true });
    for (const file of ["manifest.json", "stacks/c/cdk.tf.json"])
      writeFileSync(join(directory, "cdktf.out", file), '{ "of": "an earlier synth" }');
    before = outputOf(directory);
    modified = statSync(join(directory, "cdktf.out/manifest.json")).mtimeMs;
    [bad, badAtFirst] = await Promise.all([
      main(directory, { CLUSTER: "clusters/bad.yaml" }),
      main(fresh, { CLUSTER: "clusters/bad.yaml" }),
    ]);
  }, 60_000);

  test("ends with an exit code that is not zero", () => expect(bad.status).toBe(1));
  test("prints each error with file:line:column, severity, code and hint, and no stack trace", () => {
    expect(bad.stderr.split("\n")).toEqual([
      expect.stringMatching(
        /^clusters\/bad\.yaml:6:11: error unknown-host: client "c11" is on host "c11", .*did you mean "c1"\?$/,
      ),
      "    hint: list the host under `hosts:`, or set the agent's `host:`",
      expect.stringMatching(/^clusters\/bad\.yaml:7:19: error bootstrap-expect: /),
      "    hint: leave it out, or use at most 3",
      "",
    ]);
  });
  test("is named on standard output: CLUSTER comes before cdktf.json", () =>
    expect(bad.stdout).toBe("cluster file: clusters/bad.yaml\n"));
  test("leaves what an earlier synth wrote", () => {
    expect(outputOf(directory)).toEqual(before);
    expect(statSync(join(directory, "cdktf.out/manifest.json")).mtimeMs).toBe(modified);
  });
  test("writes nothing", () => {
    expect(badAtFirst.status).toBe(1);
    expect(existsSync(join(fresh, "cdktf.out"))).toBe(false);
  });
});

// How a cluster file is selected is tested with selectClusterFile.
test("cdktf.json's context selects the cluster file", async () => {
  const directory = checkout();
  writeFileSync(join(directory, "cdktf.json"), JSON.stringify({ context: { cluster: "clusters/local.yaml" } }));
  expect((await main(directory)).stdout).toBe("cluster file: clusters/local.yaml\n");
  expect(Object.keys(outputOf(directory))).toContain("stacks/consul-local/cdk.tf.json");
}, 60_000);

test("a variable that leads to another Terraform state is rejected, so that cdktf deploy does not use it", async () => {
  const directory = checkout();
  const { status, stderr } = await main(directory, { TF_WORKSPACE: "prod" });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^TF_WORKSPACE is rejected: .*\n +hint: .*\n$/)]);
  expect(existsSync(join(directory, "cdktf.out"))).toBe(false);
});
