import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Replacement, TRIAL_SCRIPT, tryNextContainer } from "../../rollout/next-container";
import { folder } from "../cluster-files";
import { FakeDocker, failed } from "./docker-fake";

const REPLACEMENT: Replacement = {
  container: "s1",
  image: "sha256:same",
  next: { image: "sha256:same", config: { log_level: "x" }, network: "host" },
  allowsDowngrade: false,
};
const ACCEPTED = "Consul v1.22.2\nRevision abc\naccepted\n";
const trial = (printed: ReturnType<FakeDocker["answer"]>, running: ReturnType<FakeDocker["answer"]> = "") =>
  new FakeDocker((line) => (line.startsWith("run ") ? printed : running));

describe("the next configuration", () => {
  test("is validated by the next image's Consul, in the next container's network and with the agent's services", async () => {
    const docker = trial(ACCEPTED);
    expect(await tryNextContainer(REPLACEMENT, docker)).toEqual({
      kind: "allow",
      reason: "Consul 1.22.2 accepts its next configuration",
    });
    expect(docker.calls).toEqual([
      {
        line:
          "run --rm -i --network host -v s1-declared:/consul/declared:ro --entrypoint /bin/sh sha256:same " +
          `-c ${TRIAL_SCRIPT} sh /tmp/agent.json /consul/declared`,
        input: '{"log_level":"x"}',
        seconds: undefined,
      },
    ]);
  });

  describe("in a bridge network", () => {
    const next = { image: "sha256:same", network: "blue" };
    const networks = (answer: ReturnType<FakeDocker["answer"]>) =>
      new FakeDocker((line) => (line.startsWith("run ") ? ACCEPTED : line.includes("Networks") ? answer : ""));
    const networkOf = async (answer: ReturnType<FakeDocker["answer"]>) => {
      const docker = networks(answer);
      const { kind } = await tryNextContainer({ ...REPLACEMENT, next }, docker);
      const run = docker.calls.map(({ line }) => line).find((line) => line.startsWith("run "));
      return { kind, network: / --network (\S+)/.exec(run ?? "")?.[1] };
    };

    test.each([
      ["has the running container's address, and takes no other one", '{"blue":{},"other":{}}\n', "container:s1"],
      ["is in the next network, if the running container is in another one", '{"other":{}}\n', "blue"],
      ["is in the next network, if the running container is in none", "null\n", "blue"],
    ])("it %s", async (_, answer, network) => {
      expect(await networkOf(answer)).toEqual({ kind: "allow", network });
    });

    test.each([failed("connection refused"), "", "no JSON"])(
      "it is not tried if the daemon answers %j",
      async (answer) => {
        expect(await networkOf(answer)).toEqual({ kind: "deny", network: undefined });
      },
    );
  });

  test("is not validated if it is too large for a request; the image has to run all the same", async () => {
    const next = { image: "sha256:same", network: "host" };
    const docker = trial("Consul v1.22.2\n");
    expect((await tryNextContainer({ ...REPLACEMENT, next }, docker)).kind).toBe("allow");
    expect(docker.calls[0]?.input).toBe("");
    expect((await tryNextContainer({ ...REPLACEMENT, next }, trial(failed("no shell")))).kind).toBe("deny");
  });

  test.each([
    [
      "rejected: warning: a\nConfig validation failed: 1 error occurred:\n\t* invalid key x\n",
      "1 error occurred: * invalid key x",
    ],
    ["rejected: Killed\n", "Killed"],
    ["rejected: \n", "without a reason"],
  ])(
    "that Consul rejects denies the stop, with Consul's reason and without its warnings: %j",
    async (printed, reason) => {
      expect(await tryNextContainer(REPLACEMENT, trial(`Consul v1.22.2\n${printed}`))).toMatchObject({
        kind: "deny",
        reason: `Consul 1.22.2 rejects its next configuration: ${reason}`,
      });
    },
  );

  test("that was not seen to be accepted denies the stop", async () => {
    expect(await tryNextContainer(REPLACEMENT, trial("Consul v1.22.2\n"))).toMatchObject({
      kind: "deny",
      reason: "Consul 1.22.2 was not seen to accept its next configuration: the trial broke off",
    });
  });

  test("denies the stop if the next image cannot be tried, and consent to any version does not change that", async () => {
    const docker = trial(failed("exec format error"));
    for (const allowsDowngrade of [false, true])
      expect(await tryNextContainer({ ...REPLACEMENT, allowsDowngrade }, docker)).toMatchObject({
        kind: "deny",
        reason: "its next image cannot be tried on its host: exec format error",
      });
  });
});

