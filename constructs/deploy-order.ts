import type { Role } from "../consul/ports";
import type { TerraformData } from "./terraform-data";

/** Anything with a terraform_data: a rollout step, or the delivery of an agent's secrets. */
interface Step {
  readonly resource: TerraformData;
}

/** An agent's steps. Undefined ones do not exist: secrets without security, and all for a decommissioned agent. */
export interface AgentSteps {
  readonly role: Role;
  readonly readiness?: Step;
  readonly secrets?: Step;
  readonly services?: Step;
}

/** A stack's steps. Undefined ones do not exist in the stack. */
export interface StackSteps {
  readonly agents: readonly AgentSteps[];
  /** Deliveries of the registrators' tokens. */
  readonly registratorTokens: readonly Step[];
  /** Secured clusters: in each stack that has servers, and in the cluster's own. */
  readonly acl?: Step;
  /** Secured clusters: in the cluster's own stack. */
  readonly gossip?: Step;
  /** In the cluster's own stack, which is deployed after all others that have servers. */
  readonly voters?: Step;
  readonly autopilot?: Step;
  readonly definitions?: Step;
}

/**
 * The order of a deploy. Terraform runs everything in parallel that this does not order; an agent's own steps run after
 * its container, to which their triggers refer. The order of stacks: cluster/resolve/stacks.ts.
 */
export function orderStack(steps: StackSteps): void {
  const { agents, registratorTokens, acl, gossip, voters, autopilot, definitions } = steps;
  const servers = agents.filter(({ role }) => role === "server");
  const clients = agents.filter(({ role }) => role === "client");

  // 1. Servers start in parallel, and are ready one by one.
  const serversReady = servers.map(({ readiness }) => readiness);

  // 2. Servers that have a leader get policies and tokens, before anybody uses a token.
  runAfter(acl, ...serversReady);
  for (const agent of agents) runAfter(agent.secrets, acl);
  for (const token of registratorTokens) runAfter(token, acl);

  // 3. Client agents need their tokens. In another stack, a later stack may be the one that creates them.
  if (voters) for (const client of clients) runAfter(client.readiness, acl);

  // 4. All servers of the cluster have to be voters, before settings and objects are written.
  runAfter(voters, ...serversReady, acl);
  runAfter(autopilot, voters);
  runAfter(definitions, voters);

  // 5. The gossip key is changed when all servers have the new one.
  runAfter(gossip, acl, ...servers.map(({ secrets }) => secrets));
}

/** The order of an agent's own steps: services are registered with an agent that is ready and has its tokens. */
export function orderAgent({ services, readiness, secrets }: AgentSteps): void {
  runAfter(services, readiness, secrets);
}

function runAfter(step: Step | undefined, ...others: readonly (Step | undefined)[]): void {
  const existing = others.filter((other) => other !== undefined);
  if (existing.length > 0) step?.resource.dependOn(existing.map(({ resource }) => resource));
}
