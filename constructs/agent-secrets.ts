import type { Construct } from "constructs";
import { secretsId } from "../consul/contract";
import type { Role } from "../consul/ports";
import { AGENT_SECRETS } from "../consul/secrets";
import type { ExecTarget } from "../rollout/request";
import { type AgentSecurity, secretsExist, secretsHash } from "./agent-security";
import { fromStack } from "./project-path";
import { RolloutStep } from "./rollout-step";
import { terraformId } from "./terraform-id";

export interface AgentSecretsProps {
  readonly role: Role;
  /** Consul's node name. */
  readonly node: string;
  readonly target: ExecTarget;
  /** The container's id. A new container has the secrets of its creation, which may be older ones. */
  readonly containerId: string;
  readonly security: AgentSecurity;
  /** Seconds to wait for the agent's container. */
  readonly readyTimeout: number;
}

/**
 * Delivers an agent's secrets when they change. A new certificate, CA or token restarts nothing. If secrets are missing
 * where Terraform runs, the plan fails, before anything is changed. Its scope is the agent.
 */
export class AgentSecrets extends RolloutStep {
  constructor(scope: Construct, id: string, props: AgentSecretsProps) {
    const { role, node, target, containerId, security, readyTimeout } = props;
    const files = AGENT_SECRETS[role];
    super(scope, id, {
      subject: node,
      request: {
        step: "deliver-secrets",
        target,
        folder: fromStack(security.secrets),
        files,
        seconds: readyTimeout,
      },
      triggers: [containerId, secretsHash(security, files)],
      precondition: {
        condition: secretsExist(security, files),
        errorMessage: `the secrets of ${scope.node.id} are not in ${security.secrets}. Make them with \`npm run secrets -- init\`, or bring them where Terraform runs with \`npm run secrets -- import\`. A run on HashiCorp's own workers cannot see them: set the workspace's execution mode to local`,
      },
    });
    this.resource.overrideLogicalId(secretsId(terraformId(scope)));
  }
}
