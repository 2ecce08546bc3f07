import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RunningCommand } from "../e2e/test-bed/command";
import { reserveTestBed } from "../e2e/test-bed/lock";
import { type Progress, timed } from "../e2e/test-bed/progress";
import { TestBed } from "../e2e/test-bed/test-bed";
import { CACHE_FOLDER, DEFAULT_HOSTS, type Machine } from "../e2e/test-bed/world";

export const SERVERS = DEFAULT_HOSTS.filter(({ name }) => name.startsWith("consul-server"));
export const CLIENT = DEFAULT_HOSTS.find(({ name }) => name.startsWith("consul-client")) as Machine;

/** Why there is no test bed to measure on, or undefined. */
export async function whyNoTestBed(): Promise<string | undefined> {
  if (process.platform !== "linux") return "the test bed needs Linux";
  if (process.getuid?.() !== 0) return "the test bed needs root";
  if (process.env.CONSUL_CDKTF_RIG_MACHINE) return "this is a machine of the test bed: leave its shell first";
  if (!existsSync(join(CACHE_FOLDER, "binaries")))
    return "the test bed's programs are not built here: npm run rig up builds them, which takes minutes, once";
  const containers = await containersOnTestBed();
  return containers > 0
    ? `the test bed is in use, with ${containers} containers: npm run rig down removes it`
    : undefined;
}

/** Measures on a test bed of one's own, with these images on its hosts, and leaves it as it was. */
export async function onTestBed<T>(
  images: readonly string[],
  progress: Progress,
  measure: (testBed: TestBed) => Promise<T>,
): Promise<T> {
  const release = await reserveTestBed(progress);
  const wasUp = (await TestBed.standing().status()).some(({ on }) => on);
  const testBed = await TestBed.up({ progress });
  try {
    await testBed.reset();
    await timed(progress, "pulling the images to the test bed's hosts", () => pullImages(testBed, images));
    return await measure(testBed);
  } finally {
    if (!wasUp) await testBed.down();
    release();
  }
}

export async function containersOnTestBed(): Promise<number> {
  const testBed = TestBed.standing();
  const counts = [...testBed.hosts, testBed.localHost].map(async (host) => {
    if (!(await host.isDaemonUp)) return 0;
    return (await host.docker("ps", "--all", "--quiet")).stdout.split("\n").filter(Boolean).length;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function pullImages(testBed: TestBed, images: readonly string[]): Promise<void> {
  await Promise.all(
    DEFAULT_HOSTS.flatMap(({ name }) =>
      images.map((image) => testBed.host(name).dockerWith({ timeoutMs: 300_000 }, "pull", image)),
    ),
  );
}

const api = (host: Machine, path: string) => `http://${host.address}:8500/v1/${path}`;
const clientSees = (path: string, condition: string) =>
  `curl -s -m 1 ${api(CLIENT, path)} | jq -es '.[0].Servers // [] | ${condition} | length == ${SERVERS.length}' >/dev/null 2>&1`;

/** What can be waited for: shell commands that succeed when it is so. */
export const SEEN = {
  /** A server names a leader, "172.16.8.120:8300"; none is "". */
  leader: `curl -s -m 1 ${SERVERS.map((server) => api(server, "status/leader")).join(" ")} | grep -q ':8300"'`,
  /** The client knows all servers as voters. */
  allIn: clientSees("operator/raft/configuration", "map(select(.Voter))"),
  /** The leader finds all servers healthy. */
  allHealthy: clientSees("operator/autopilot/health", "map(select(.Healthy and .Voter))"),
} as const;

const WATCH_SECONDS = 180;

/** Looks every 100 ms, from the operator's machine. */
export const watchFor = (testBed: TestBed, what: keyof typeof SEEN): RunningCommand =>
  testBed.operator.spawn("timeout", [String(WATCH_SECONDS), "sh", "-c", `until ${SEEN[what]}; do sleep 0.1; done`]);

/** @throws Error when it is not seen in three minutes */
export async function seen({ finished }: RunningCommand, what: string): Promise<void> {
  if ((await finished).exitCode !== 0) throw new Error(`${what}: no whole cluster after ${WATCH_SECONDS} s`);
}
