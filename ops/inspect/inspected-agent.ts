import type { AgentDescription } from "../../cluster/model";
import type { ContainerReport } from "../../rollout/container-report";
import type { Container } from "../docker/container";
import type { StateResource } from "../terraform/state";
import type { DeliveredSecrets } from "./delivered-secrets";
import type { AgentProbe } from "./probe";

/** An agent as it was found on its host. */
export interface InspectedAgent {
  readonly agent: AgentDescription;
  /** Its container in the Terraform state. */
  readonly resource?: StateResource;
  /** The Terraform state could not be read: nothing is compared with it. */
  readonly stateUnread?: true;
  readonly container?: Container;
  /** The secrets that it should have; undefined without security, or when the secrets folder is elsewhere. */
  readonly secrets?: DeliveredSecrets;
  /** The name that its container's image was pulled by, where the Terraform state has it. */
  readonly image?: string;
  /** What its API answers, or why it does not. */
  readonly view: AgentProbe | string;
  /** Of an agent that is not ready: what its container shows of the reason. */
  readonly report?: ContainerReport;
}

/** Why an agent is not ready: in a few words, and with details. */
export interface NotReady {
  readonly summary: string;
  readonly message: string;
}

/** The condition of the readiness check; undefined for an agent that is ready. */
export function notReady({ agent, view }: InspectedAgent): NotReady | undefined {
  if (typeof view === "string") return because("its API is unreachable", view);
  if (view.leader === "") return because("it knows no leader", view.whyNoLeader);
  if (agent.role === "client") return undefined;
  if (!view.servers) return because("it does not know the voters");
  return view.servers.some(({ ID, Voter }) => Voter && ID === view.id) ? undefined : because("it is no voter");
}

const because = (summary: string, detail?: string): NotReady => ({
  summary,
  message: detail ? `${summary}: ${detail}` : summary,
});
