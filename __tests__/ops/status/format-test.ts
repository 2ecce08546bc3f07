import { stripVTControlCharacters } from "node:util";
import { type TextOptions, text } from "../../../ops/status/format";
import { duration } from "../../../ops/status/rows";
import { statusOf } from "../../../ops/status/status";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { member } from "../../rollout/answers";
import { manyClients } from "../diagram/clusters";
import { type MadeSurvey, STOPPED, surveyOf } from "./surveys";

const cluster = load(FOUR_HOSTS);
const shown = (made: MadeSurvey = {}, of = cluster, options: Partial<TextOptions> = {}) =>
  text(statusOf(of, surveyOf(of, made)), { colour: false, all: false, ...options });

test("one screen: facts about the cluster, a row for each agent, servers first, and the problems with their hints", () => {
  const noLeader = { says: { leader: "" } };
  expect(shown({ agents: { c1: STOPPED, s3: noLeader, s2: { container: { restart: "no" } } } })).toBe(`\
c · datacenter dc1 · 3 servers and 1 client on 4 hosts · security off
unhealthy: 3 of 4 agents

leader    s1 (10.0.0.1:8300)
voters    3 of 3 servers; tolerates no failure
services  2 (nginx and redis)
image     hashicorp/consul:1.22.2
docker    28.2.2
ui        http://127.0.0.1:8500/ui (s1)
ui        http://127.0.0.1:8500/ui (s2)
ui        http://127.0.0.1:8500/ui (s3)
ui        http://127.0.0.1:8500/ui (c1)

AGENT  ADDRESS        MEMBER  ROLE    CONSUL  CONTAINER                 RAFT                   LEADER
s1     10.0.0.1:8301  alive   server  1.22.2  up 2 h, healthy           leads                  s1
s2     10.0.0.2:8301  alive   server  1.22.2  up 2 h, healthy, changed  votes, 0 behind, 23ms  s1
s3     10.0.0.3:8301  alive   server  1.22.2  up 2 h, healthy           votes, 0 behind, 23ms  none
c1     10.0.0.4:8301  alive   client          exited

problems
  c1: its container has exited
      hint: npm run doctor -- --fix; by hand: docker start c1
  s2: its restart policy is no; always was deployed
      hint: npm run doctor -- --fix; by hand: npm run deploy
  s3: it is not ready: it knows no leader
      hint: docker logs s3
`);
});

test("no host is reachable: the hosts are named, and unknown facts are left out", () => {
  const silent = Object.fromEntries(cluster.hosts.map(({ name }) => [name, "no answer within 3.5 s"]));
  const lines = shown({ silent }).split("\n");
  expect(lines).toContain("unhealthy: 4 of 4 agents; 4 of 4 hosts unreachable");
  expect(lines).toContain("leader    none");
  expect(lines.some((line) => /^(voters|services|image|docker)/.test(line))).toBe(false);
  expect(lines).toContain("  s1: its Docker daemon is unreachable: no answer within 3.5 s");
});

test("a column without information is left out: hosts have one where agents have other names than their hosts", () => {
  const [head] = shown().match(/^AGENT.*$/m) ?? [];
  expect(head?.split(/\s+/)).toEqual(["AGENT", "ADDRESS", "MEMBER", "ROLE", "CONSUL", "CONTAINER", "RAFT", "LEADER"]);
  const shared = load(FOUR_HOSTS.replace("clients: [c1]", "clients: [{ name: web, host: c1 }]"));
  expect(shown({}, shared)).toMatch(/^AGENT {2}HOST {2}ADDRESS/m);
  expect(shown({}, shared)).toMatch(/^web {4}c1 /m);
});

