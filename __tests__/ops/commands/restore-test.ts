import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecTarget, StepRequest } from "../../../rollout/request";
import { FOUR_HOSTS, folder } from "../../cluster-files";
import { type ApiAnswers, HostsStandIn, MANAGEMENT, self } from "../backups/hosts-stand-in";
import { ClusterSecrets } from "../secrets/cluster-secrets";

// Time passes at once.
let mockTime = 0;
jest.mock("../../../rollout/clock", () => ({
  ...jest.requireActual("../../../rollout/clock"),
  SYSTEM_CLOCK: {
    now: () => mockTime,
    sleep: async (ms: number) => {
      mockTime += ms;
    },
  },
}));

// Steps of a deploy have tests of their own. Here a step is one call of docker, with its name as a script's, and the
// exit code is the outcome.
jest.mock("../../../rollout/perform", () => ({
  perform: async ({
    step,
    target,
    servers,
  }: StepRequest & { target?: ExecTarget; servers?: readonly ExecTarget[] }) => {
    const { daemon, container } = target ?? servers?.[0] ?? { daemon: "", container: "" };
    const { status, stderr } = spawnSync("docker", ["-H", daemon, "exec", container, `# ${step}.sh\n`], {
      encoding: "utf8",
      env: process.env,
    });
    return { kind: status === 0 ? "allow" : "deny", reason: stderr.trim() || "done", hint: "" };
  },
}));

/** With a snapshot to restore. */
function hosts(...given: ConstructorParameters<typeof HostsStandIn>): HostsStandIn {
  const made = new HostsStandIn(...given);
  writeFileSync(join(made.project, "a.snap"), "good\n");
  return made;
}
/** Files and paths of Consul's API that one step alone asks for. */
const STEPS: readonly (readonly [form: string, step: string])[] = [
  ["/consul/secrets/management.header", "claim"],
  ["/consul/secrets/tokens.json", "verify"],
  ["DELETE /v1/kv/consul-cdktf/?recurse", "purge"],
];

/** What was done to the hosts, in order. */
const done = ({ calls }: HostsStandIn): string[] =>
  calls.flatMap((call) => {
    const [, host = "", words = ""] = /^-H ssh:\/\/root@10\.0\.0\.(\d) (.*)$/.exec(call) ?? [];
    const script = /([a-z-]+)\.sh/.exec(words)?.[1];
    if (script === "snapshot") return [`${words.includes(" -T - ") ? "restore" : "save"} ${host}`];
    const [, step] = STEPS.find(([form]) => words.endsWith(form)) ?? [];
    if (step !== undefined) return [`${step} ${host}`];
    if (words.includes("snapshot inspect")) return [`inspect ${host}`];
    if (words.startsWith("restart ")) return [`restart ${host}`];
    return script ? [`${script} ${host}`] : [];
  });
const touched = (one: HostsStandIn): string[] =>
  done(one).filter((what) => /^(restore|purge|claim|restart|acl|readiness)/.test(what));

describe("npm run restore changes nothing", () => {
  test.each([
    ["without a file", [], "error: missing required argument 'FILE'"],
    ["when there is no such file", ["b.snap"], "b.snap is not a file\n  npm run backup -- --list lists the snapshots"],
    ["without approval, and without a terminal to ask", ["a.snap"], "approve with --auto-approve"],
  ])(
    "%s",
    async (_, words, why) => {
      const one = hosts();
      expect(await one.run("restore", ...words)).toMatchObject({ status: 1, stderr: expect.stringContaining(why) });
      expect(touched(one)).toEqual([]);
    },
    60_000,
  );

  test("by a damaged file", async () => {
    const one = hosts();
    writeFileSync(join(one.project, "a.snap"), "half");
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(
        "a.snap cannot be restored; nothing was changed\nError reading snapshot: unexpected EOF",
      ),
    });
    expect([touched(one), existsSync(join(one.project, "backups"))]).toEqual([[], false]);
  }, 60_000);

  test("by a snapshot that a server could not restore, which is tried on another host than the leader's", async () => {
    const one = hosts(FOUR_HOSTS, {
      "*'# test-restore.sh'*": "echo 'panic: failed to restore snapshot: Unrecognized msg type 62' >&2; exit 3",
    });
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("Unrecognized msg type 62"),
    });
    expect([touched(one), done(one).filter((what) => what.startsWith("test-restore"))]).toEqual([
      [],
      ["test-restore 1"],
    ]);
  }, 60_000);

  test("while a deploy is running", async () => {
    const one = hosts();
    one.program("terraform", "echo 'Error acquiring the state lock' >&2; exit 1");
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("a deploy is running in c"),
    });
    expect(touched(one)).toEqual([]);
  }, 60_000);

  test("when there is no leader", async () => {
    const one = hosts(FOUR_HOSTS, {}, [[/GET \/v1\/status\/leader/, ""]]);
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no reachable server knows a leader"),
    });
  }, 60_000);

  test("when the present data cannot be saved first", async () => {
    const one = hosts(FOUR_HOSTS, { "*'# snapshot.sh'*' --speed-time '*": "exit 28" });
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("s2 gives no snapshot"),
    });
    expect(touched(one)).toEqual([]);
  }, 60_000);

  test("without the secrets", async () => {
    const one = hosts(FOUR_HOSTS.replace("security: off", "security: { secrets: /nowhere/secrets }"));
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("rejected; nothing was changed"),
    });
    expect(touched(one)).toEqual([]);
  }, 60_000);
});

