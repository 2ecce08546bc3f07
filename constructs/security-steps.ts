import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import type { Cluster } from "../cluster/cluster";
import { agentSecrets, type Security } from "../cluster/security";
import { aclDefinitions } from "./acl";
import { Ask, type AskProps, scriptText } from "./ask";
import type { ConsulServer } from "./consul-server";
import { literals } from "./literal";
import { secretsHash } from "./secured";

export interface SecurityStepsProps {
  readonly cluster: Cluster;
  readonly security: Security;
  /** All servers that stay. */
  readonly servers: readonly ConsulServer[];
}

/** What a secured cluster is given once its servers are there and have their secrets: each step changes nothing where all is as it should be. */
export class SecuritySteps extends Construct {
  /** ACL policies and tokens. */
  readonly acl: Ask;
  /** One gossip key, the newest. */
  readonly gossip: Ask;

  constructor(scope: Construct, id: string, { cluster, security, servers }: SecurityStepsProps) {
    super(scope, id);
    const [first] = servers;
    const hashOf = (file: string) => (first ? [secretsHash("server", { secrets: agentSecrets(security, first.node.id) }, [file])] : []);
    const own = servers.filter((server) => TerraformStack.of(server) === TerraformStack.of(this));
    const step = (script: AskProps["script"], words: readonly string[], triggers: readonly string[]): Ask => {
      const targets = servers.map(({ askTarget }) => askTarget);
      const ask = new Ask(this, script, { script, wait: cluster.wait, arguments: words, targets, triggers });
      ask.resource.overrideLogicalId(`consul_${script}`);
      ask.askAfter(own.flatMap(({ gate, secrets }) => [gate, secrets].flatMap((one) => one ?? [])));
      return ask;
    };
    const definitions = JSON.stringify(literals(aclDefinitions(cluster, security)));
    this.acl = step("acl", [definitions, scriptText("aclChanges")], [definitions, ...hashOf("acl.json")]);
    this.gossip = step("gossip", [], hashOf("gossip.json"));
    // Its token is among the others.
    this.gossip.askAfter([this.acl]);
  }
}
