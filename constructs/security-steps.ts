import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import type { Cluster } from "../cluster/model";
import type { Security } from "../cluster/resolve/security";
import { type AclDefinitions, aclDefinitions } from "../consul/acl-policies";
import { stepId } from "../consul/contract";
import { agentSecrets, SECRET_FILES } from "../consul/secrets";
import { secretsHash } from "./agent-security";
import type { ConsulAgent } from "./consul-agent";
import type { ConsulServer } from "./consul-server";
import { escapedAll } from "./escape";
import { fromStack } from "./project-path";
import { RolloutStep, type RolloutStepProps, scriptText } from "./rollout-step";

export interface SecurityStepsProps {
  readonly cluster: Cluster;
  readonly security: Security;
  /** All servers that stay. */
  readonly servers: readonly ConsulServer[];
  /** Those of the stack's agents that stay. */
  readonly agents: readonly ConsulAgent[];
}

/**
 * What a secured cluster is given in a stack that has servers. Tokens are made before agents are given them, in each stack anew, for another is deployed
 * later. Where all is as it should be a step changes nothing.
 */
export class SecuritySteps extends Construct {
  /** ACL policies and tokens. */
  readonly acl: RolloutStep;

  constructor(scope: Construct, id: string, { cluster, security, servers, agents }: SecurityStepsProps) {
    super(scope, id);
    const step = (
      script: RolloutStepProps["script"],
      props: Pick<RolloutStepProps, "arguments" | "triggers" | "input">,
    ): RolloutStep => {
      const targets = servers.map(({ execTarget }) => execTarget);
      const ask = new RolloutStep(this, script, { script, readyTimeout: cluster.readyTimeout, targets, ...props });
      ask.resource.overrideLogicalId(stepId(script));
      return ask;
    };
    const hashOf = (file: string, folder = security.secrets) => secretsHash({ secrets: folder }, [file]);
    const own = agents.filter(({ role }) => role === "server");

    const definitions = JSON.stringify(escapedAll(aclOf(cluster, security)));
    this.acl = step("acl", {
      arguments: [definitions, scriptText("aclChanges")],
      input: fromStack(`${security.secrets}/${SECRET_FILES.acl}`),
      triggers: [definitions, hashOf(SECRET_FILES.acl)],
    });
    this.acl.runAfter(own.flatMap(({ readiness }) => readiness ?? []));
    for (const { secrets } of agents) secrets?.resource.dependOn([this.acl.resource]);

    // By the name of the cluster's own stack: it is the last with servers, and all have been given the new key.
    const [first] = servers;
    if (!first || TerraformStack.of(this).node.id !== cluster.name) return;
    const gossip = step("gossip", {
      arguments: [],
      triggers: [hashOf(SECRET_FILES.gossip, agentSecrets(security, first.node.id))],
    });
    gossip.runAfter([this.acl, ...own.flatMap(({ secrets }) => secrets ?? [])]);
  }
}

/** A cluster's ACL policies and tokens, without SecretIDs. */
export const aclOf = ({ datacenter, agents, backups }: Cluster, { policies, tokens }: Security): AclDefinitions =>
  aclDefinitions({
    datacenter,
    agents: agents.map(({ node, settings: { config, services } }) => ({ node, config, services })),
    policies,
    tokens,
    backups: backups !== undefined,
  });
