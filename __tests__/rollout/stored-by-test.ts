import { type ConsulApi, ContainerUnreachable } from "../../rollout/consul-api";
import { storedBy } from "../../rollout/stored-by";
import { target } from "./stop-tools";

/** Servers by their containers' names: what each answers about itself, or why it does not. */
async function stored(answers: Readonly<Record<string, object | number | Error>>) {
  const closed: string[] = [];
  const asked: string[] = [];
  const names = storedBy(20, Object.keys(answers).map(target), ({ container }) => {
    const answer = answers[container];
    const api: ConsulApi = {
      send: async ({ method, path }) => {
        asked.push(`${method} ${path}`);
        if (answer instanceof Error) throw answer;
        return typeof answer === "number"
          ? { status: answer, body: "" }
          : { status: 200, body: JSON.stringify(answer) };
      },
    };
    return { api, close: async () => void closed.push(container) };
  });
  const ended = await names.then(
    (found) => [...found],
    (error: Error) => error.message,
  );
  return { names: ended, asked, closed: closed.sort() };
}
const self = (NodeName: string, raft?: object) => ({
  Config: { NodeName },
  Stats: { raft: raft && { last_contact: "12.3ms", ...raft } },
});

test("those have an entry that have applied it, or a newer one", async () => {
  const answers = {
    s2: self("node-2", { applied_index: "20" }),
    s3: self("node-3", { applied_index: "19" }),
    s4: self("node-4", { applied_index: "100", last_contact: "0" }),
  };
  expect(await stored(answers)).toEqual({
    names: ["node-2", "node-4"],
    asked: Array.from({ length: 3 }, () => "GET /v1/agent/self"),
    closed: ["s2", "s3", "s4"],
  });
});

test.each<[string, object | number | Error]>([
  ["a client agent", self("c1")],
  ["no number", self("s2", { applied_index: "" })],
  ["nothing about the log", self("s2", {})],
  ["one that has heard from no leader for long", self("s2", { applied_index: "20", last_contact: "1.2s" })],
  ["one that has never heard from a leader", self("s2", { applied_index: "20", last_contact: "never" })],
  ["one that does not say when it heard from a leader", self("s2", { applied_index: "20", last_contact: undefined })],
  ["a rejection", 403],
  ["an unreachable container", new ContainerUnreachable("no route")],
])("nothing is proved by %s", async (_, answer) => {
  expect(await stored({ s2: answer })).toMatchObject({ names: [], closed: ["s2"] });
});

test("what nobody expects is an error, and leaves no connection open", async () => {
  expect(await stored({ s2: new TypeError("broken") })).toMatchObject({ names: "broken", closed: ["s2"] });
});
