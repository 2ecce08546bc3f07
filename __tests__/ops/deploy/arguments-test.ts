import { parseArguments, select } from "../../../ops/deploy/arguments";

describe("the command line of deploy", () => {
  const deploy = (...args: string[]) => parseArguments("deploy", args);

  test("its own options are taken, stacks are told from them, and the rest is passed on in its order", () => {
    const args = [
      "--auto-approve",
      "consul-a",
      "--without",
      "h1",
      "--without=h2",
      "--outputs-file",
      "out.json",
      "consul-b",
      "--var=a=b",
      "--accept",
      "host-moved",
    ];
    expect(deploy(...args)).toEqual({
      stacks: ["consul-a", "consul-b"],
      without: ["h1", "h2"],
      accept: ["host-moved"],
      json: false,
      detailedExitcode: false,
      parallelism: undefined,
      terraformParallelism: undefined,
      passedOn: ["--auto-approve", "--outputs-file", "out.json", "--var=a=b"],
    });
  });
  test("numbers are numbers", () => {
    expect(deploy("--parallelism", "3", "--terraform-parallelism=40")).toMatchObject({
      parallelism: 3,
      terraformParallelism: 40,
    });
    expect(() => deploy("--parallelism", "0")).toThrow('--parallelism takes a number from 1, not "0"');
  });
  test("an option without its value is refused", () =>
    expect(() => deploy("--without")).toThrow("--without needs a value"));
  test("what cannot be accepted is refused, and what can is named", () => {
    expect(() => deploy("--accept", "stack-moved")).toThrow("which are line-deleted, host-moved, stack-gone");
    expect(() => deploy("--accept", "lines-deleted")).toThrow('did you mean "line-deleted"?');
  });
});

test("diff passes nothing on: an option that it does not know is refused", () => {
  expect(parseArguments("diff", ["--json", "--detailed-exitcode"])).toMatchObject({
    json: true,
    detailedExitcode: true,
  });
  expect(() => parseArguments("diff", ["--jsn"])).toThrow('diff has no option --jsn; did you mean "--json"?');
});

test.each(["--without", "--accept", "--json"])(
  "destroy does not pass %s on, which it does not have: all would go",
  (option) => {
    expect(() => parseArguments("destroy", [option, "n1"])).toThrow(`destroy has no option ${option}`);
  },
);

describe("stacks by name", () => {
  const names = ["c", "c-a", "c-b"];
  test("are all, those named, or those of a pattern, in one order", () => {
    expect(select("stack", names, [])).toEqual(names);
    expect(select("stack", names, ["c-b", "c"])).toEqual(["c", "c-b"]);
    expect(select("stack", names, ["c-*"])).toEqual(["c-a", "c-b"]);
    expect(select("stack", names, ["*"])).toEqual(names);
  });
  test("that are not there are refused", () =>
    expect(() => select("stack", names, ["c.a"])).toThrow(
      'there is no stack c.a; did you mean "c-a"?; there are c, c-a, c-b',
    ));
});
