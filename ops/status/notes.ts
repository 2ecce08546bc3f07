import type { Cluster } from "../../cluster/cluster";
import { memberWord } from "../agents/look";
import { certificateFlaw } from "../diagnosis/certificate";
import { whyStale } from "../diagnosis/findings";
import { speaks } from "../diagnosis/leader";
import { count, listed } from "../diagram/words";
import type { Survey } from "./survey";

/** Something to be known that is not wrong, or not the cluster's fault. */
export interface Note {
  readonly host?: string;
  readonly agent?: string;
  readonly what: string;
  readonly mend?: string;
}

/** Failing checks that stand in a note each: who has more looks at the UI. */
const CHECKS = 20;

export function notesOf(cluster: Cluster, survey: Survey): Note[] {
  return [...memory(survey), ...changes(cluster, survey), ...agentNotes(survey), ...members(cluster, survey), ...checks(survey)];
}

const memory = ({ stateUnread }: Survey): Note[] =>
  stateUnread === undefined
    ? []
    : [{ what: `nothing was compared with Terraform's state: ${stateUnread}`, mend: "npm run status -- --timeout 30, where deploys run" }];

/** What is under way, and what is not as everywhere. */
function changes({ agents: described }: Cluster, { agents, locks }: Survey): Note[] {
  const replaced = locks.map(({ key, owner, index }): Note => {
    const stale = whyStale({ key, owner, index }, agents, described);
    const what = key === "consul-cdktf/replacing" ? "holds the lock: it is being replaced, or leaves" : "has its turn: it is being replaced";
    return { agent: owner, what: stale ? `${what}; but ${stale}` : what, mend: "if no deploy is under way: npm run doctor -- --fix" };
  });
  const leaving = described
    .filter(({ decommission }) => decommission)
    .map(({ name, host }): Note => ({ agent: name, host: host.name, what: "is to leave for good", mend: "npm run deploy" }));
  const versions = new Map<string, string[]>();
  for (const { agent, view } of agents.filter(speaks)) versions.set(view.version, [...(versions.get(view.version) ?? []), agent.name]);
  const [, ...fewer] = [...versions].sort(([, one], [, other]) => other.length - one.length);
  const others = fewer.map(
    ([version, names]): Note => ({ what: `${version} runs in ${listed(names)}, another version than in most`, mend: "npm run diff" }),
  );
  return [...replaced, ...leaving, ...others];
}

/** Of agents about which nothing is wrong. */
function agentNotes({ agents, findings }: Survey): Note[] {
  const ill = new Set(findings.map(({ agent }) => agent));
  return agents
    .filter(({ agent }) => !ill.has(agent.name))
    .flatMap((one): Note[] => {
      const { agent, container } = one;
      const note = (what: string, mend: string): Note => ({ host: agent.host.name, agent: agent.name, what, mend });
      const flaw = certificateFlaw(one);
      const unhealthy = container?.State.Health?.Status === "unhealthy";
      return [
        ...(flaw ? [note(flaw.what, flaw.mend)] : []),
        ...(unhealthy ? [note("Docker still has it as unhealthy", `docker inspect -f '{{json .State.Health}}' ${agent.container}`)] : []),
      ];
    });
}

/** Of the cluster's gossip and raft, whom the file has not. */
function members({ agents }: Cluster, { leader }: Survey): Note[] {
  const view = leader?.speaker?.view;
  const nodes = new Set(agents.map(({ node }) => node));
  const gone = (view?.members ?? []).filter(({ name, status }) => !nodes.has(name) && status === 4);
  const voters = (view?.servers ?? []).filter(({ node, voter }) => voter && !nodes.has(node));
  return [
    ...gone.map(({ name, address, status }): Note => {
      return {
        what: `member ${name} (${address}) has ${memberWord(status)}, and the file has none of that name`,
        mend: `consul force-leave ${name}`,
      };
    }),
    ...voters.map(({ node, address }): Note => {
      return {
        what: `server ${node} (${address}) votes, and the file has none of that name`,
        mend: "list it under servers, or see docs/membership.md",
      };
    }),
  ];
}

function checks({ leader }: Survey): Note[] {
  const failing = leader?.speaker?.view.failing ?? [];
  const shown = failing.slice(0, CHECKS).map(({ node, service, check, status, output }): Note => {
    const whose = service === "" ? `of node ${node}` : `of service ${service} on ${node}`;
    const said = output.replace(/\s+/g, " ").trim();
    return { what: `check "${check}" ${whose} is ${status}${said === "" ? "" : `: ${said}`}` };
  });
  const rest = failing.length - shown.length;
  return rest > 0 ? [...shown, { what: `${count(rest, "more check")} fail${rest === 1 ? "s" : ""}` }] : shown;
}
