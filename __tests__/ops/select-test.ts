import { select } from "../../ops/select";

const names = ["c", "c-a", "c-b"];

test("names are selected by patterns, in the order of the names", () => {
  expect(select("stack", names, [])).toEqual(names);
  expect(select("stack", names, ["c-b", "c"])).toEqual(["c", "c-b"]);
  expect(select("stack", names, ["c-*"])).toEqual(["c-a", "c-b"]);
  expect(select("stack", names, ["*"])).toEqual(names);
});

test("a pattern that matches no name is an error that suggests one", () =>
  expect(() => select("stack", names, ["c.a"])).toThrow(
    'there is no stack c.a; did you mean "c-a"?; there are c, c-a, c-b',
  ));
