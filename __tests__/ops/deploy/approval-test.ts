import { PassThrough } from "node:stream";
import { isApproved, whyNobodyIsAsked } from "../../../ops/deploy/approval";
import { Terminal } from "../../../ops/terminal/terminal";

const { stdin } = process;
afterEach(() => Object.defineProperty(process, "stdin", { value: stdin }));

/** Asks at a terminal, where somebody types. @param typed undefined: Ctrl-D */
async function ask(typed: string | undefined) {
  const input = new PassThrough();
  Object.defineProperty(process, "stdin", { value: Object.assign(input, { isTTY: true }), configurable: true });
  const output = new PassThrough();
  const answer = isApproved("Deploy consul?", new Terminal(new PassThrough(), output));
  input.end(typed);
  return { isApproved: await answer, asked: String(output.read()) };
}

test.each([
  ["yes\n", true],
  ["  yes  \n", true],
  ["y\n", false],
  ["\n", false],
  [undefined, false],
])("%j approves: %s", async (typed, approves) =>
  expect(await ask(typed)).toEqual({ isApproved: approves, asked: 'Deploy consul? Only "yes" is accepted: ' }),
);

test("without a terminal nobody is asked, and the option for scripts is named", () => {
  Object.defineProperty(process, "stdin", { value: { isTTY: undefined }, configurable: true });
  expect(whyNobodyIsAsked("destroy")).toMatch(/npm run destroy -- --auto-approve$/);
  Object.defineProperty(process, "stdin", { value: { isTTY: true }, configurable: true });
  expect(whyNobodyIsAsked("destroy")).toBeUndefined();
});
