import { comment } from "../../../ops/explain/comment";

describe("a result as a comment on a pull request", () => {
  test("has the summary as its heading, and the texts as they are", () => {
    expect(comment("consul: containers: 1 to replace", ["consul\n  -/+ replace  a", "consul-web\n  + create  b"])).toBe(
      "### consul: containers: 1 to replace\n\n```text\nconsul\n  -/+ replace  a\n\nconsul-web\n  + create  b\n```",
    );
  });

  test("is the heading alone where nothing changes", () => {
    expect(comment("consul: nothing to do", [])).toBe("### consul: nothing to do");
  });

  test.each([
    ["a fence of its own", "x\n```\n# a heading\n````", "`````text\nx\n```\n# a heading\n````\n`````"],
    ["a single backtick", "a `b`", "```text\na `b`\n```"],
  ])("no value of the file ends the block: %s", (_, text, block) => {
    expect(comment("c", [text])).toBe(`### c\n\n${block}`);
  });

  test("no name is read as Markdown or HTML in the heading", () => {
    expect(comment("a_b_c <img> [x](y)", [])).toBe("### a\\_b\\_c \\<img\\> \\[x\\](y)");
  });

  test("is cut off before GitHub rejects it, and the block is closed", () => {
    const long = comment("c", ["x".repeat(100_000)]);
    expect(long.length).toBeLessThan(65_536);
    expect(long).toMatch(/x\n\.\.\. cut off here; npm run diff shows the rest\n```$/);
  });
});
