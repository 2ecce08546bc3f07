import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Cluster } from "../../cluster/model";
import { backendOf } from "../../cluster/resolve/state-backend";
import { replaceFile } from "../files";
import { containerIds, readStateFile } from "../terraform/state";
import type { Stack } from "../terraform/synth";
import { type HealthProblem, healthProblem } from "./health-problem";
import type { Inspection } from "./inspection";

/** The problem of a stack's emptied state file, and how it is fixed. */
export interface LostState {
  readonly problem: HealthProblem;
  restore(): void;
}

/**
 * Stacks whose state file has no container, while its backup, which Terraform keeps beside it, has containers that exist: Terraform empties the file
 * before it writes it, and was killed in between. After a destroy, the pair of files looks the same, but the containers are gone.
 */
export async function lostStates(
  { backend }: Cluster,
  stacks: readonly Stack[],
  { agents }: Inspection,
): Promise<LostState[]> {
  const lost: LostState[] = [];
  for (const { name: stack } of stacks) {
    const { type, arguments: given } = backendOf(backend, stack);
    if (type !== "local") continue;
    const name = String(given.path);
    const file = resolve(name);
    const backup = `${file}.backup`;
    if ((await idsIn(file)).size > 0) continue;
    const ids = await idsIn(backup);
    const inspected = agents.find(({ container }) => container && ids.has(container.Id));
    if (!inspected) continue;
    lost.push({
      problem: healthProblem({
        code: "terraform-state-lost",
        host: inspected.agent.host.name,
        agent: inspected.agent.name,
        message: `its container is not in ${name}, but in ${name}.backup: a deploy was killed while it wrote the Terraform state`,
        hint: `cp ${name}.backup ${name}`,
        fix: "restore-terraform-state",
      }),
      restore: () => replaceFile(file, readFileSync(backup)),
    });
  }
  return lost;
}

const idsIn = async (file: string): Promise<Set<unknown>> => containerIds((await readStateFile(file)).resources);
