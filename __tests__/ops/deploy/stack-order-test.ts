import fc from "fast-check";
import { inStackOrder } from "../../../ops/deploy/stack-order";
import type { Stack } from "../../../ops/terraform/synth";

const stack = (name: string, ...dependencies: string[]): Stack => ({ name, folder: "", dependencies, json: {} });
/** Two racks need the first stack, and the clients need the racks. */
const STACKS = [stack("clients", "rack1", "rack2"), stack("rack1", "first"), stack("rack2", "first"), stack("first")];

/** Runs stacks that take a moment each, and notes what happens. */
async function run(
  stacks: readonly Stack[],
  { atOnce = 9, reverse = false, failing = [] as readonly string[], stopAfter = "" } = {},
) {
  const events: string[] = [];
  const running = new Set<string>();
  let most = 0;
  let goOn = true;
  const results = await inStackOrder(stacks, { atOnce, reverse, goOn: () => goOn }, async ({ name }) => {
    events.push(`+${name}`);
    most = Math.max(most, running.add(name).size);
    await new Promise((resolve) => setTimeout(resolve, name.length));
    running.delete(name);
    events.push(`-${name}`);
    if (name === stopAfter) goOn = false;
    return !failing.includes(name);
  });
  return { events, most, results: Object.fromEntries(results) };
}

test("a stack starts when those that it depends on are done, and independent stacks run at the same time", async () => {
  const { events, most } = await run(STACKS);
  expect(events.slice(0, 4)).toEqual(["+first", "-first", "+rack1", "+rack2"]);
  expect(events.slice(-2)).toEqual(["+clients", "-clients"]);
  expect(most).toBe(2);
});

test("no more stacks run at the same time than allowed", async () =>
  expect((await run(STACKS, { atOnce: 1 })).most).toBe(1));

test("stacks are removed in the opposite order", async () => {
  const { events } = await run(STACKS, { reverse: true });
  expect([events[0], events.at(-1)]).toEqual(["+clients", "-first"]);
});

test("a dependency that was not selected is not waited for", async () =>
  expect((await run([stack("clients", "first")])).results).toEqual({ clients: "done" }));

test("after a failure no further stack starts, and those that run are waited for", async () => {
  const { events, results } = await run([...STACKS, stack("a-long-name")], { failing: ["first"] });
  expect(events).toEqual(["+first", "+a-long-name", "-first", "-a-long-name"]);
  expect(results).toMatchObject({
    first: "failed",
    "a-long-name": "done",
    rack1: "not started",
    clients: "not started",
  });
});

test("after an interruption no further stack starts", async () =>
  expect((await run(STACKS, { stopAfter: "first" })).results).toMatchObject({ first: "done", rack1: "not started" }));

test("an error is thrown when the stacks that run have ended", async () => {
  const ended: string[] = [];
  const work = async ({ name }: Stack) => {
    if (name === "a") throw new Error("no disk");
    await new Promise((resolve) => setTimeout(resolve, 20));
    ended.push(name);
    return true;
  };
  const order = { atOnce: 2, goOn: () => true };
  await expect(inStackOrder([stack("a"), stack("b"), stack("c")], order, work)).rejects.toThrow("no disk");
  expect(ended).toEqual(["b"]);
});

test("whatever the dependencies, each stack runs once, after those that it depends on", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
      async (graph, atOnce) => {
        const stacks = graph.map((before, index) =>
          stack(`s${index}`, ...before.filter((n) => n < index).map((n) => `s${n}`)),
        );
        const { events, most } = await run(stacks, { atOnce });
        expect(events.filter((event) => event.startsWith("+")).sort()).toEqual(
          stacks.map(({ name }) => `+${name}`).sort(),
        );
        expect(most).toBeLessThanOrEqual(atOnce);
        for (const { name, dependencies } of stacks)
          for (const before of dependencies)
            expect(events.indexOf(`-${before}`)).toBeLessThan(events.indexOf(`+${name}`));
      },
    ),
    { numRuns: 50 },
  ));
