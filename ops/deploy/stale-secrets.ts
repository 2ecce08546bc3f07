import type { Cluster } from "../../cluster/model";
import { type Problem, problem } from "../../cluster/problem";
import { secretsId } from "../../consul/contract";
import { lastTrigger } from "../inspect/delivered-secrets";
import { RECOVER, SecretsFolder } from "../secrets/folder";
import { knownVersions } from "../secrets/versions";
import type { StackState } from "../terraform/state";

/**
 * Finds agents whose deployed secrets this folder does not have and never had. A deploy would replace them by older ones,
 * or by those of another cluster.
 */
export function staleSecrets(cluster: Cluster, states: ReadonlyMap<string, StackState>): Problem[] {
  if (!cluster.security) return [];
  const folder = new SecretsFolder(cluster.security.secrets);
  const isKnown = knownVersions(folder);
  const steps = new Map(
    [...states.values()].flatMap(({ resources }) =>
      resources.filter(({ type }) => type === "terraform_data").map((step) => [step.name, step] as const),
    ),
  );
  const stale = cluster.agents.filter((agent) => {
    const deployed = lastTrigger(steps.get(secretsId(agent.name)));
    return typeof deployed === "string" && !isKnown(agent, deployed);
  });
  const [first] = stale;
  if (first === undefined) return [];
  const others = stale.length > 1 ? `, and ${stale.length - 1} more agents,` : "";
  return [
    problem({
      code: "secrets-stale",
      location: { file: folder.named() },
      message: `"${first.name}"${others} got secrets that this folder never had: it is an older copy, or another folder`,
      hint: `get the folder, or a new export of it, from where the secrets were changed last; if nobody has it, move this one away: ${RECOVER}; if this folder is right: --allow secrets-stale`,
    }),
  ];
}
