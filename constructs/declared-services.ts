import type { Construct } from "constructs";
import type { Check, Service } from "../cluster/file/schema";
import { sorted } from "../consul/sort";
import type { ConsulAgent } from "./consul-agent";
import { terraformId } from "./docker-host";
import { RolloutStep } from "./rollout-step";

export interface DeclaredServicesProps {
  readonly agent: ConsulAgent;
  /** Default none. */
  readonly services?: readonly Service[];
  /** Default none. */
  readonly checks?: readonly Check[];
  /** Seconds to wait until the agent has them, and the catalog. Default 120. */
  readonly wait?: number;
}

/**
 * An agent's services and checks, given to it when they change: that restarts nothing. An agent for which nothing is declared has this too, since what was declared
 * before has to go.
 */
export class DeclaredServices extends RolloutStep {
  constructor(scope: Construct, id: string, { agent, services, checks, wait }: DeclaredServicesProps) {
    const file = servicesFile({ services, checks });
    super(scope, id, {
      script: "services",
      wait,
      arguments: [agent.role, agent.nodeName, file],
      targets: [agent.execTarget],
      triggers: [agent.container.id, file],
    });
    this.resource.overrideLogicalId(`${terraformId(agent)}_services`);
  }
}

/** As Consul reads it, in the order of ids: another order in the cluster file changes nothing. */
function servicesFile({ services = [], checks = [] }: Pick<DeclaredServicesProps, "services" | "checks">): string {
  const byId = <One extends { id?: string; name?: string }>(all: readonly One[]): One[] => {
    const idOf = ({ id, name = "" }: One) => id ?? name;
    return [...all].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  };
  return JSON.stringify(
    sorted({
      ...(checks.length > 0 && { checks: byId(checks) }),
      ...(services.length > 0 && { services: byId(services) }),
    }),
  );
}
