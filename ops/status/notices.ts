import type { Cluster } from "../../cluster/model";
import { KV } from "../../consul/contract";
import { certificateFlaw } from "../inspect/certificate";
import { whyStale } from "../inspect/findings";
import { isReachable } from "../inspect/leader";
import { serfStatusName } from "../inspect/probe";
import { count, listed } from "../terminal/format";
import type { StatusInspection } from "./status-inspector";

/** Something to be known that is not wrong, or not the cluster's fault. */
export interface Notice {
  readonly host?: string;
  readonly agent?: string;
  readonly what: string;
  readonly hint?: string;
}

/** Failing checks that stand in a note each: who has more looks at the UI. */
const CHECKS = 20;

export function noticesOf(cluster: Cluster, survey: StatusInspection): Notice[] {
  return [
    ...memory(survey),
    ...changes(cluster, survey),
    ...agentNotes(survey),
    ...members(cluster, survey),
    ...checks(survey),
  ];
}

const memory = ({ stateUnread }: StatusInspection): Notice[] =>
  stateUnread === undefined
    ? []
    : [
        {
          what: `nothing was compared with Terraform's state: ${stateUnread}`,
          hint: "npm run status -- --timeout 30, where deploys run",
        },
      ];

/** What is under way, and what is not as everywhere. */
function changes({ agents: described }: Cluster, { agents, locks }: StatusInspection): Notice[] {
  const replaced = locks.map(({ key, owner, index }): Notice => {
    const stale = whyStale({ key, owner, index }, agents, described);
    const what =
      key === KV.lock ? "holds the lock: it is being replaced, or leaves" : "has its turn: it is being replaced";
    return {
      agent: owner,
      what: stale ? `${what}; but ${stale}` : what,
      hint: "if no deploy is under way: npm run doctor -- --fix",
    };
  });
  const leaving = described
    .filter(({ decommission }) => decommission)
    .map(
      ({ name, host }): Notice => ({
        agent: name,
        host: host.name,
        what: "is to leave for good",
        hint: "npm run deploy",
      }),
    );
  const versions = new Map<string, string[]>();
  for (const { agent, view } of agents.filter(isReachable))
    versions.set(view.version, [...(versions.get(view.version) ?? []), agent.name]);
  const [, ...fewer] = [...versions].sort(([, one], [, other]) => other.length - one.length);
  const others = fewer.map(
    ([version, names]): Notice => ({
      what: `${version} runs in ${listed(names)}, another version than in most`,
      hint: "npm run diff",
    }),
  );
  return [...replaced, ...leaving, ...others];
}

/** Of agents about which nothing is wrong. */
function agentNotes({ agents, findings }: StatusInspection): Notice[] {
  const ill = new Set(findings.map(({ agent }) => agent));
  return agents
    .filter(({ agent }) => !ill.has(agent.name))
    .flatMap((one): Notice[] => {
      const { agent, container } = one;
      const note = (what: string, hint: string): Notice => ({ host: agent.host.name, agent: agent.name, what, hint });
      const flaw = certificateFlaw(one);
      const unhealthy = container?.State.Health?.Status === "unhealthy";
      return [
        ...(flaw ? [note(flaw.what, flaw.hint)] : []),
        ...(unhealthy
          ? [note("Docker still has it as unhealthy", `docker inspect -f '{{json .State.Health}}' ${agent.container}`)]
          : []),
      ];
    });
}

/** Of the cluster's gossip and raft, whom the file has not. */
function members({ agents }: Cluster, { leader }: StatusInspection): Notice[] {
  const view = leader?.source?.view;
  const nodes = new Set(agents.map(({ node }) => node));
  const gone = (view?.members ?? []).filter(({ name, status }) => !nodes.has(name) && status === 4);
  const voters = (view?.servers ?? []).filter(({ node, voter }) => voter && !nodes.has(node));
  return [
    ...gone.map(({ name, address, status }): Notice => {
      return {
        what: `member ${name} (${address}) has ${serfStatusName(status)}, and the file has none of that name`,
        hint: `consul force-leave ${name}`,
      };
    }),
    ...voters.map(({ node, address }): Notice => {
      return {
        what: `server ${node} (${address}) votes, and the file has none of that name`,
        hint: "list it under servers, or see docs/membership.md",
      };
    }),
  ];
}

function checks({ leader }: StatusInspection): Notice[] {
  const failing = leader?.source?.view.failing ?? [];
  const shown = failing.slice(0, CHECKS).map(({ node, service, check, status, output }): Notice => {
    const whose = service === "" ? `of node ${node}` : `of service ${service} on ${node}`;
    const said = output.replace(/\s+/g, " ").trim();
    return { what: `check "${check}" ${whose} is ${status}${said === "" ? "" : `: ${said}`}` };
  });
  const rest = failing.length - shown.length;
  return rest > 0 ? [...shown, { what: `${count(rest, "more check")} fail${rest === 1 ? "s" : ""}` }] : shown;
}
