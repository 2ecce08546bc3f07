import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "../cluster-files";

/** Runs health.sh with a stand-in for curl and its response. The end-to-end tests use the container's own curl. */
function health(curl: string) {
  const bin = folder();
  const log = join(bin, "calls");
  writeFileSync(join(bin, "curl"), `#!/bin/sh\necho "$*" >>"${log}"\n${curl}\n`);
  chmodSync(join(bin, "curl"), 0o755);
  const { status, stdout } = spawnSync("/bin/sh", [join(PROJECT, "container/health.sh"), "http://127.0.0.1:8500"], {
    encoding: "utf8",
    timeout: 20_000,
    env: { PATH: bin },
  });
  return { status, stdout, calls: readFileSync(log, "utf8").trim().split("\n") };
}

test("an agent that knows a leader is healthy, and the output names the leader", () => {
  expect(health(`printf '"10.0.0.1:8300"'`)).toMatchObject({ status: 0, stdout: 'leader "10.0.0.1:8300"\n' });
});

test("an agent that knows no leader is unhealthy", () => {
  expect(health(`printf '""'`)).toMatchObject({ status: 1, stdout: "no leader\n" });
});

test("an unreachable agent is unhealthy", () => {
  expect(health("exit 7")).toMatchObject({ status: 1, stdout: "" });
});

test("an agent with an error response is unhealthy", () => {
  expect(health("exit 22").status).toBe(1);
});

test("an agent with an empty response is unhealthy", () => {
  expect(health("exit 0").status).toBe(1);
});

test("a health check is one request with a timeout", () => {
  expect(health(`printf '"10.0.0.1:8300"'`).calls).toEqual(["-fsS -m 3 http://127.0.0.1:8500/v1/status/leader"]);
});
