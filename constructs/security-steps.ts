import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import type { Cluster } from "../cluster/cluster";
import { ACL_SECRETS, agentSecrets, type Security } from "../cluster/security";
import { aclDefinitions } from "./acl";
import { Ask, type AskProps, scriptText } from "./ask";
import type { ConsulAgent } from "./consul-agent";
import type { ConsulServer } from "./consul-server";
import { literals } from "./literal";
import { fromStack } from "./project-path";
import { secretsHash } from "./secured";

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
  readonly acl: Ask;

  constructor(scope: Construct, id: string, { cluster, security, servers, agents }: SecurityStepsProps) {
    super(scope, id);
    const step = (script: AskProps["script"], props: Pick<AskProps, "arguments" | "triggers" | "input">): Ask => {
      const targets = servers.map(({ askTarget }) => askTarget);
      const ask = new Ask(this, script, { script, wait: cluster.wait, targets, ...props });
      ask.resource.overrideLogicalId(`consul_${script}`);
      return ask;
    };
    const hashOf = (file: string, folder = security.secrets) => secretsHash({ secrets: folder }, [file]);
    const own = agents.filter(({ role }) => role === "server");

    const definitions = JSON.stringify(literals(aclDefinitions(cluster, security)));
    this.acl = step("acl", {
      arguments: [definitions, scriptText("aclChanges")],
      input: fromStack(`${security.secrets}/${ACL_SECRETS}`),
      triggers: [definitions, hashOf(ACL_SECRETS)],
    });
    this.acl.askAfter(own.flatMap(({ gate }) => gate ?? []));
    for (const { secrets } of agents) secrets?.resource.comeAfter([this.acl.resource]);

    // By the name of the cluster's own stack: it is the last with servers, and all have been given the new key.
    const [first] = servers;
    if (!first || TerraformStack.of(this).node.id !== cluster.name) return;
    const gossip = step("gossip", { arguments: [], triggers: [hashOf("gossip.json", agentSecrets(security, first.node.id))] });
    gossip.askAfter([this.acl, ...own.flatMap(({ secrets }) => secrets ?? [])]);
  }
}
