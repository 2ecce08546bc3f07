import { terminalPicture } from "../../e2e/terminal-picture";
import { descendants, parseXml } from "../ops/diagram/xml";

const elements = descendants(
  parseXml(terminalPicture("npm run status", "a <b>\n\x1b[2mHEAD\x1b[0m  \x1b[31mexited\x1b[0m  ends\n")),
);
const texts = elements
  .filter(({ name }) => name === "text")
  .map(({ text, attributes: { x, y, fill } }) => ({ text, x: Number(x), y: Number(y), fill }));
const of = (text: string) => texts.find((one) => one.text === text) as (typeof texts)[number];

test("every word is there, in its colour, and in the place that its line and column have", () => {
  expect(texts.map(({ text }) => text)).toEqual(["npm run status", "a <b>", "HEAD", "exited", "ends"]);
  expect(new Set([of("a <b>").fill, of("HEAD").fill, of("exited").fill]).size).toBe(3);
  expect(of("ends").fill).toBe(of("a <b>").fill);
  expect(of("exited").x - of("HEAD").x).toBeCloseTo(6 * 8.4);
  expect([of("exited").y, of("HEAD").y]).toEqual([of("ends").y, of("ends").y]);
  expect(of("HEAD").y).toBeGreaterThan(of("a <b>").y);
});
