import { coloured } from "../../../ops/terminal/screen";

test.each([
  ["a terminal", { isTTY: true }, {}, true],
  ["a pipe", {}, {}, false],
  ["a terminal with NO_COLOR", { isTTY: true }, { NO_COLOR: "1" }, false],
  ["a pipe with FORCE_COLOR", {}, { FORCE_COLOR: "1" }, true],
  ["a terminal where they are forced off", { isTTY: true }, { FORCE_COLOR: "0" }, false],
])("colours for %s", (_, stream, env, yes) => expect(coloured(stream, env)).toBe(yes));
