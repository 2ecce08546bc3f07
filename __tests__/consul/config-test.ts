import { mergeConfig, runsScriptChecks } from "../../consul/config";

describe("configurations are merged", () => {
  test("mapping by mapping", () =>
    expect(mergeConfig({ a: { b: 1, c: 1 } }, { a: { c: 2, d: 2 } })).toEqual({ a: { b: 1, c: 2, d: 2 } }));
  test("with lists, texts and null replaced by the last value", () => {
    expect(mergeConfig({ a: [1, 2], b: { x: 1 }, c: "c" }, { a: [3], b: null, c: { y: 1 } })).toEqual({
      a: [3],
      b: null,
      c: { y: 1 },
    });
  });
  test("with names of JavaScript's own properties as plain keys", () => {
    expect(JSON.stringify(mergeConfig({}, { constructor: { a: 1 } }))).toBe('{"constructor":{"a":1}}');
  });
  test("without changing the inputs", () => {
    const first = { a: { b: 1 } };
    mergeConfig(first, { a: { b: 2 } });
    expect(first).toEqual({ a: { b: 1 } });
  });
});

describe("whether an agent runs script checks", () => {
  test.each([
    [{}, false],
    [{ config: { enable_local_script_checks: true } }, true],
    [{ config: { enable_local_script_checks: true }, flags: ["-enable-local-script-checks=false"] }, false],
    [{ flags: ["-enable-script-checks=false", "--enable-script-checks"] }, true],
    [{ flags: ["-log-json"] }, false],
  ])("%j: %s", (settings, allowed) => expect(runsScriptChecks(settings)).toBe(allowed));
});