describe("an agent that may not run script checks", () => {
  const without = (declared: string, config: Record<string, unknown> = { enable_local_script_checks: false }) =>
    tryNextContainer(
      { ...REPLACEMENT, next: { ...REPLACEMENT.next, config } },
      trial(`Consul v1.22.2\n${declared}accepted\n`),
    );
  const SCRIPT_CHECK = 'declared: {"services": [{"name": "a", "check": {"args": ["/bin/true"], "interval": "1s"}}]}\n';

  test("is not started while it has one", async () => {
    expect(await without(SCRIPT_CHECK)).toMatchObject({
      kind: "deny",
      reason: "Consul 1.22.2 rejects its next configuration: it has script checks",
    });
    expect((await without(SCRIPT_CHECK, { enable_local_script_checks: true })).kind).toBe("allow");
  });

  test.each(["", "declared: null\n", 'declared: {"services": [{"name": "a", "check": {"ttl": "1s", "args": []}}]}\n'])(
    "is started with other checks: %j",
    async (declared) => expect((await without(declared)).kind).toBe("allow"),
  );

  test("is not started if its checks cannot be read", async () => {
    expect(await without("declared: {\n")).toMatchObject({
      kind: "deny",
      reason: "its declared services cannot be read, which may have script checks",
    });
  });
});

describe("versions", () => {
  const update = (from: ReturnType<FakeDocker["answer"]>, to: string, allowsDowngrade = false) =>
    tryNextContainer({ ...REPLACEMENT, image: "sha256:before", allowsDowngrade }, trial(`${to}\naccepted\n`, from));

  test("are compared when the image changes", async () => {
    expect((await update("Consul v1.21.5\n", "Consul v1.22.2")).kind).toBe("allow");
    expect(await update("Consul v1.22.2\n", "Consul v1.21.5")).toMatchObject({
      kind: "deny",
      reason: "1.21.5 is older than 1.22.2, which has written its data",
    });
  });

  test("are not compared with consent to any version, nor if the image stays", async () => {
    expect((await update("Consul v1.22.2\n", "Consul v1.21.5", true)).kind).toBe("allow");
    const docker = trial(ACCEPTED);
    await tryNextContainer(REPLACEMENT, docker);
    expect(docker.calls).toHaveLength(1);
  });

  test.each([
    ["", "the version that has written its data is unknown: it prints none"],
    [failed("is not running"), "the version that has written its data is unknown: is not running"],
  ])("deny the stop if the running one is unknown, unless there is consent: %j", async (from, reason) => {
    expect(await update(from, "Consul v1.22.2")).toMatchObject({ kind: "deny", reason });
    expect((await update(from, "Consul v1.22.2", true)).kind).toBe("allow");
  });

  test("deny the stop if the next image prints none, unless there is consent", async () => {
    expect(await update("Consul v1.22.2", "")).toMatchObject({
      kind: "deny",
      reason: "its next image prints no version of Consul",
    });
    expect(await update("Consul v1.22.2", "", true)).toEqual({
      kind: "allow",
      reason: "Consul accepts its next configuration",
    });
  });
});

describe("the trial's script", () => {
  /** Runs it with a stand-in for Consul. The end-to-end tests use the real Consul. */
  function run(config: string, { consul = "", declared = {} as Record<string, string> } = {}) {
    const root = folder();
    mkdirSync(join(root, "bin"));
    mkdirSync(join(root, "declared"));
    for (const [name, text] of Object.entries(declared)) writeFileSync(join(root, "declared", name), text);
    const program = `#!/bin/sh\ncase $1 in version) ${consul === "missing" ? "exit 126" : "echo Consul v1.22.2"} ;; *) ${consul} ;; esac\n`;
    writeFileSync(join(root, "bin/consul"), program);
    chmodSync(join(root, "bin/consul"), 0o755);
    const { status, stdout } = spawnSync(
      "sh",
      ["-c", TRIAL_SCRIPT, "sh", join(root, "agent.json"), join(root, "declared")],
      { encoding: "utf8", input: config, env: { PATH: `${join(root, "bin")}:${process.env.PATH}` } },
    );
    return { status, stdout };
  }

  test("prints the version, and that the configuration is accepted, whatever Consul warns of", () => {
    expect(run("{}", { consul: "echo bootstrap_expect: warning >&2" })).toEqual({
      status: 0,
      stdout: "Consul v1.22.2\naccepted\n",
    });
  });
  test("gives Consul the configuration and the folder", () => {
    const consul = 'cat "$3" >&2; [ -d "$4" ] && exit 1';
    expect(run('{"a":1}', { consul }).stdout).toBe('Consul v1.22.2\nrejected: {"a":1}\n');
  });
  test("prints the version alone without a configuration", () =>
    expect(run("", { consul: "exit 1" })).toEqual({ status: 0, stdout: "Consul v1.22.2\n" }));
  test("prints each declared file on a line", () => {
    const declared = { "a.json": '{\n "services": []\n}\n', "b.json": "{}", "services.new": "x" };
    expect(run("{}", { consul: ":", declared }).stdout).toBe(
      'Consul v1.22.2\ndeclared: { "services": []}\ndeclared: {}\naccepted\n',
    );
  });
  test("fails if Consul does not run", () =>
    expect(run("{}", { consul: "missing" })).toEqual({ status: 126, stdout: "" }));
});
