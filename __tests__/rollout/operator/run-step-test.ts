import { operatorScript, type Run, runAsTerraform } from "../../docker-stand-in";

interface Step extends Pick<Run, "docker" | "env"> {
  readonly script?: string;
  readonly targets?: readonly string[];
  readonly arguments?: string;
  readonly seconds?: number;
}

/** Runs run-step.sh as Terraform does. */
const runStep = ({
  docker,
  script = "exit 0",
  targets = ["-H ssh://a exec -i s1"],
  arguments: words = "",
  seconds = 0,
  env = {},
}: Step) =>
  runAsTerraform({
    script: operatorScript("docker", "run-step"),
    docker,
    env: {
      ASK_SCRIPT: script,
      ASK_ARGUMENTS: words,
      ASK_TARGETS: targets.join("\n"),
      ASK_SECONDS: String(seconds),
      ...env,
    },
  });

/** The stand-in drops docker's own arguments, and runs the script as the container's shell does. */
const RUNS_SCRIPT = 'while [ "$1" != /bin/sh ]; do shift; done; shift; exec sh "$@"';

test("a script that exits 0 succeeds", () => {
  expect(runStep({ docker: RUNS_SCRIPT, script: "echo in" })).toMatchObject({ status: 0, stdout: "in\n", stderr: "" });
});

test("a script that exits 3 fails the step at once, with its reason", () => {
  const { status, stderr, calls } = runStep({
    docker: RUNS_SCRIPT,
    script: "echo 'not a voter' >&2; exit 3",
    targets: ["exec -i s1", "exec -i s2"],
    seconds: 9,
  });
  expect([status, stderr, calls.length]).toEqual([1, "not a voter\n", 1]);
});

test("the docker CLI gets the host's arguments, the container, a shell, and the script's arguments", () => {
  const { calls } = runStep({
    docker: "exit 0",
    targets: ["-H ssh://root@10.0.0.1 exec -i consul-server1"],
    arguments: "120 server s1",
  });
  expect(calls).toEqual(["-H ssh://root@10.0.0.1 exec -i consul-server1 /bin/sh -c SCRIPT sh 120 server s1"]);
});

test("quoted words reach the script whole", () => {
  const { stdout } = runStep({
    docker: RUNS_SCRIPT,
    script: 'printf "<%s>" "$@"',
    arguments: "'two words' 'it'\\''s' '$HOME' '*'",
  });
  expect(stdout).toBe("<two words><it's><$HOME><*>");
});

test("a script may have many lines and any output", () => {
  expect(
    runStep({ docker: RUNS_SCRIPT, script: "# a\ncase x in\nx) printf '%s\\n' '$PATH \\n %s' ;;\nesac" }).stdout,
  ).toBe("$PATH \\n %s\n");
});

test("after a container that is unreachable the next one is tried", () => {
  const { status, calls, stdout } = runStep({
    docker: 'case $* in *" s1 "*) echo "no such container: s1" >&2; exit 1 ;; esac',
    targets: ["exec -i s1", "exec -i s2"],
  });
  expect([status, calls.length]).toEqual([0, 2]);
  expect(stdout).toContain("s1: unreachable so far: no such container: s1");
});

test("unreachable containers are tried again until one runs the script", () => {
  const { status, calls } = runStep({ docker: "[ $calls -ge 2 ]", seconds: 9 });
  expect([status, calls.length]).toEqual([0, 2]);
});

test("at the timeout it fails, with the last reason and the time", () => {
  const { status, stderr } = runStep({ docker: "echo 'connection refused' >&2; exit 125", seconds: 1 });
  expect([status, stderr]).toEqual([1, "s1: connection refused, for 1 s\n"]);
});

test("the same reason is printed once", () => {
  const { stdout } = runStep({ docker: "echo 'connection refused' >&2; exit 125", seconds: 2 });
  expect(stdout.match(/connection refused/g)).toHaveLength(1);
});

test("without the docker CLI the message says where it is needed", () => {
  const { status, stderr } = runStep({});
  expect([status, stderr]).toEqual([1, "the docker CLI is needed where Terraform runs, for the checks of agents\n"]);
});

test("the operator's own docker settings do not redirect it", () => {
  const env = {
    DOCKER_HOST: "tcp://x",
    DOCKER_CONTEXT: "x",
    DOCKER_TLS_VERIFY: "1",
    DOCKER_CERT_PATH: "/x",
    DOCKER_CONFIG: "/mine",
  };
  const { stdout } = runStep({ docker: "env", env });
  expect(stdout.split("\n").filter((line) => line.startsWith("DOCKER_"))).toEqual(["DOCKER_CONFIG=/mine"]);
});