test("a narrow terminal gets fewer columns; those that show what is unhealthy are left out last", () => {
  const headOf = (width: number, made: MadeSurvey = {}) =>
    /^AGENT.*$/m.exec(shown(made, cluster, { width }))?.[0].split(/\s+/);
  const rowsOf = (width: number) => shown({}, cluster, { width }).match(/^(AGENT|[sc]\d ).*$/gm) ?? [];
  expect(headOf(97)).toEqual(headOf(Number.POSITIVE_INFINITY));
  expect(headOf(80)).toEqual(["AGENT", "MEMBER", "ROLE", "CONSUL", "CONTAINER", "RAFT", "LEADER"]);
  expect(headOf(57)).toEqual(["AGENT", "CONTAINER", "RAFT", "LEADER"]);
  expect(headOf(1)).toEqual(["AGENT", "CONTAINER", "RAFT"]);
  for (const width of [97, 80, 57])
    expect(Math.max(...rowsOf(width).map((row) => row.length))).toBeLessThanOrEqual(width);
  const members = ["s1", "s2", "s3"].map((name) => member(name));
  const says = { members: [...members, member("c1", { Status: 4, role: "node" })] };
  const failed = { agents: { s1: { says }, c1: STOPPED } };
  expect(headOf(57, failed)).toEqual(["AGENT", "MEMBER", "CONTAINER", "RAFT"]);
  expect(headOf(1, failed)).toEqual(["AGENT", "CONTAINER", "RAFT"]);
});

test("failing checks are shown, and the cluster is healthy", () => {
  const failing = [{ node: "c1", service: "nginx", check: "http", status: "critical", output: "502" } as const];
  const screen = shown({ agents: { s1: { says: { failing } } } });
  expect(screen).toContain("\nhealthy\n");
  expect(screen).toContain("services  2 (nginx and redis); 1 check failing\n");
  expect(screen).toContain('notices\n  check "http" of service nginx on c1 is critical: 502\n');
});

describe("1000 hosts", () => {
  const many = manyClients(997);
  const lines = (made: MadeSurvey, options: Partial<TextOptions> = {}) => shown(made, many, options).split("\n");
  const silent = Object.fromEntries(many.hosts.slice(5, 700).map(({ name }) => [name, "no answer within 3.5 s"]));

  test("all healthy: counts, and no row", () => {
    const screen = lines({});
    expect(screen).toContain("and 1000 healthy agents: npm run status -- --all");
    expect(screen.length).toBeLessThan(15);
  });
  test("most hosts unreachable: other problems are not lost among them", () => {
    const screen = lines({ silent, agents: { web0: STOPPED } });
    expect(screen.length).toBeLessThan(60);
    expect(screen).toContain("unhealthy: 696 of 1000 agents; 695 of 1000 hosts unreachable");
    expect(screen.find((line) => line.startsWith("web"))).toMatch(/^web0 .*exited$/);
    expect(screen.filter((line) => line.includes("its Docker daemon is unreachable"))).toHaveLength(1);
    expect(screen).toContain("  web0: its container has exited");
    expect(screen).toContain("and 666 more unhealthy agents, 304 healthy agents: npm run status -- --all");
  });
  test("--all shows each", () =>
    expect(lines({ silent }, { all: true }).filter((line) => /^ {2}web\d+: its Docker daemon/.test(line))).toHaveLength(
      695,
    ));
  test("different problems of many agents are counted from the thirtieth on", () => {
    const agents = Object.fromEntries(
      many.agents.slice(3, 53).map(({ name }, index) => [name, { silent: `error ${index}` }]),
    );
    expect(lines({ agents })).toContain("  and 20 more: npm run status -- --all");
  });
});

test("without room for all rows, those of unhealthy agents stay", () => {
  const lines = shown({ agents: { c1: STOPPED } }, cluster, { room: 20 }).split("\n");
  expect(lines.length).toBeLessThanOrEqual(21);
  expect(lines).toContain("and 3 healthy agents: npm run status -- --all");
  expect(lines.some((line) => /^c1 .*exited$/.test(line))).toBe(true);
  expect(lines).toContain("  c1: its container has exited");
});

test("colours are added to the same text", () => {
  const made = { agents: { c1: STOPPED } };
  const painted = shown(made, cluster, { colour: true });
  expect(painted).toContain("\x1b[31mexited\x1b[0m");
  expect(stripVTControlCharacters(painted)).toBe(shown(made));
});

test.each([
  [-5, "0 s"],
  [119_000, "119 s"],
  [120_000, "2 min"],
  [7_200_000, "2 h"],
  [364.9 * 86_400_000, "364 d"],
])("%d ms are %s", (ms, words) => expect(duration(ms)).toBe(words));
