import type { AgentState } from "../ops/deploy/events";
import { viewLines } from "../ops/deploy/live-view";
import type { Change } from "../ops/explain/changes";
import { stackText, summaryText } from "../ops/explain/changes-text";
import { terminalPicture } from "./terminal-picture";

const AGENTS = ["consul-client1", "consul-server1", "consul-server2", "consul-server3"];
const replaced = (type: string, name: string, reasons: Change["reasons"] = []): Change => ({
  address: `${type}.${name}`,
  type,
  name,
  action: "replace",
  reasons,
});
const REASON = { what: "upload", item: "/consul/config/agent.json: log_level", after: '"debug"' };

/** What the deploy changes: the agents of docs/tutorial.md, after its edit of the file. */
export const CHANGES = {
  unchanged: 0,
  outputsOnly: false,
  changes: [
    ...AGENTS.map((name) => replaced("docker_container", name, [REASON])),
    ...AGENTS.flatMap((name) => [replaced("terraform_data", name), replaced("terraform_data", `${name}_services`)]),
    replaced("terraform_data", "consul_quorum"),
  ],
};

/** The agents at a moment of a recorded deploy; times are in milliseconds. A test compares them. */
export const MOMENT = {
  done: 15,
  total: 26,
  now: 10_000,
  stepLines: [],
  agents: [
    { agent: "consul-client1", phase: "waiting", detail: "server consul-server1 is being replaced", since: 1000 },
    { agent: "consul-server1", phase: "starting", detail: "waiting for a leader", since: 8000 },
    { agent: "consul-server2", phase: "ready", detail: "a voter, leader 172.16.8.120:8300", since: 9000 },
    { agent: "consul-server3", phase: "waiting", detail: "consul-server1 is being replaced, or leaves", since: 4000 },
  ].map((state) => ({ ...state, stack: "consul" }) as AgentState),
} as const;

/** A deploy at a terminal, while one server is being replaced. */
export const deployPicture = (): string =>
  terminalPicture(
    "npm run deploy at a terminal: the changes, the approval, and a line for each agent, one of which is being replaced while others wait for it",
    "npm run deploy",
    [
      ...stackText("consul", CHANGES),
      "",
      summaryText([CHANGES]),
      "",
      'Deploy consul? Only "yes" is accepted: yes',
      ...viewLines(MOMENT, 33, MOMENT.now, AGENTS.length),
    ].join("\n"),
  );
