import { duration, EventText, summaryLines } from "../../../ops/deploy/event-text";
import { type DeployEvent, eventLine } from "../../../ops/deploy/events";
import { Watched } from "./recorded-deploys";

type Summary = Extract<DeployEvent, { readonly event: "summary" }>;
const DONE: Summary = {
  event: "summary",
  command: "deploy",
  result: "done",
  seconds: 27,
  failures: [],
  untouched: [],
  unfinished: [],
  log: "logs/consul/deploy.log",
};

test("without a terminal, an event is a line, and nothing is told twice", () => {
  const text = new EventText();
  const lines = new Watched().replay("rolling").events.flatMap((event) => text.lines(event));
  expect(lines.filter((line) => line.startsWith("consul-server1: "))).toEqual([
    "consul-server1: waiting",
    "consul-server1: waiting: consul-server2 is being replaced, or leaves",
    "consul-server1: stop allowed: 2 of 3 voters are healthy without it, 2 are needed",
    "consul-server1: stopping",
    "consul-server1: stopped",
    "consul-server1: starting",
    "consul-server1: waiting for a leader",
    "consul-server1: ready, a voter, leader 172.16.8.122:8300",
    "consul-server1: services: none",
  ]);
  expect(lines).toContain("voters: consul-server1 consul-server2 consul-server3");
});

test("for programs, an event is a line of JSON with a version and times", () => {
  const watched = new Watched().replay("rolling", "consul-client1: waiting: server consul-server2");
  const event = watched.events.at(-1) as DeployEvent;
  expect(JSON.parse(eventLine(event, watched.now))).toEqual({
    version: 1,
    time: "2026-11-29T11:15:46.882Z",
    event: "agent",
    agent: "consul-client1",
    stack: "consul",
    phase: "waiting",
    detail: "waiting: server consul-server2 is being replaced",
    since: "2026-11-29T11:15:46.882Z",
  });
  expect(eventLine(DONE, 0)).not.toContain("\n");
});

test("a deploy that is done has its time and its log", () =>
  expect(summaryLines(DONE)).toEqual(["done after 0:27", "log: logs/consul/deploy.log"]));

test("a failed deploy ends with its reasons, agents with the same one together, and what to do next", () => {
  const failures = [
    { stack: "consul", subject: "s1", reason: "is not ready\nno such flag" },
    { stack: "consul", subject: "s2", reason: "not stopped: waiting" },
    { stack: "consul", subject: "s3", reason: "not stopped: waiting" },
    { stack: "rack", reason: "Saved plan is stale" },
  ];
  const told = summaryLines({ ...DONE, result: "failed", failures, untouched: ["c1"], unfinished: ["s1"] });
  expect(told).toEqual([
    "failed after 0:27",
    "  s1: is not ready",
    "    no such flag",
    "  s2 and s3: not stopped: waiting",
    "  stack rack: Saved plan is stale",
    "not touched: c1",
    "stopped, and not ready: s1",
    "next: fix this, then npm run deploy again: it does the rest",
    "log: logs/consul/deploy.log",
  ]);
});

test("an interrupted deploy tells what is still locked", () =>
  expect(
    summaryLines({ ...DONE, result: "interrupted", locks: ["consul-cdktf/replacing, for s1"], log: undefined }),
  ).toEqual([
    "interrupted after 0:27",
    "still locked: consul-cdktf/replacing, for s1",
    "next: npm run deploy does the rest; npm run status shows the cluster",
  ]));

test("saved plans are not applied again: the rest is planned and approved", () => {
  const next = (result: "failed" | "interrupted") =>
    summaryLines({ ...DONE, result, saved: true }).find((line) => line.startsWith("next: "));
  expect(next("failed")).toBe("next: fix this, then plan and approve the rest: npm run plan -- --out FOLDER");
  expect(next("interrupted")).toBe(
    "next: plan and approve the rest: npm run plan -- --out FOLDER; npm run status shows the cluster",
  );
});

test.each([
  [0, "0:00"],
  [67.9, "1:07"],
  [3723, "1:02:03"],
])("%d seconds are %s", (seconds, text) => expect(duration(seconds)).toBe(text));

test.each([
  ["SIGINT", 1, /^Ctrl-C: no further agent is stopped; what was begun is completed/],
  ["SIGHUP", 1, /^SIGHUP: no further agent is stopped/],
  ["SIGINT", 2, /^Ctrl-C again: Terraform is interrupted/],
] as const)("%s, the %i. time, is a line that tells what follows", (signal, times, line) =>
  expect(new EventText().lines({ event: "interrupted", signal, times })).toEqual([expect.stringMatching(line)]),
);
