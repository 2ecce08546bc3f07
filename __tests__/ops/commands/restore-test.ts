import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecTarget, StepRequest } from "../../../rollout/request";
import { FOUR_HOSTS, folder } from "../../cluster-files";
import { HostsStandIn } from "../backups/hosts-stand-in";
import { ClusterSecrets } from "../secrets/cluster-secrets";

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
/** Scripts that change nothing by themselves. */
const UNCHANGING = ["management-api", "consul-api", "probe"];

/** What was done to the hosts, in order. */
const done = ({ calls }: HostsStandIn): string[] =>
  calls.flatMap((call) => {
    const [, host = "", words = ""] = /^-H ssh:\/\/root@10\.0\.0\.(\d) (.*)$/.exec(call) ?? [];
    const script = /([a-z-]+)\.sh/.exec(words)?.[1];
    if (script === "snapshot") return [`${words.includes(" -T - ") ? "restore" : "save"} ${host}`];
    if (words.includes("snapshot inspect")) return [`inspect ${host}`];
    if (words.startsWith("restart ")) return [`restart ${host}`];
    return script && !UNCHANGING.includes(script) ? [`${script} ${host}`] : [];
  });
const touched = (one: HostsStandIn): string[] =>
  done(one).filter((what) =>
    /^(restore|purge-stale-catalog|reclaim-management-token|restart|acl|readiness)/.test(what),
  );

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
    const one = hosts(FOUR_HOSTS, {
      "*'# probe.sh'*": `printf '%s\\n' 'self {"raft": "Follower", "index": "1"}' 'leader ""' end`,
    });
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
      ...["inspect 1", "test-restore 1", "save 2", "inspect 1", "restore 2", "purge-stale-catalog 2"],
      // The steps that a deploy ends with: voters, then autopilot, then what the file defines.
      ...["voters 1", "autopilot 1", "definitions 1"],
      ...["verify-agent 1", "verify-agent 2", "verify-agent 3", "verify-agent 4"],
    ]);
    expect(readdirSync(join(one.project, "backups/c"))).toHaveLength(1);
  }, 60_000);

  test("neither saves nor tries with --no-backup and --no-trial", async () => {
    const one = hosts();
    expect((await one.run("restore", "a.snap", "--auto-approve", "--no-backup", "--no-trial")).status).toBe(0);
    expect(done(one).filter((what) => /^(save|test-restore)/.test(what))).toEqual([]);
    expect(existsSync(join(one.project, "backups"))).toBe(false);
  }, 60_000);

  test.each([
    [
      "the leader rejects it",
      { "*'# snapshot.sh'*' -T - '*": "cat >/dev/null; echo 'failed to read snapshot'; exit 22" },
      "failed to read snapshot",
    ],
    [
      "nodes of another cluster cannot be removed",
      { "*'# purge-stale-catalog.sh'*": "echo 'not done after 120 s' >&2; exit 3" },
      "not done after 120 s",
    ],
    [
      "a server is no voter",
      { "*'# voters.sh'*": "echo 'not all servers are voters' >&2; exit 3" },
      "not all servers are voters",
    ],
  ])(
    "ends with 2 when %s, and prints what to do",
    async (_, answers, why) => {
      const one = hosts(FOUR_HOSTS, answers);
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
  const roots = { "*'/v1/connect/ca/roots'*": `echo '{"Roots": [{"ID": "bb"}, {"ID": "aa"}]}'` };

  test("the management token is claimed if necessary, then tokens are restored from the secrets; client agents must know the CA that the servers have", async () => {
    const one = hosts(stored.written(), roots);
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({ status: 0 });
    const order = touched(one);
    expect(order.slice(0, 4)).toEqual(["restore 2", "reclaim-management-token 2", "purge-stale-catalog 2", "acl 1"]);
    const works = one.calls.filter((call) => call.includes("verify-agent.sh"));
    expect(works.map((call) => call.replace(/.*sh -c verify-agent\.sh sh /, ""))).toEqual(
      expect.arrayContaining(["20 aa bb", "20 "]),
    );
  }, 60_000);

  test("a client agent without a connection is restarted after its pre-stop check, until it is ready; no server is", async () => {
    const one = hosts(stored.written(), {
      ...roots,
      "*'# verify-agent.sh'*": `[ "$host" != 10.0.0.4 ] || [ -e ${marks}/restarted ] || { echo 'it trusts another Connect CA' >&2; exit 3; }`,
      "*' restart '*": `touch ${marks}/restarted`,
    });
    const { status, stdout } = await one.run("restore", "a.snap", "--auto-approve", "--json");
    expect([status, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ restarted: ["c1"], left: [] })]);
    expect(done(one).slice(-4)).toEqual(["pre-stop 4", "restart 4", "readiness 4", "verify-agent 4"]);
  }, 60_000);

  test("after an interrupted restore, no server accepts its own token: it is claimed first", async () => {
    const taken = `${marks}/taken`;
    const one = hosts(stored.written(), {
      ...roots,
      "*'# reclaim-management-token.sh'*": `[ "$host" = 10.0.0.2 ] && touch ${taken} || { echo 'not the leader' >&2; exit 4; }`,
      "*'# probe.sh'*": `[ -e ${taken} ] || { printf '%s\\n' 'self ! ACL not found' end; exit; }
printf '%s\\n' 'self {"raft": "Leader", "index": "9"}' 'leader "10.0.0.2:8300"' end`,
    });
    expect(await one.run("restore", "a.snap", "--auto-approve")).toMatchObject({ status: 0 });
    expect(touched(one).slice(0, 3)).toEqual(["reclaim-management-token 1", "reclaim-management-token 2", "restore 1"]);
  }, 60_000);

  test("no secret is among docker's arguments", async () => {
    const one = hosts(stored.written(), roots);
    await one.run("restore", "a.snap", "--auto-approve");
    for (const id of Object.values<string>(stored.json("tokens.json").current))
      expect(one.calls.join("\n")).not.toContain(id);
  }, 60_000);
});
