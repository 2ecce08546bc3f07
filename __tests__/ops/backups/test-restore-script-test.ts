import { existsSync } from "node:fs";
import { join } from "node:path";
import { ContainerScript } from "../container-script";

interface Agent {
  /** What the agent does after it has started. */
  readonly agent?: string;
  /** What curl does with the snapshot on its standard input. */
  readonly restore?: string;
}

/** A container with an agent that has a leader as soon as it runs. */
function testRestore({ agent = "exec sleep 60", restore = "cat" }: Agent) {
  const container = new ContainerScript("backups/test-restore.sh", ["/tmp/"])
    .program("consul", `touch "$TEST_ROOT/started"\n${agent}`)
    .program(
      "curl",
      `case $* in
*/v1/status/leader) [ -e "$TEST_ROOT/started" ] && echo '"127.0.0.1:8300"' ;;
*/v1/snapshot) ${restore} ;;
esac`,
    );
  const env = { TEST_ROOT: container.root };
  const { status, stderr } = container.run({ args: ["dc1", "20"], input: "snapshot", env });
  return { status, stderr, calls: container.calls(), root: container.root };
}

test("a snapshot is restored into an agent in memory, of the same datacenter, which ends with the test", async () => {
  const { status, calls, root } = testRestore({
    agent: `trap 'touch "$TEST_ROOT/ended"; exit' TERM; while :; do sleep 0.1; done`,
  });
  expect(status).toBe(0);
  expect(calls).toContain("consul agent -dev -log-level=warn -datacenter=dc1");
  expect(calls.at(-1)).toBe("curl -sS --fail-with-body -m 20 -T - http://127.0.0.1:8500/v1/snapshot");
  while (!existsSync(join(root, "ended"))) await new Promise((resume) => setTimeout(resume, 50));
});

test.each<[string, Agent, string]>([
  ["Consul's refusal", { restore: "echo 'failed to read snapshot'; exit 22" }, "failed to read snapshot\n"],
  [
    "the crash of the agent, not the closed connection",
    {
      agent: "echo starting; echo 'panic: failed to restore: Unrecognized msg type 62'; exec sleep 60",
      restore:
        'until grep -q panic "$TEST_ROOT/tmp/trial.log"; do sleep 0.1; done; echo "curl: (52) Empty reply" >&2; exit 52',
    },
    "panic: failed to restore: Unrecognized msg type 62\n",
  ],
])("a snapshot that cannot be restored has its reason, and exit code 3: %s", (_, agent, reason) =>
  expect(testRestore(agent)).toMatchObject({ status: 3, stderr: reason }),
);

test.each([
  ["ends at once", "echo 'no memory'; exit 1", "no memory"],
  ["never has a leader", "echo waiting; exec sleep 60", "waiting"],
])("an agent that %s says nothing about the snapshot: exit code 4", (_, agent, logged) => {
  const container = new ContainerScript("backups/test-restore.sh", ["/tmp/"])
    .program("consul", agent)
    .program("curl", "exit 7");
  expect(container.run({ args: ["dc1", "1"] })).toMatchObject({
    status: 4,
    stderr: `no agent starts here for the test restore: ${logged}\n`,
  });
});
