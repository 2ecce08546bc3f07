import { escaped, escapedAll } from "../../constructs/escape";
import { rendered } from "../synthesized";

test.each([
  ["${x}", "$${x}"],
  ["%{x}", "%%{x}"],
  ["$${x}", "$$${x}"],
  ["${a}%{b}${c}", "$${a}%%{b}$${c}"],
  ["$ % {} $x 100%", "$ % {} $x 100%"],
  ["", ""],
])("%j is escaped for Terraform as %j", (text, written) => expect(escaped(text)).toBe(written));

test.each(["${", "$${", "$$${", "%{", "%%{", "$%{", "%${", "${${", "a${b}%{c}$$d"])(
  "%j is what Terraform makes of it again",
  (text) => {
    expect(rendered(escaped(text))).toBe(text);
  },
);

test("every string of a value is escaped, including keys, and no other value changes", () => {
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
