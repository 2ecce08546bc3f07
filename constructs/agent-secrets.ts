import { Construct } from "constructs";
import { type ProvisionerEnvironment, secretsId } from "../consul/contract";
import type { Role } from "../consul/ports";
import { AGENT_SECRETS } from "../consul/secrets";
import { type AgentSecurity, secretsExist, secretsHash } from "./agent-security";
import { fromStack } from "./project-path";
import { RolloutScripts } from "./rollout-scripts";
import { type ExecTarget, execCommand } from "./rollout-step";
import { shellWords } from "./shell";
import { TerraformData } from "./terraform-data";
import { terraformId } from "./terraform-id";

export interface AgentSecretsProps {
  readonly role: Role;
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
export class AgentSecrets extends Construct {
  readonly resource: TerraformData;

  constructor(scope: Construct, id: string, props: AgentSecretsProps) {
    super(scope, id);
    const { role, target, containerId, security, readyTimeout } = props;
    const files = AGENT_SECRETS[role];
    const scripts = RolloutScripts.of(this);
    this.resource = new TerraformData(this, "Resource", {
      triggersReplace: [containerId, secretsHash(security, files)],
      provisioners: [
        {
          type: "local-exec",
          command: 'sh -c "$GIVE_SECRETS"',
          environment: {
            GIVE_SECRETS: scripts.reference("giveSecrets"),
            TAKE_SCRIPT: scripts.reference("takeSecrets"),
            GIVE_FOLDER: fromStack(security.secrets),
            GIVE_FILES: shellWords(files),
            GIVE_TARGET: execCommand(target),
            GIVE_SECONDS: String(readyTimeout),
          } satisfies ProvisionerEnvironment,
        },
      ],
      precondition: {
        condition: secretsExist(security, files),
        errorMessage: `the secrets of ${scope.node.id} are not in ${security.secrets}. Make them with \`npm run secrets -- init\`, or bring them where Terraform runs with \`npm run secrets -- import\`. A run on HashiCorp's own workers cannot see them: set the workspace's execution mode to local, or to an agent of yours`,
      },
    });
    this.resource.overrideLogicalId(secretsId(terraformId(scope)));
  }
}
