import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { TerraformLocal, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { stepId } from "../consul/contract";
import { escaped } from "./escape";

/** The files of each script. A file defines functions for those behind it. */
const SOURCES = {
  ask: ["operator/docker.sh", "operator/run-step.sh"],
  beforeStop: ["operator/docker.sh", "operator/parallelism.sh", "operator/pre-stop.sh"],
  beforeLeave: ["operator/docker.sh", "operator/parallelism.sh", "operator/pre-leave.sh"],
  gate: ["agent/consul-api.sh", "agent/lock.sh", "agent/readiness.sh"],
  serverQuestion: ["agent/consul-api.sh", "agent/lock.sh", "agent/security-compat.sh", "agent/pre-stop-server.sh"],
  clientQuestion: ["agent/consul-api.sh", "agent/lock.sh", "agent/security-compat.sh", "agent/pre-stop-client.sh"],
  leave: ["agent/consul-api.sh", "agent/leave.sh"],
  gone: ["agent/consul-api.sh", "agent/lock.sh", "agent/removal.sh"],
  quorum: ["agent/consul-api.sh", "agent/voters.sh"],
  tryConfig: ["agent/validate-config.sh"],
  services: ["agent/consul-api.sh", "agent/reload.sh", "agent/services.sh"],
  acl: ["agent/consul-api.sh", "agent/management-api.sh", "agent/acl.sh"],
  aclChanges: ["agent/acl.jq"],
  definitions: ["agent/consul-api.sh", "agent/management-api.sh", "agent/definitions.sh"],
  definitionsChanges: ["agent/definitions.jq"],
  gossip: ["agent/consul-api.sh", "agent/gossip.sh"],
  giveSecrets: ["operator/docker.sh", "operator/deliver-secrets.sh"],
  takeSecrets: ["agent/reload.sh", "agent/install-secrets.sh"],
  giveToken: ["operator/docker.sh", "operator/deliver-token.sh"],
  autopilot: ["agent/consul-api.sh", "agent/autopilot.sh"],
} as const;
export type ScriptName = keyof typeof SOURCES;

/** A stack's scripts as Terraform locals. Each is in the JSON once, whatever the number of agents. */
export class RolloutScripts extends Construct {
  private static readonly ID = stepId("scripts");

  static of(scope: Construct): RolloutScripts {
    const stack = TerraformStack.of(scope);
    const existing = stack.node.tryFindChild(RolloutScripts.ID) as RolloutScripts | undefined;
    return existing ?? new RolloutScripts(stack, RolloutScripts.ID);
  }

  private readonly references = new Map<ScriptName, string>();

  /** Terraform's reference to a script's text. */
  reference(name: ScriptName): string {
    const reference = this.references.get(name) ?? this.add(name).asString;
    this.references.set(name, reference);
    return reference;
  }

  private add(name: ScriptName): TerraformLocal {
    const local = new TerraformLocal(this, name, scriptText(name));
    local.overrideLogicalId(stepId(name));
    return local;
  }
}

const texts = new Map<string, string>();

/**
 * A script's text. Without comments and indentation it has half the size: a pre-stop check is in the JSON once for each
 * agent, because a destroy-time provisioner cannot refer to a local.
 */
export function scriptText(name: ScriptName): string {
  const text =
    texts.get(name) ??
    SOURCES[name].map((file) => `# ${basename(file)}\n${compact(fileText(`rollout/${file}`))}`).join("");
  texts.set(name, text);
  return text;
}

/** Quoted texts of several lines are jq programs, for which indentation has no meaning either, and which have no comments. */
const compact = (script: string): string => script.replace(/^[ \t]*(#.*)?\n/gm, "").replace(/^[ \t]+/gm, "");

/** A script's text for a container's upload, which keeps every byte. @param name a file of container/ */
export const uploadText = (name: string): string => fileText(`container/${name}`);

function fileText(file: string): string {
  const text = texts.get(file) ?? escaped(readFileSync(join(__dirname, "..", file), "utf8"));
  texts.set(file, text);
  return text;
}
