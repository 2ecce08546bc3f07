import { PassThrough } from "node:stream";
import type { DeployEvent } from "../../../ops/deploy/events";
import { Progress } from "../../../ops/deploy/progress";
import { reportFor } from "../../../ops/deploy/report";
import { Terminal } from "../../../ops/terminal/terminal";
import { PLANNED, recorded } from "./recorded-deploys";

const PLAN: DeployEvent = { event: "plan", command: "deploy", file: "c.yaml", stacks: [PLANNED], skipped: {} };
const SUMMARY: DeployEvent = {
  event: "summary",
  command: "deploy",
  result: "done",
  seconds: 49,
  failures: [],
  untouched: [],
  unfinished: [],
  log: "logs/consul/deploy.log",
};

/** What a deploy of four agents prints. */
function shown(options: { readonly json?: boolean }, output: object = {}): string {
  const stdout = Object.assign(new PassThrough(), output);
  const report = reportFor(options, new Terminal(stdout, new PassThrough()));
  report.take(PLAN);
  report.take({ event: "approved", by: "answer" });
  const progress = new Progress([PLANNED], (event) => report.take(event), Date.now);
  report.begin(progress);
  for (const { line } of recorded("rolling")) progress.take("consul", line);
  report.take({ event: "interrupted", signal: "SIGINT", times: 1 });
  report.end();
  report.take(SUMMARY);
  return String(stdout.read());
}

/** The lines of a terminal that has been told to redraw some. */
function onScreen(text: string): string[] {
  const lines: string[] = [];
  let row = 0;
  for (const [, control, line] of text.replaceAll("\x1b[", "␛").matchAll(/␛([?\d]*[A-Za-z])|([^␛\n]+)|\n/g)) {
    if (control?.endsWith("A")) row -= Number.parseInt(control, 10);
    else if (control === "J") lines.length = row;
    else if (line !== undefined) lines[row] = line;
    else if (control === undefined) row += 1;
  }
  return Array.from(lines, (line) => line ?? "");
}

test("a deploy of four agents fits on the first screen of a terminal", () => {
  const lines = onScreen(shown({}, { isTTY: true, rows: 25 }));
  expect(lines.slice(1, 4)).toEqual([
    "consul",
    "  -/+ replace         consul-client1, consul-server1, consul-server2, consul-server3",
    "  with 9 terraform_data",
  ]);
  expect(lines.slice(7)).toEqual([
    "[========================] 100 %  4 of 4 agents  0:00",
    "  consul-client1  ready            leader 172.16.8.120:8300",
    "  consul-server1  ready            a voter, leader 172.16.8.122:8300",
    "  consul-server2  ready            a voter, leader 172.16.8.120:8300",
    "  consul-server3  ready            a voter, leader 172.16.8.120:8300",
    "Ctrl-C: no further agent is stopped; what was begun is completed. Ctrl-C again interrupts Terraform",
    "",
    "done after 0:49",
    "log: logs/consul/deploy.log",
  ]);
  expect(lines.length).toBeLessThanOrEqual(20);
});

test("without a terminal nothing is redrawn", () => {
  const text = shown({});
  expect(text).not.toContain("\x1b");
  expect(text).toContain(
    "\nconsul-server2: stopping\nconsul-server1: waiting: consul-server2 is being replaced, or leaves\n",
  );
  expect(text.endsWith("\n\ndone after 0:49\nlog: logs/consul/deploy.log\n")).toBe(true);
});

test("for programs, standard output has nothing but events, and the summary is the last", () => {
  const events = shown({ json: true })
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.map(({ version }) => version)).toEqual(events.map(() => 1));
  expect([events[0].event, events[1].event, events.at(-1).event]).toEqual(["plan", "approved", "summary"]);
});
