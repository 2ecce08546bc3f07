import { Construct } from "constructs";
import { AGENT_SECRETS } from "../cluster/resolve/security";
import { type AgentSecurity, secretsExist, secretsHash } from "./agent-security";
import type { ConsulAgent } from "./consul-agent";
import { terraformId } from "./docker-host";
import { fromStack } from "./project-path";
import { DEFAULT_READY_TIMEOUT, execCommand, RolloutScripts, shellQuoted } from "./rollout-step";
import { TerraformData } from "./terraform-data";

export interface AgentSecretsProps {
  readonly agent: ConsulAgent;
  readonly security: AgentSecurity;
  /** Seconds to wait for the agent's container. Default 120. */
  readonly wait?: number;
}

/** The Terraform id of what brings an agent its secrets. */
export const secretsId = (agent: string): string => `${agent}_secrets`;

/**
 * An agent's secrets, brought to it when they change: a new certificate, CA or token restarts nothing. A plan without them fails before anything is
 * touched.
 */
export class AgentSecrets extends Construct {
  readonly resource: TerraformData;

  constructor(scope: Construct, id: string, { agent, security, wait = DEFAULT_READY_TIMEOUT }: AgentSecretsProps) {
    super(scope, id);
    const scripts = RolloutScripts.of(this);
    this.resource = new TerraformData(this, "Resource", {
      triggersReplace: [agent.container.id, secretsHash(security, AGENT_SECRETS[agent.role])],
      provisioners: [
        {
          type: "local-exec",
          command: 'sh -c "$GIVE_SECRETS"',
          environment: {
            GIVE_SECRETS: scripts.reference("giveSecrets"),
            TAKE_SCRIPT: scripts.reference("takeSecrets"),
            GIVE_FOLDER: fromStack(security.secrets),
            GIVE_FILES: AGENT_SECRETS[agent.role].map(shellQuoted).join(" "),
            GIVE_TARGET: execCommand(agent.execTarget),
            GIVE_SECONDS: String(wait),
          },
        },
      ],
      precondition: {
        condition: secretsExist(security, AGENT_SECRETS[agent.role]),
        errorMessage: `the secrets of ${agent.node.id} are not in ${security.secrets}. Make them with \`npm run secrets -- init\`, or bring them where Terraform runs with \`npm run secrets -- import\`. A run on HashiCorp's own workers cannot see them: set the workspace's execution mode to local, or to an agent of yours`,
      },
    });
    this.resource.overrideLogicalId(secretsId(terraformId(agent)));
  }
}
