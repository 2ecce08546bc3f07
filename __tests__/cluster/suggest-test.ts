import { didYouMean } from "../../cluster/suggest";

test.each([
  ["sevrers", ["servers", "clients"], '; did you mean "servers"?'],
  ["c11", ["c1", "s1"], '; did you mean "c1"?'],
  ["kubernetes", ["servers", "clients"], ""],
  ["x", ["ui"], ""],
  ["abc", ["abxy"], ""],
  ["anything", [], ""],
])("for %j among %j: %j", (given, names, said) => expect(didYouMean(given, names)).toBe(said));
