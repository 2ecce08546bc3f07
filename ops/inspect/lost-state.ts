import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Cluster } from "../../cluster/model";
import { backendOf } from "../../cluster/resolve/state-backend";
import { replaceFile } from "../files";
import { readStateFile } from "../terraform/state";
import type { Stack } from "../terraform/synth";
import type { Finding } from "./findings";
import type { Inspection } from "./inspection";

/** A finding about a stack's state file, and how it is put back. */
export interface LostState {
  readonly finding: Finding;
  putBack(): void;
}

/**
 * Stacks whose state file knows no container any more while the one of before, which Terraform keeps beside it, knows containers that are there: Terraform
 * empties the file before it writes it, and was killed in between. A stack that was destroyed has such a pair of files too, but its containers are gone.
 */
export async function lostStates(
  { backend }: Cluster,
  stacks: readonly Stack[],
  { agents }: Inspection,
): Promise<LostState[]> {
  const lost: LostState[] = [];
  for (const { name } of stacks) {
    const { type, arguments: given } = backendOf(backend, name);
    if (type !== "local") continue;
    const file = resolve(String(given.path));
    const before = `${file}.backup`;
    if ((await containerIds(file)).size > 0) continue;
    const ids = await containerIds(before);
    const there = agents.find(({ container }) => container && ids.has(container.Id));
    if (!there) continue;
    const [now, then] = [basename(file), basename(before)];
    lost.push({
      finding: {
        host: there.agent.host.name,
        agent: there.agent.name,
        what: `its container is not in ${now}, but in ${then}: a deploy was killed while it wrote the state`,
        hint: `put the state of before back (--fix does): cp ${then} ${now}`,
        action: "put-state-back",
      },
      putBack: () => replaceFile(file, readFileSync(before)),
    });
  }
  return lost;
}

async function containerIds(file: string): Promise<Set<unknown>> {
  const { resources } = await readStateFile(file);
  return new Set(resources.filter(({ type }) => type === "docker_container").map(({ attributes }) => attributes.id));
}
