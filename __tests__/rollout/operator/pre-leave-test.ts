import { operatorScript, runAsTerraform } from "../../docker-stand-in";

/**
 * Runs pre-leave.sh with stand-ins: a daemon with the container in a state, a pre-stop check, and servers that report
 * whether the agent is removed.
 */
const leave = ({ state = "running", check = "echo checked", gone = "exit 0", targets = "exec -i s2", env = {} }) =>
  runAsTerraform({
    script: operatorScript("docker", "parallelism", "pre-leave"),
    docker: `case "$*" in *'inspect -f {{.State.Status}}'*) ${state === "none" ? "echo 'No such container: s1' >&2; exit 1" : `echo ${state}`} ;; esac`,
    env: {
      ...{
        STOP_DOCKER: "-H ssh://a",
        STOP_CONTAINER: "s1",
        STOP_OWNER: "s1",
        LEAVE_SCRIPT: "",
        GONE_SCRIPT: gone,
        GONE_ARGUMENTS: "",
      },
      ...{ GONE_TARGETS: targets, ASK_SCRIPT: "", ASK: `[ -z "$ASK_SCRIPT" ] || eval "$ASK_SCRIPT"; ${check}`, ...env },
    },
  });

test("a running agent is checked, leaves, and stays down", () => {
  const { status, calls } = leave({});
  expect(status).toBe(0);
  expect(calls.map((call) => call.replace("-H ssh://a ", "")).slice(1)).toEqual([
    "update --restart=no s1",
    "exec -i s1 /bin/sh -s",
    "wait s1",
  ]);
});
test("an agent does not leave if the check denies it", () => {
  const { status, calls } = leave({ check: "exit 1" });
  expect([status, calls.length]).toEqual([1, 1]);
});
test("an agent whose container is gone is removed from the cluster too", () =>
  expect(leave({ state: "none", gone: "echo gone; exit 0" })).toMatchObject({ status: 0, stdout: "gone\n" }));
test("the step fails while the servers list the agent", () => expect(leave({ gone: "exit 1" }).status).toBe(1));
test("with CONSUL_ALLOW_QUORUM_LOSS it succeeds, because the servers may stop too", () =>
  expect(leave({ gone: "exit 1", env: { CONSUL_ALLOW_QUORUM_LOSS: "yes" } }).status).toBe(0));
test("without other servers it leaves unchecked", () => expect(leave({ targets: "", gone: "exit 1" }).status).toBe(0));
