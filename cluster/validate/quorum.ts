import type { Draft, JoinTarget } from "../model";
import type { KeyPath, Violation } from "../problem";
import { DEFAULTS } from "../resolve/defaults";
import { settingPath, unique } from "./paths";

/** Servers must elect one leader, and agents must find each other. */
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
      message: "all servers are decommissioned, and the cluster would end with the last one",
      hint: "keep one or more; to remove the whole cluster: npm run destroy",
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
      message: `${staying} servers tolerate the loss of ${staying / 2 - 1}, as ${staying - 1} servers do`,
      hint: `use ${staying - 1} or ${staying + 1} servers`,
    });
  }
  const { min_quorum: minimum = 0 } = file.autopilot ?? {};
  if (minimum > count) {
    problems.push({
      code: "invalid-value",
      path: ["autopilot", "min_quorum"],
      message: `min_quorum is ${minimum}, but there are ${count} servers: no failed server would ever be removed`,
      hint: `use at most ${count}, or leave it out`,
    });
  }
  const path: KeyPath = file.bootstrap_expect === undefined ? ["servers"] : ["bootstrap_expect"];
  if (bootstrapExpect > count) {
    problems.push({
      code: "bootstrap-expect",
      path,
      message: `bootstrap_expect is ${bootstrapExpect}, but there are ${count} servers: they would wait for ever`,
      hint: `leave it out, or use at most ${count}`,
    });
  } else if (bootstrapExpect * 2 <= count) {
    problems.push({
      code: "bootstrap-expect",
      path,
      message: `bootstrap_expect is ${bootstrapExpect} of ${count} servers, which is not a majority: two halves could each elect a leader`,
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
        message: `with ${file.servers.length} servers \`join:\` is required, so that a further server restarts no agent`,
        hint: `add \`join: [${[...serversOf(draft)]
          .map(({ name }) => name)
          .sort()
          .slice(0, DEFAULTS.joinAllUpTo)
          .join(", ")}]\``,
      },
    ];
  }
  if (draft.agents.length === 1) return [];
  const problems = serversOf(draft).every(({ decommission }) => decommission) ? [] : joinsNoServer(draft);
  if (problems.length > 0) return problems;
  return draft.agents
    .filter(({ role, join }) => join.length === 0 && !(role === "server" && file.servers.length === 1))
    .filter(() => draft.violations.every(({ code }) => code !== "unknown-join" && code !== "unknown-host"))
    .map((agent) => ({
      code: "self-join",
      path: settingPath(draft, agent, "join"),
      message: `${agent.role} "${agent.name}" has only itself to join: Consul counts that as a success, and stops trying`,
      hint: "name a further server under `join:`",
    }));
}

/**
 * Agents that join only decommissioned servers and hosts without agents. A new agent, or one with an empty disk, would
 * never join the cluster.
 */
function joinsNoServer(draft: Draft): Violation[] {
  const leaving = new Set(draft.agents.filter(({ decommission }) => decommission).map(({ name }) => name));
  const used = new Set(draft.agents.filter(({ decommission }) => !decommission).map(({ host }) => host.name));
  const empty = new Set(draft.hosts.filter(({ name }) => !used.has(name)).map(({ address }) => address));
  const isGone = (target: JoinTarget) => ("agent" in target ? leaving.has(target.agent) : empty.has(target.address));
  return unique(
    draft.agents
      .filter(({ join, decommission }) => !decommission && join.length > 0 && join.every(isGone))
      .map((agent) => ({
        code: "join-nobody",
        path: settingPath(draft, agent, "join"),
        message:
          "every server under `join` is decommissioned or no longer there: a new agent, or one with an empty disk, would find no server",
        hint: "name a server that stays, or take the risk with `ignore: [join-nobody]`",
      })),
  );
}
