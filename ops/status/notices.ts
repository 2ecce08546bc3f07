import { join } from "node:path";
import type { Cluster } from "../../cluster/model";
import { KV } from "../../consul/contract";
import { sinceText } from "../../rollout/holder";
import { FAILED } from "../../rollout/queries";
import { certificateProblem } from "../inspect/certificate-problem";
import { type HealthProblem, healthProblem } from "../inspect/health-problem";
import { isReachable } from "../inspect/leader";
import { maintainedHosts, whyStale } from "../inspect/locks";
import { memberAddress, serfStatusName } from "../inspect/probe";
import { expiryFlaws, RENEW } from "../secrets/certificate";
import { AGENTS } from "../secrets/sources";
import { count, listed } from "../terminal/format";
import type { StatusInspection } from "./status-inspector";

/** Failing checks that have a notice each; the UI shows the rest. */
const CHECKS = 20;

/** Information about a healthy cluster: notices and warnings. */
export function noticesOf(cluster: Cluster, inspection: StatusInspection): HealthProblem[] {
  return [
    ...terraformState(inspection),
    ...rollout(cluster, inspection),
    ...maintenance(cluster, inspection),
    ...versions(inspection),
    ...healthyAgents(inspection),
    ...folderCertificates(cluster, inspection),
    ...members(cluster, inspection),
    ...checks(inspection),
  ];
}

function terraformState({ stateUnread }: StatusInspection): HealthProblem[] {
  if (stateUnread === undefined) return [];
  const message = `nothing was compared with the Terraform state: ${stateUnread}`;
  const hint = "npm run status -- --timeout 30, where deploys run";
  return [healthProblem({ code: "terraform-state-unread", message, hint })];
}

/** Agents that are being replaced, or will be decommissioned. */
function rollout({ agents: file }: Cluster, { agents, locks }: StatusInspection): HealthProblem[] {
  const deploys = locks.filter((lock) => lock.maintenance === undefined);
  const replaced = deploys.map((lock) => {
    const stale = whyStale(lock, agents, file);
    const message =
      lock.key === KV.lock
        ? "holds the deploy lock: it is being replaced or decommissioned"
        : "has a rollout slot: it is being replaced";
    return healthProblem({
      code: "lock-held",
      agent: lock.owner,
      message: stale ? `${message}; but ${stale}` : message,
      hint: "if no deploy is in progress: npm run doctor -- --fix",
    });
  });
  const decommissioned = file.filter(({ decommission }) => decommission);
  return [
    ...replaced,
    ...decommissioned.map(({ name, host }) =>
      healthProblem({
        code: "agent-decommissioned",
        agent: name,
        host: host.name,
        message: "the next deploy decommissions it",
        hint: "npm run deploy",
      }),
    ),
  ];
}

/** Hosts that `maintain` has taken out of use. */
function maintenance(cluster: Cluster, { locks }: StatusInspection): HealthProblem[] {
  return [...maintainedHosts(cluster, locks)].map(([host, since]) =>
    healthProblem({
      code: "host-in-maintenance",
      host,
      message: `it is in maintenance since ${sinceText(since)}`,
      hint: `when it is over: npm run maintain -- ${host} --end`,
    }),
  );
}

function versions({ agents }: StatusInspection): HealthProblem[] {
  const namesByVersion = new Map<string, string[]>();
  for (const { agent, view } of agents.filter(isReachable))
    namesByVersion.set(view.version, [...(namesByVersion.get(view.version) ?? []), agent.name]);
  const [, ...others] = [...namesByVersion].sort(([, namesOfA], [, namesOfB]) => namesOfB.length - namesOfA.length);
  return others.map(([version, names]) =>
    healthProblem({
      code: "version-differs",
      message: `${listed(names)} ${names.length === 1 ? "runs" : "run"} Consul ${version}, another version than most`,
      hint: "npm run diff",
    }),
  );
}

function healthyAgents({ agents, problems }: StatusInspection): HealthProblem[] {
  const unhealthy = new Set(problems.map(({ location }) => location.agent));
  return agents
    .filter(({ agent }) => !unhealthy.has(agent.name))
    .flatMap((inspected): HealthProblem[] => {
      const { agent, container } = inspected;
      const certificate = certificateProblem(inspected);
      const found = certificate ? [certificate] : [];
      if (container?.State.Health?.Status !== "unhealthy") return found;
      const docker = healthProblem({
        code: "container-unhealthy",
        host: agent.host.name,
        agent: agent.name,
        message: "Docker still reports it as unhealthy",
        hint: `docker inspect -f '{{json .State.Health}}' ${agent.container}`,
      });
      return [...found, docker];
    });
}

/** Certificates that no agent shows: the CA's, and those of people and programs. */
function folderCertificates({ security }: Cluster, { certificates, at }: StatusInspection): HealthProblem[] {
  if (!security) return [];
  return certificates
    .filter(({ file }) => !file.startsWith(`${AGENTS}/`))
    .flatMap(({ file, until }) =>
      expiryFlaws(until, at).map(({ code, message }) =>
        healthProblem({
          code,
          message: `${join(security.secrets, file)} ${message}`,
          hint: `${RENEW}; npm run deploy`,
        }),
      ),
    );
}

/** Failed members in gossip, and voters in Raft, that the file does not have. */
function members({ agents }: Cluster, { leader }: StatusInspection): HealthProblem[] {
  const view = leader?.source?.view;
  const nodes = new Set(agents.map(({ node }) => node));
  const failed = (view?.members ?? []).filter(({ Name, Status }) => !nodes.has(Name) && Status === FAILED);
  const voters = (view?.servers ?? []).filter(({ Node, Voter }) => Voter && !nodes.has(Node));
  return [
    ...failed.map((member) =>
      healthProblem({
        code: "unknown-member",
        message: `member ${member.Name} (${memberAddress(member)}) has ${serfStatusName(member.Status)}, and the file has no such agent`,
        hint: `consul force-leave ${member.Name}`,
      }),
    ),
    ...voters.map(({ Node, Address }) =>
      healthProblem({
        code: "unknown-voter",
        message: `server ${Node} (${Address}) is a voter, and the file has no such server`,
        hint: "list it under servers, or see docs/membership.md",
      }),
    ),
  ];
}

function checks({ leader }: StatusInspection): HealthProblem[] {
  const failing = leader?.source?.view.failing ?? [];
  const shown = failing.slice(0, CHECKS).map(({ node, service, check, status, output }) => {
    const whose = service === "" ? `of node ${node}` : `of service ${service} on ${node}`;
    const details = output.replace(/\s+/g, " ").trim();
    const message = `check "${check}" ${whose} is ${status}${details === "" ? "" : `: ${details}`}`;
    return healthProblem({ code: "check-failing", message });
  });
  const rest = failing.length - shown.length;
  if (rest === 0) return shown;
  const message = `${count(rest, "more check")} ${rest === 1 ? "fails" : "fail"}`;
  return [...shown, healthProblem({ code: "check-failing", message })];
}
