import { viewLines } from "../../../ops/deploy/live-view";
import { Watched } from "./recorded-deploys";

/** The view at a moment of the recorded deploy. */
function view(until: string, { seconds = 67, room = 20 } = {}): string[] {
  const watched = new Watched().replay("rolling", until);
  return viewLines(watched.progress, seconds, watched.now + 12_000, room);
}

test("at a terminal there is a line an agent, with a bar, and who waits for whom and how long", () =>
  expect(view("consul-server1: waiting for a leader")).toEqual([
    "[==============>         ]  57 %  1 of 4 agents  1:07",
    "  consul-client1  waiting    19 s  server consul-server1 is being replaced",
    "  consul-server1  starting   12 s  waiting for a leader",
    "  consul-server2  ready            a voter, leader 172.16.8.120:8300",
    "  consul-server3  waiting    16 s  consul-server1 is being replaced, or leaves",
  ]));

test("steps of the cluster stand below the agents while they run", () =>
  expect(view("voters: consul-server1").at(-1)).toBe("  voters: consul-server1 consul-server2 consul-server3"));

test("without room for all agents, those come first that something happens to", () =>
  expect(view("consul-server1: waiting for a leader", { room: 3 })).toEqual([
    "[==============>         ]  57 %  1 of 4 agents  1:07",
    "  consul-server1  starting   12 s  waiting for a leader",
    "  consul-client1  waiting    19 s  server consul-server1 is being replaced",
    "  … and 2 of 4 agents",
  ]));

test("a deploy that touches no agent counts its steps, as after an adoption", () =>
  expect(viewLines({ agents: [], stepLines: ["consul-server1: services: none"], done: 1, total: 8 }, 1, 0, 20)).toEqual(
    ["[===>                    ]  12 %  1 of 8 steps  0:01", "  consul-server1: services: none"],
  ));

test("at the end the bar is full", () => {
  const watched = new Watched().replay("rolling");
  expect(viewLines(watched.progress, 49, watched.now, 20)[0]).toBe(
    "[========================] 100 %  4 of 4 agents  0:49",
  );
});
