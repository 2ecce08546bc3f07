import { Lazy } from "cdktf";
import type { Construct } from "constructs";
import type { Check, Service } from "../cluster/file/schema";
import { servicesId } from "../consul/contract";
import type { Role } from "../consul/ports";
import { byCodeUnits, sorted } from "../consul/sort";
import type { ExecTarget } from "../rollout/request";
import { RolloutStep } from "./rollout-step";
import { terraformId } from "./terraform-id";

/** Services and checks of an agent. */
export interface Declared {
  services: readonly Service[];
  checks: readonly Check[];
}

export interface DeclaredServicesProps {
  readonly role: Role;
  /** Consul's node name. */
  readonly node: string;
  readonly target: ExecTarget;
  /** The container's id. */
  readonly containerId: string;
  /** Services and checks, as they are when the stack is synthesized. */
  readonly declared: () => Declared;
  /** Seconds to wait until the agent and the catalog have them. */
  readonly readyTimeout: number;
}

/**
 * Delivers an agent's services and checks when they change, which restarts nothing. An agent without any has this step
 * too, because services that were declared before must be removed. Its scope is the agent.
 */
export class DeclaredServices extends RolloutStep {
  constructor(scope: Construct, id: string, props: DeclaredServicesProps) {
    const { role, node, target, containerId, declared, readyTimeout } = props;
    const file = () => servicesFile(declared());
    super(scope, id, {
      subject: node,
      request: () => ({ step: "services", target, role, node, declared: file(), seconds: readyTimeout }),
      triggers: [containerId, Lazy.stringValue({ produce: file })],
    });
    this.resource.overrideLogicalId(servicesId(terraformId(scope)));
  }
}

/** Consul's own format, sorted by id: another order in the cluster file changes nothing. */
function servicesFile({ services, checks }: Declared): string {
  const file: { checks?: readonly Check[]; services?: readonly Service[] } = {};
  if (checks.length > 0) file.checks = sortedById(checks);
  if (services.length > 0) file.services = sortedById(services);
  return JSON.stringify(sorted(file));
}

function sortedById<Entry extends { id?: string; name?: string }>(entries: readonly Entry[]): Entry[] {
  const idOf = ({ id, name = "" }: Entry) => id ?? name;
  return [...entries].sort((a, b) => byCodeUnits(idOf(a), idOf(b)));
}
