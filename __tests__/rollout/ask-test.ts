import { askInTurn, type Decide } from "../../rollout/ask";
import { ContainerUnreachable } from "../../rollout/consul-api";
import { allow, deny, type Outcome, unknown } from "../../rollout/outcome";

/** Agents by their containers' names: what each answers, time after time; the last answer stays. */
function cluster(answers: Readonly<Record<string, readonly (Outcome | Error)[]>>) {
  let now = 0;
  const asked: string[] = [];
  const open: string[] = [];
  const lines: string[] = [];
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const decide: Decide<{ name: string }> = async ({ name }) => {
    const times = asked.filter((other) => other === name).length;
    asked.push(name);
    const answer = answers[name]?.[times] ?? answers[name]?.at(-1);
    if (answer === undefined || answer instanceof Error) throw answer;
    return answer;
  };
  const ask = (seconds = 10) =>
    askInTurn(
      Object.keys(answers).map((container) => ({ daemon: "unix:///x", container })),
      seconds,
      ({ container }) => {
        open.push(container);
        return { name: container, close: async () => void open.splice(open.indexOf(container), 1) };
      },
      decide,
      clock,
      (line) => lines.push(line),
    );
  return { ask, asked, open, lines, seconds: () => now / 1000 };
}

test.each([
  ["allows", allow("it may")],
  ["denies", deny("it may not", "wait")],
])("the first agent that %s decides, and the others are not asked", async (_, outcome) => {
  const { ask, asked } = cluster({ s1: [outcome], s2: [allow("never asked")] });
  expect(await ask()).toEqual(outcome);
  expect(asked).toEqual(["s1"]);
});

test.each([
  ["does not know", unknown("it knows no leader")],
  ["is not reached", new ContainerUnreachable("it knows no leader")],
])("after one that %s, the next is asked", async (_, answer) => {
  const { ask, asked, lines } = cluster({ s1: [answer], s2: [allow("it may")] });
  expect(await ask()).toEqual(allow("it may"));
  expect(asked).toEqual(["s1", "s2"]);
  expect(lines).toEqual(["s1: unreachable so far: it knows no leader"]);
});

test("all are asked again, a second later, and the same reason is said once", async () => {
  const { ask, asked, lines, seconds } = cluster({ s1: [unknown("no leader"), unknown("no leader"), allow("it may")] });
  expect(await ask()).toEqual(allow("it may"));
  expect(asked).toHaveLength(3);
  expect(seconds()).toBe(2);
  expect(lines).toEqual(["s1: unreachable so far: no leader"]);
});

test("what no agent knows in time is denied, with the last reason", async () => {
  const { ask, seconds } = cluster({
    s1: [unknown("no leader")],
    s2: [new ContainerUnreachable("connection refused")],
  });
  expect(await ask(30)).toMatchObject({ kind: "deny", reason: "s2: connection refused, for 30 s" });
  expect(seconds()).toBe(30);
});

test("without an agent to ask it is denied", async () => {
  expect(await cluster({}).ask(1)).toMatchObject({ kind: "deny", reason: "there is no agent to ask, for 1 s" });
});

test("each agent's connection is closed, whatever comes", async () => {
  const failed = new Error("a defect");
  const { ask, open } = cluster({ s1: [unknown("x")], s2: [new ContainerUnreachable("y")], s3: [failed] });
  await expect(ask()).rejects.toBe(failed);
  expect(open).toEqual([]);
});
