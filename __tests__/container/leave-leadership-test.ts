import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "../cluster-files";

const SELF = "GET self";
const TRANSFER = "POST transfer";

/** What curl does at each request for the agent's state, one line a request, the last one for ever. */
const says = (state: string, leader: string) =>
  `printf '{"Stats":{"raft":{"state":"${state}"},"consul":{"leader_addr":"${leader}"}}}'`;
const LEADER = says("Leader", "10.0.0.1:8300");
const FOLLOWER = says("Follower", "10.0.0.2:8300");
const LEADERLESS = says("Follower", "");
const LATE = "exit 28";
const REFUSED = "exit 7";

interface Stopped {
  readonly status: number | null;
  readonly stdout: string;
  /** The requests, in order, and the end of Consul. */
  readonly calls: string[];
  readonly seconds: number;
}

/**
 * Runs leave-leadership.sh with stand-ins for curl and for the image's entrypoint, and sends it SIGTERM.
 * The end-to-end tests use the container's own curl and a real leader.
 */
async function stopped(self: string[], transfers: string[] = ["exit 0"]): Promise<Stopped> {
  const bin = folder();
  const log = join(bin, "calls");
  const program = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const turns = (name: string, lines: string[]) => {
    writeFileSync(join(bin, `${name}.count`), "0");
    return `turn=$(($(cat ${bin}/${name}.count) + 1)); echo $turn >${bin}/${name}.count
case $turn in ${lines.map((line, index) => `${index + 1 < lines.length ? index + 1 : "*"}) ${line} ;;`).join("\n")}
esac`;
  };
  program(
    "curl",
    `case "$*" in
*transfer-leader) echo "${TRANSFER}" >>${log}; ${turns("transfer", transfers)} ;;
*/v1/agent/self) echo "${SELF}" >>${log}; ${turns("self", self)} ;;
esac`,
  );
  // As Consul does: it ends by itself after SIGTERM.
  program(
    "docker-entrypoint.sh",
    `trap 'echo "end $*" >>${log}; exit 3' TERM\ntouch ${bin}/up\nwhile :; do sleep 0.05; done`,
  );
  const script = spawn("/bin/sh", [join(PROJECT, "container/leave-leadership.sh"), "agent", "-server"], {
    env: { PATH: `${bin}:${process.env.PATH}` },
  });
  let stdout = "";
  script.stdout.on("data", (text) => {
    stdout += text;
  });
  while (!existsSync(join(bin, "up")) || !catchesTerm(script)) await pause(20);
  const begun = Date.now();
  script.kill("SIGTERM");
  const [status] = await once(script as ChildProcess, "close");
  const seconds = (Date.now() - begun) / 1000;
  return { status, stdout, calls: readFileSync(log, "utf8").trim().split("\n"), seconds };
}

/** Whether a program handles SIGTERM already: before its `trap`, the signal would end it. Where /proc is. */
function catchesTerm({ pid }: ChildProcess): boolean {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return true;
  const [, caught = "0"] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(status, "utf8")) ?? [];
  return ((BigInt(`0x${caught}`) >> 14n) & 1n) === 1n;
}

const pause = (ms: number) => new Promise((resume) => setTimeout(resume, ms));
const END = "end agent -server";

test("a leader transfers its leadership, and stops once another server leads", async () => {
  expect(await stopped([LEADER, LEADERLESS, FOLLOWER])).toMatchObject({
    status: 3,
    stdout: "transferred leadership\n",
    calls: [SELF, TRANSFER, SELF, SELF, END],
  });
});

test("a transfer that fails is tried again", async () => {
  expect(await stopped([LEADER, LEADER, FOLLOWER], ["exit 22", "exit 0"])).toMatchObject({
    stdout: "transferred leadership\n",
    calls: [SELF, TRANSFER, SELF, TRANSFER, SELF, END],
  });
});

test("a server that is late to say whether it leads is asked again", async () => {
  const { calls } = await stopped([LATE, LEADER, FOLLOWER]);
  expect(calls).toEqual([SELF, SELF, TRANSFER, SELF, END]);
});

test.each([
  ["a follower", FOLLOWER],
  ["a server of a cluster without a leader", LEADERLESS],
  ["a server whose API is not up", REFUSED],
  ["a server that denies the request", "exit 22"],
  ["a server whose response is not of Consul", "printf '<html>'"],
])("%s stops at once", async (_, self) => {
  expect(await stopped([self])).toMatchObject({ stdout: "", calls: [SELF, END], status: 3 });
});

test("a leader that cannot transfer its leadership stops after 8 s, since Docker would end it", async () => {
  const { calls, stdout, seconds } = await stopped([LEADER], ["exit 22"]);
  expect(stdout).toBe("");
  expect(calls.at(-1)).toBe(END);
  expect(calls.filter((call) => call === TRANSFER).length).toBeGreaterThan(5);
  // Whole seconds are counted.
  expect(seconds).toBeGreaterThan(6.9);
  expect(seconds).toBeLessThan(20);
}, 30_000);
