import { HostMaintenance } from "../../../ops/maintenance/host-maintenance";
import { clusterFile, FOUR_HOSTS, folder } from "../../cluster-files";
import { run } from "../../command-line";

jest.mock("../../../ops/terraform/synth", () => ({ synthesizeBesideOthers: async () => [] }));
jest.mock("../../../ops/maintenance/host-maintenance");

const CLUSTER = clusterFile(FOUR_HOSTS);
/** 2026-11-29 12:00 UTC. */
const SINCE = 1795953600;

/** What the host's maintenance is asked, in order. */
let asked: string[] = [];

/** @param answers of the maintenance; others are what they are if nothing fails */
function maintenance({ begin, end, down = [] }: { begin?: string; end?: string; down?: (string | undefined)[] }) {
  asked = [];
  let since: number | undefined;
  const mock = {
    agents: [{ name: "s1", role: "server" }],
    begin: async () => {
      asked.push("begin");
      if (begin === undefined) since = SINCE;
      return begin;
    },
    end: async () => {
      asked.push("end");
      if (end === undefined) since = undefined;
      return end;
    },
    starts: async () => new Map([["s1", "before"]]),
    whyDown: async (before: ReadonlyMap<string, string>) => {
      asked.push(`is back, but from ${before.get("s1")}`);
      return down.shift();
    },
    since: async () => since,
  };
  (HostMaintenance as jest.Mock).mockImplementation(() => mock);
}
const maintain = (...words: string[]) => run(["maintain", "s1", ...words], { env: { CLUSTER }, cwd: folder() });

test("--begin prints since when, and what ends it", async () => {
  maintenance({});
  const { status, stdout } = await maintain("--begin");
  expect([status, asked]).toEqual([0, ["begin"]]);
  expect(stdout).toContain(
    "s1 is in maintenance since 2026-11-29 12:00 UTC\n  when it is over: npm run maintain -- s1 --end",
  );
});

test("a host that the cluster cannot spare is exit code 1, and the command around is not run", async () => {
  maintenance({ begin: "only 1 of 3 voters would be healthy" });
  const { status, stdout } = await maintain("--json", "--", "sh", "-c", "exit 7");
  expect([status, asked, JSON.parse(stdout)]).toEqual([
    1,
    ["begin"],
    {
      file: CLUSTER,
      host: "s1",
      inMaintenance: false,
      agents: [{ name: "s1", role: "server" }],
      failure: "only 1 of 3 voters would be healthy",
    },
  ]);
});

test("a command that succeeds is followed by the end; with --reboot, by containers that were started again", async () => {
  maintenance({});
  const plain = await maintain("--", "true");
  expect([plain.status, plain.stdout.split("\n").at(-2)]).toEqual([0, "s1 is in use again"]);
  expect(asked).toEqual(["begin", "is back, but from undefined", "end"]);
  maintenance({ down: ["its host has not been restarted yet"] });
  const reboot = await maintain("--reboot", "--", "true");
  expect([reboot.status, reboot.stderr]).toEqual([0, expect.stringContaining("its host has not been restarted yet")]);
  expect(asked).toEqual(["begin", "is back, but from before", "is back, but from before", "end"]);
});

test.each([
  [["sh", "-c", "exit 7"], 7],
  [["/nowhere/program"], 127],
])("after a command that fails, %j, the host stays in maintenance", async (command, exitCode) => {
  maintenance({});
  const { status, stdout } = await maintain("--", ...command);
  expect([status, asked]).toEqual([exitCode, ["begin"]]);
  expect(stdout).toContain("s1 is in maintenance since");
});

test("--end gives a host up that is not back in time", async () => {
  maintenance({ down: ["its Docker daemon is unreachable", "its Docker daemon is unreachable"] });
  const { status, stderr } = await maintain("--end", "--wait", "0.1");
  expect([status, stderr]).toEqual([1, expect.stringContaining("its Docker daemon is unreachable, for 0.1 s")]);
  expect(asked).not.toContain("end");
});

test("--end is exit code 1 while an agent is not ready", async () => {
  maintenance({ end: "s1: is not ready after 120 s" });
  expect((await maintain("--end")).status).toBe(1);
});
