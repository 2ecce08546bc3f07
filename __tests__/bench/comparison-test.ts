import { type Comparison, interleaved, isMet, mean, median, ratio } from "../../bench/comparison";

const comparison = (given: Partial<Comparison>): Comparison => ({
  what: "x",
  ours: 1,
  against: "y",
  theirs: 2,
  unit: "s",
  ...given,
});

test("an aim is a multiple of theirs, or an amount, or there is none", () => {
  expect(isMet(comparison({ aim: { ratio: 0.5 } }))).toBe(true);
  expect(isMet(comparison({ aim: { ratio: 0.49 } }))).toBe(false);
  expect(isMet(comparison({ aim: { ours: 1 } }))).toBe(true);
  expect(isMet(comparison({ aim: { ours: 0.99 } }))).toBe(false);
  expect(isMet(comparison({ ours: 1000 }))).toBe(true);
});

test("where theirs is nothing there is no ratio, and an aim is judged all the same", () => {
  expect(ratio(comparison({ theirs: 0 }))).toBeUndefined();
  expect(isMet(comparison({ theirs: 0, aim: { ratio: 1.2 } }))).toBe(false);
  expect(isMet(comparison({ ours: 0, theirs: 0, aim: { ratio: 1.2 } }))).toBe(true);
});

test("all sides run in turn, every other time the other way round", async () => {
  const order: string[] = [];
  const side = (name: string) => async () => order.push(name);
  const results = await interleaved(3, { a: side("a"), b: side("b"), c: side("c") });
  expect(order.join("")).toBe("abccbaabc");
  expect(results).toEqual({ a: [1, 6, 7], b: [2, 5, 8], c: [3, 4, 9] });
});

test("a mean shows both modes of what has two, a median one of them", () => {
  expect(mean([6, 36, 36, 6])).toBe(21);
  expect(median([6, 36, 36])).toBe(36);
  expect(median([6, 36, 36, 8])).toBe(22);
});
