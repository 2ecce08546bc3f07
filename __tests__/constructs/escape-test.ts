import { escaped, escapedAll } from "../../constructs/escape";
import { rendered } from "../synthesized";

test.each([
  ["${x}", "$${x}"],
  ["%{x}", "%%{x}"],
  ["$${x}", "$$${x}"],
  ["${a}%{b}${c}", "$${a}%%{b}$${c}"],
  ["$ % {} $x 100%", "$ % {} $x 100%"],
  ["", ""],
])("%j is written %j, for Terraform to leave alone", (text, written) => expect(escaped(text)).toBe(written));

test.each(["${", "$${", "$$${", "%{", "%%{", "$%{", "%${", "${${", "a${b}%{c}$$d"])(
  "%j is what Terraform makes of it again",
  (text) => {
    expect(rendered(escaped(text))).toBe(text);
  },
);

test("every string of a value is taken, keys included, and nothing else is touched", () => {
  expect(
    escapedAll({ "${k}": ["%{v}", { deep: "${w}" }], number: 1, yes: true, none: null, absent: undefined }),
  ).toEqual({
    "$${k}": ["%%{v}", { deep: "$${w}" }],
    number: 1,
    yes: true,
    none: null,
    absent: undefined,
  });
});
