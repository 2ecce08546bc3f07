import { COLUMNS, terminalPicture } from "../../docs/terminal-picture";
import { descendants, parseXml } from "../ops/diagram/xml";

const textsOf = (written: string) =>
  descendants(parseXml(terminalPicture("An example.", "npm run status", written)))
    .filter(({ name }) => name === "text")
    .map(({ text, attributes: { x, y, fill, textLength } }) => ({
      ...{ text, fill, x: Number(x), y: Number(y), right: Number(x) + Number(textLength) },
    }));

test("the prompt and every word are there, in their colours, and in the place that line and column have", () => {
  const texts = textsOf("a <b>\n\x1b[2mHEAD\x1b[0m  \x1b[31mexited\x1b[0m  ends\n");
  const of = (text: string) => texts.find((one) => one.text === text) as (typeof texts)[number];
  expect(texts.map(({ text }) => text)).toEqual(["$ npm run status", "a <b>", "HEAD", "exited", "ends"]);
  expect(new Set([of("a <b>").fill, of("HEAD").fill, of("exited").fill]).size).toBe(3);
  expect(of("ends").fill).toBe(of("a <b>").fill);
  expect(of("exited").x - of("HEAD").x).toBeCloseTo(6 * 7.2);
  expect([of("exited").y, of("HEAD").y]).toEqual([of("ends").y, of("ends").y]);
  expect(of("HEAD").y).toBeGreaterThan(of("a <b>").y);
});

test("a long line goes on below its last column, in its colour; another one a little to the right", () => {
  const words = "word ".repeat(COLUMNS / 5).trim();
  const [, fact, value, rest] = textsOf(`\x1b[2mui\x1b[0m  \x1b[33m${words} more\x1b[0m`);
  expect([fact?.text, rest?.x, rest?.fill]).toEqual(["ui", value?.x, value?.fill]);
  expect(rest?.y).toBeGreaterThan(value?.y ?? Number.NaN);
  const [, line, next] = textsOf(`${words} word more`);
  expect((next?.x ?? 0) - (line?.x ?? 0)).toBeCloseTo(2 * 7.2);
  expect(textsOf(`${words} `.repeat(5)).every(({ right }) => right <= 440 - 14)).toBe(true);
});
