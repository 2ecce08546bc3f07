import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import type { Cluster, Security } from "../cluster/model";
import { type AclDefinitions, aclDefinitions } from "../consul/acl-policies";
import { stepId } from "../consul/contract";
import { agentSecrets, SECRET_FILES } from "../consul/secrets";
import type { StepRequest } from "../rollout/request";
import { secretsHash } from "./agent-security";
import type { ConsulServer } from "./consul-server";
import { escapedAll } from "./escape";
import { fromStack } from "./project-path";
import { RolloutStep } from "./rollout-step";

export interface SecurityStepsProps {
  readonly cluster: Cluster;
  readonly security: Security;
  /** The cluster's servers that are not decommissioned. */
  readonly servers: readonly ConsulServer[];
}

/**
 * Steps of a secured cluster in a stack that has servers. Each such stack creates the tokens before its agents get them,
 * because another stack may be deployed later. A step that finds nothing to do changes nothing.
 */
export class SecuritySteps extends Construct {
  /** Creates ACL policies and tokens. */
  readonly acl: RolloutStep;
  /** Changes the gossip key. In the cluster's own stack only: it is the last stack with servers, which all have the new key then. */
  readonly gossip?: RolloutStep;

  constructor(scope: Construct, id: string, { cluster, security, servers }: SecurityStepsProps) {
    super(scope, id);
    const asked = { servers: servers.map(({ execTarget }) => execTarget), seconds: cluster.readyTimeout };
    const step = (request: StepRequest, triggers: readonly string[]): RolloutStep => {
      const created = new RolloutStep(this, request.step, { subject: cluster.name, request, triggers });
      created.resource.overrideLogicalId(stepId(request.step));
      return created;
    };

    const acls = escapedAll(aclOf(cluster, security));
    const secretIds = fromStack(`${security.secrets}/${SECRET_FILES.acl}`);
    this.acl = step({ step: "acl", ...asked, acls, secrets: secretIds }, [
      JSON.stringify(acls),
      secretsHash(security, [SECRET_FILES.acl]),
    ]);

    const [first] = servers;
    if (!first || TerraformStack.of(this).node.id !== cluster.name) return;
    const secrets = agentSecrets(security, first.node.id);
    this.gossip = step({ step: "gossip", ...asked }, [secretsHash({ secrets }, [SECRET_FILES.gossip])]);
  }
}

/** A cluster's ACL policies and tokens, without SecretIDs. */
export const aclOf = (
  { datacenter, agents, backups, metrics }: Cluster,
  { policies, tokens }: Security,
): AclDefinitions =>
  aclDefinitions({
    datacenter,
    agents: agents.map(({ node, config, services }) => ({ node, config, services })),
    policies,
    tokens,
    backups: backups !== undefined,
    metrics: metrics !== undefined,
  });
