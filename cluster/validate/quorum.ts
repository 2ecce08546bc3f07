import type { Draft, JoinTarget } from "../model";
import type { KeyPath, Violation } from "../problem";
import { DEFAULTS } from "../resolve/defaults";
import { settingPath, unique } from "./paths";

/** Whether servers elect one leader, and agents find each other. */
export const quorumProblems = (draft: Draft): Violation[] => [...quorum(draft), ...joins(draft)];

const serversOf = (draft: Draft) => draft.agents.filter(({ role }) => role === "server");

/** @see https://developer.hashicorp.com/consul/docs/architecture/consensus#deployment-table */
function quorum(draft: Draft): Violation[] {
  const { file, bootstrapExpect } = draft;
  const count = file.servers.length;
  const staying = file.servers.filter((server) => typeof server === "string" || !server.decommission).length;
  const problems: Violation[] = [];
  if (staying === 0) {
    problems.push({
      code: "no-server-left",
      path: ["servers"],
      message: "all servers are to be decommissioned, and the cluster would end with the last",
      hint: "let one or more stay; to take the whole cluster down: npm run destroy",
    });
  } else if (staying === 2) {
    problems.push({
      code: "two-servers",
      path: ["servers"],
      message:
        "two servers need both for a quorum: the loss of either stops all writes, which is worse than one server",
      hint: "use one server or three, or take the risk with `ignore: [two-servers]`",
    });
  } else if (staying % 2 === 0) {
    problems.push({
      code: "even-servers",
      path: ["servers"],
      message: `${staying} servers bear the loss of ${staying / 2 - 1}, as ${staying - 1} do`,
      hint: `use ${staying - 1} or ${staying + 1} servers`,
    });
  }
  const { min_quorum: minimum = 0 } = file.autopilot ?? {};
  if (minimum > count) {
    problems.push({
      code: "invalid-value",
      path: ["autopilot", "min_quorum"],
      message: `min_quorum is ${minimum}, but there are ${count} servers: none that is down would ever be removed`,
      hint: `use at most ${count}, or leave it out`,
    });
  }
  const place: KeyPath = file.bootstrap_expect === undefined ? ["servers"] : ["bootstrap_expect"];
  if (bootstrapExpect > count) {
    problems.push({
      code: "bootstrap-expect",
      path: place,
      message: `bootstrap_expect is ${bootstrapExpect}, but there are ${count} servers: they would wait for ever`,
      hint: `leave it out, or use at most ${count}`,
    });
  } else if (bootstrapExpect * 2 <= count) {
    problems.push({
      code: "bootstrap-expect",
      path: place,
      message: `bootstrap_expect is ${bootstrapExpect} of ${count} servers, which is no majority: two halves could each elect a leader`,
      hint: `leave it out, or use at least ${Math.floor(count / 2) + 1}`,
    });
  }
  return problems;
}

function joins(draft: Draft): Violation[] {
  const { file } = draft;
  if (file.servers.length > DEFAULTS.joinAllUpTo && !file.join) {
    return [
      {
        code: "join-needed",
        path: ["servers"],
        message: `with ${file.servers.length} servers the file must say whom agents join, so that a further server restarts none of them`,
        hint: `add \`join: [${[...serversOf(draft)]
          .map(({ name }) => name)
          .sort()
          .slice(0, DEFAULTS.joinAllUpTo)
          .join(", ")}]\``,
      },
    ];
  }
  if (draft.agents.length === 1) return [];
  const problems = serversOf(draft).every(({ decommission }) => decommission) ? [] : joinsNobody(draft);
  if (problems.length > 0) return problems;
  return draft.agents
    .filter(({ role, join }) => join.length === 0 && !(role === "server" && file.servers.length === 1))
    .filter(() => draft.violations.every(({ code }) => code !== "unknown-join" && code !== "unknown-host"))
    .map((agent) => ({
      code: "self-join",
      path: settingPath(draft, agent, "join"),
      message: `${agent.role} "${agent.name}" has nobody but itself to join: joining oneself succeeds, and Consul then stops trying`,
      hint: "name a further server under `join:`",
    }));
}

/** Agents whose every target leaves, or is a host of the file where nothing runs: new ones, and those with an empty disk, would never get in. */
function joinsNobody(draft: Draft): Violation[] {
  const leaving = new Set(draft.agents.filter(({ decommission }) => decommission).map(({ name }) => name));
  const inhabited = new Set(draft.agents.filter(({ decommission }) => !decommission).map(({ host }) => host.name));
  const deserted = new Set(draft.hosts.filter(({ name }) => !inhabited.has(name)).map(({ address }) => address));
  const isGone = (target: JoinTarget) => ("agent" in target ? leaving.has(target.agent) : deserted.has(target.address));
  return unique(
    draft.agents
      .filter(({ join, decommission }) => !decommission && join.length > 0 && join.every(isGone))
      .map((agent) => ({
        code: "join-nobody",
        path: settingPath(draft, agent, "join"),
        message:
          "whom it names under `join` leaves or is gone: an agent that is new, or has an empty disk, would find nobody",
        hint: "name a server that stays, or take the risk with `ignore: [join-nobody]`",
      })),
  );
}
