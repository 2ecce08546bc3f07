import { Block, coloured } from "../../../ops/terminal/screen";

test.each([
  ["a terminal", { isTTY: true }, {}, true],
  ["a pipe", {}, {}, false],
  ["a terminal with NO_COLOR", { isTTY: true }, { NO_COLOR: "1" }, false],
  ["a pipe with FORCE_COLOR", {}, { FORCE_COLOR: "1" }, true],
  ["a terminal where they are forced off", { isTTY: true }, { FORCE_COLOR: "0" }, false],
])("colours for %s", (_, stream, env, yes) => expect(coloured(stream, env)).toBe(yes));

test("a block is redrawn in place: what stands above it stays, and fewer lines leave nothing behind", () => {
  const written: string[] = [];
  const block = new Block({ write: (text: string) => written.push(text) } as never);
  block.draw(["one", "two"]);
  block.draw(["three"]);
  block.end();
  expect(written).toEqual([
    "\x1b[?25l\x1b[?7l",
    "one\x1b[K\ntwo\x1b[K\n\x1b[J",
    "\x1b[2Athree\x1b[K\n\x1b[J",
    "\x1b[?25h\x1b[?7h",
  ]);
});