describe("npm run restore", () => {
  test("verifies, tries, names what is lost, saves the present data, restores on the leader, and makes all agents work", async () => {
    const one = hosts();
    const { status, stdout, stderr } = await one.run("restore", "a.snap", "--auto-approve");
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(
        /c is at index 90; the snapshot: index 33, .*\nAll writes since the snapshot, which is .* old, are lost/,
      ),
    ]);
    expect(stdout).toContain("restored: all servers are voters, s2 is the leader, and every agent's token is accepted");
    const order = done(one);
    // The agents are asked at once.
    expect([...order.slice(0, -4), ...order.slice(-4).sort()]).toEqual([
      ...["inspect 1", "test-restore 1", "save 2", "inspect 1", "restore 2", "purge 2"],
      // The steps that a deploy ends with: voters, then autopilot, then what the file defines.
      ...["voters 1", "autopilot 1", "definitions 1"],
      ...["verify 1", "verify 2", "verify 3", "verify 4"],
    ]);
    expect(readdirSync(join(one.project, "backups/c"))).toHaveLength(1);
  }, 60_000);

  test("neither saves nor tries with --no-backup and --no-trial", async () => {
    const one = hosts();
    expect((await one.run("restore", "a.snap", "--auto-approve", "--no-backup", "--no-trial")).status).toBe(0);
    expect(done(one).filter((what) => /^(save|test-restore)/.test(what))).toEqual([]);
    expect(existsSync(join(one.project, "backups"))).toBe(false);
  }, 60_000);

  test.each<[string, ConstructorParameters<typeof HostsStandIn>[1], ApiAnswers, string]>([
    [
      "the leader rejects it",
      { "*'# snapshot.sh'*' -T - '*": "cat >/dev/null; echo 'failed to read snapshot'; exit 22" },
      [],
      "failed to read snapshot",
    ],
    [
      "nodes of another cluster cannot be removed",
      {},
      [
        [/GET \/v1\/(catalog\/nodes|health\/state)/, [{ Node: "s1", ID: "theirs", ModifyIndex: 7 }]],
        [/PUT \/v1\/txn/, 500],
      ],
      "not done after 120 s: removing nodes of agents that are not this cluster's",
    ],
    [
      "a server is no voter",
      { "*'# voters.sh'*": "echo 'not all servers are voters' >&2; exit 3" },
      [],
      "not all servers are voters",
    ],
  ])(
    "ends with 2 when %s, and prints what to do",
    async (_, answers, api, why) => {
      const one = hosts(FOUR_HOSTS, answers, api);
      const { status, stderr } = await one.run("restore", "a.snap", "--auto-approve");
      expect([status, stderr]).toEqual([2, expect.stringContaining(why)]);
      expect(stderr).toMatch(
        /the data was changed, and the cluster is not healthy: .*\n {2}run it again; the previous data is in backups\/c\/\S+\.snap/,
      );
    },
    60_000,
  );

  test("ends with 2 when a client agent's host is unreachable, and names it", async () => {
    const one = hosts(FOUR_HOSTS, { "*' version --format '*": '[ "$host" != 10.0.0.4 ] && echo 27' });
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(
        "the data was changed, and the cluster is not healthy: c1: its host is unreachable",
      ),
    });
  }, 60_000);
});

describe("in a cluster with security", () => {
  const stored = new ClusterSecrets();
  const marks = folder();
  beforeAll(() => stored.init());
  const secured = (answers = {}, api: ApiAnswers = []) => hosts(stored.written(), answers, api, stored.path);
  const OWN_ROOTS = "/v1/agent/connect/ca/roots";

  test("the management token is claimed if necessary, then tokens are restored from the secrets; client agents must know the CA that the servers have", async () => {
    const one = secured();
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({ status: 0 });
    expect(touched(one).slice(0, 4)).toEqual(["restore 2", "claim 2", "purge 2", "acl 1"]);
    expect(one.calls.filter((call) => call.endsWith(OWN_ROOTS))).toEqual([`-H ssh://root@10.0.0.4 GET ${OWN_ROOTS}`]);
  }, 60_000);

  test("a client agent without a connection is restarted after its pre-stop check, until it is ready; no server is", async () => {
    const restarted = join(marks, "restarted");
    const trusted = () => ({ Roots: existsSync(restarted) ? [{ ID: "aa" }, { ID: "bb" }] : [{ ID: "old" }] });
    const one = secured({ "*' restart '*": `touch ${restarted}` }, [[/GET \/v1\/agent\/connect/, trusted]]);
    const { status, stdout } = await one.run("restore", "a.snap", "--auto-approve", "--json");
    expect([status, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ restarted: ["c1"], left: [] })]);
    expect(done(one).slice(-4)).toEqual(["pre-stop 4", "restart 4", "readiness 4", "verify 4"]);
    // It had 20 s to notice the change by itself.
    expect(one.calls.filter((call) => call.endsWith(OWN_ROOTS))).toHaveLength(21 + 1);
  }, 60_000);

  test("after an interrupted restore, no server accepts its own token: it is claimed first", async () => {
    const taken = join(marks, "taken");
    const claims = (host: string) => {
      if (host !== "10.0.0.2") return 403;
      writeFileSync(taken, "");
      return { AccessorID: "accessor" };
    };
    const known = (answer: unknown) => () => (existsSync(taken) ? answer : 403);
    const one = secured({}, [
      [/PUT \/v1\/acl\/bootstrap/, claims],
      [/GET \/v1\/acl\/token\/self/, known(MANAGEMENT)],
      [/GET \/v1\/agent\/self/, known(self("Leader", 9))],
    ]);
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({ status: 0 });
    expect(touched(one).slice(0, 3)).toEqual(["claim 1", "claim 2", "restore 1"]);
  }, 60_000);

  test("no secret is among docker's arguments", async () => {
    const one = secured();
    await one.run("restore", "a.snap", "--auto-approve");
    for (const id of Object.values<string>(stored.json("tokens.json").current))
      expect(one.calls.join("\n")).not.toContain(id);
  }, 60_000);
});
