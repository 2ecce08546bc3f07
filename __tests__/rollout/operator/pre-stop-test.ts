import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../../cluster-files";
import { operatorScript, runAsTerraform } from "../../docker-stand-in";

interface Stop {
  /** The container's state. @default "running" */
  readonly state?: string;
  /** The versions of the running image and of the next one. @default both are the same image */
  readonly versions?: [from: string, to: string];
  /** The error of a pull of the next image. @default none: the image is on the host */
  readonly pull?: string;
  /** Commands in the place of the next image's. @default a command that prints its version */
  readonly tried?: string;
  readonly env?: Record<string, string>;
}

/** Runs pre-stop.sh with a stand-in for the daemon, and with a check that allows the stop. */
function stop({ state = "running", versions, pull, tried, env = {} }: Stop = {}) {
  const [from, to] = versions ?? ["1.22.2", "1.22.2"];
  const config = join(folder(), "config");
  const docker = `case "$*" in
*'inspect -f {{.State.Status}}'*) echo ${state} ;;
*'image inspect'*) ${pull === undefined ? `echo sha256:${versions ? "next" : "same"}` : "exit 1"} ;;
*' pull '*) echo '${pull}' >&2; exit 1 ;;
*'inspect -f {{.Image}}'*) echo sha256:same ;;
*'exec s1 consul version') echo 'Consul v${from}'; echo 'Revision abc' ;;
*' run '*) cat >'${config}'; ${tried ?? `echo 'Consul v${to}'`} ;;
esac`;
  const run = runAsTerraform({
    script: operatorScript("docker", "parallelism", "pre-stop"),
    docker,
    env: {
      STOP_DOCKER: "-H ssh://a",
      STOP_CONTAINER: "s1",
      STOP_OWNER: "s1",
      STOP_IMAGE: "consul:next",
      STOP_SECONDS: "0",
      STOP_CONFIG: '{"log_level": "x"}',
      STOP_NETWORK: "host",
      STOP_DECLARED: "s1-declared",
      TRY_SCRIPT: "try it",
      ASK: "echo checked",
      ...env,
    },
  });
  return { ...run, config: existsSync(config) ? readFileSync(config, "utf8") : undefined };
}

test("a running container is checked", () => expect(stop()).toMatchObject({ status: 0, stdout: "checked\n" }));
test("a container is not stopped if the check denies it", () =>
  expect(stop({ env: { ASK: "exit 1" } }).status).toBe(1));
test.each(["exited", "created", "restarting", "dead"])("a container that is %s is not checked", (state) =>
  expect(stop({ state })).toMatchObject({ status: 0, stdout: "" }),
);
test("CONSUL_ALLOW_QUORUM_LOSS skips all checks, and does not ask the daemon", () => {
  expect(stop({ env: { CONSUL_ALLOW_QUORUM_LOSS: "yes" } })).toMatchObject({ status: 0, stdout: "", calls: [] });
});
test("a container that started again during the pull is checked", () => {
  const { stdout } = runAsTerraform({
    script: operatorScript("docker", "parallelism", "pre-stop"),
    docker: `case "$*" in
*'inspect -f {{.State.Status}}'*) [ $calls -eq 1 ] && echo exited || echo running ;;
*) echo sha256:same ;;
esac`,
    env: {
      STOP_DOCKER: "-H ssh://a",
      STOP_CONTAINER: "s1",
      STOP_OWNER: "s1",
      STOP_IMAGE: "consul:next",
      STOP_SECONDS: "0",
      ASK: "echo checked",
    },
  });
  expect(stdout).toBe("checked\n");
});
test("a container is not stopped if the next image cannot be pulled", () => {
  const { status, stderr } = stop({ pull: "manifest unknown" });
  expect([status, stderr]).toEqual([
    1,
    "s1: not stopped: consul:next cannot be pulled to its host: manifest unknown\n",
  ]);
});

describe("the next configuration", () => {
  test("is validated by the next image's Consul, in one run, in the new container's network and with the agent's services", () => {
    const { calls, config } = stop();
    expect(config).toBe('{"log_level": "x"}');
    expect(calls.filter((call) => call.includes(" run "))).toEqual([
      "-H ssh://a run --rm -i --network host -v s1-declared:/consul/declared:ro --entrypoint /bin/sh sha256:same -c try it",
    ]);
  });
  test("is rejected before anything is checked or stopped", () => {
    const { status, stdout, stderr } = stop({ tried: "echo Consul v1.22.2; echo 'refused: invalid config key x'" });
    expect([status, stdout, stderr]).toEqual([
      1,
      "",
      "s1: not stopped: Consul 1.22.2 rejects its next configuration: invalid config key x\n",
    ]);
  });
  test("is not validated with CONSUL_ALLOW_QUORUM_LOSS, nor if the container is down", () => {
    for (const how of [{ env: { CONSUL_ALLOW_QUORUM_LOSS: "yes" } }, { state: "exited" }])
      expect(stop(how).config).toBeUndefined();
  });
  test("is left to the readiness check if it cannot be validated", () =>
    expect(stop({ tried: "exit 125" }).stdout).toBe("checked\n"));
});

describe("versions", () => {
  test.each([
    ["1.21.5", "1.22.2"],
    ["1.20.6", "1.22.0"],
    ["1.22.2", "2.0.0"],
    ["1.21.0", "2.0.3"],
    ["1.22.2", "1.22.3"],
    ["1.22.2", "1.22.2"],
    ["1.9.0", "1.10.0"],
    ["2.0.3", "2.2.0"],
    ["1.22.2", "1.22.2+ent"],
  ])("an update from %s to %s is checked", (...versions) => expect(stop({ versions }).stdout).toBe("checked\n"));

  test.each([
    ["1.22.2", "1.21.5"],
    ["1.22.2", "1.22.1"],
    ["2.0.0", "1.22.9"],
    ["1.10.0", "1.9.9"],
  ])("a downgrade from %s to %s is denied without CONSUL_ALLOW_DOWNGRADE", (...versions) => {
    const [from, to] = versions;
    const { status, stderr, stdout } = stop({ versions });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`s1: not stopped: ${to} is older than ${from}`);
    expect(stop({ versions, env: { CONSUL_ALLOW_DOWNGRADE: "yes" } }).stdout).toBe("checked\n");
  });

  test.each([
    ["1.18.2", "1.21.5", 3],
    ["1.20.0", "2.0.0", 3],
    ["1.3.0", "1.22.2", 19],
  ] as const)("an update from %s to %s is denied, because it skips versions: %i minor versions", (from, to, steps) => {
    const { status, stderr } = stop({ versions: [from, to] });
    expect([status, stderr]).toEqual([1, expect.stringContaining(`from ${from} to ${to} are ${steps} minor versions`)]);
  });

  test("are ignored if an image does not print them", () =>
    expect(stop({ versions: ["", ""] }).stdout).toBe("checked\n"));
});
