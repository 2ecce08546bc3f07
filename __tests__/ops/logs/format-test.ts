import { Readable } from "node:stream";
import { linesOf } from "../../../ops/logs/agent-log";
import { lineJson, lineText } from "../../../ops/logs/format";

const line = {
  host: "h1",
  agent: "web1",
  time: "2026-11-25T09:00:00.000000001Z",
  line: "[INFO] \x1b[31magent\x1b[0m: joined",
};
const all = async (chunks: readonly string[]) => {
  const lines: string[] = [];
  for await (const each of linesOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk))))) lines.push(each);
  return lines;
};

test("names are as wide as the longest, and what would rule the terminal is taken out", () =>
  expect(lineText(["consul-server1", "web1"], false)(line)).toBe("web1            [INFO] agent: joined\n"));
test("at a terminal each agent has a colour of its own", () => {
  const text = lineText(["a", "web1"], true);
  const colours = ["a", "web1"].map((agent) => text({ ...line, agent }).split(agent)[0]);
  expect([colours.every((colour) => colour?.startsWith("\x1b[")), new Set(colours).size]).toEqual([true, 2]);
});
test("for programs a line is JSON, and as it was written", () => expect(JSON.parse(lineJson(line))).toEqual(line));

test("lines are put together from what comes, whatever the pieces", async () =>
  expect(await all(["on", "e\ntwo\nthr", "ee"])).toEqual(["one", "two", "three"]));
test("letters that are cut in two are put together", async () => {
  const bytes = Buffer.from("容器\n");
  const lines: string[] = [];
  for await (const each of linesOf(Readable.from([bytes.subarray(0, 2), bytes.subarray(2)]))) lines.push(each);
  expect(lines).toEqual(["容器"]);
});
test("a line without an end is given out in pieces, and not kept for ever", async () => {
  const lines = await all(Array.from({ length: 100 }, () => "x".repeat(10_000)));
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(80_000);
  expect(lines.join("").length).toBe(1_000_000);
});
