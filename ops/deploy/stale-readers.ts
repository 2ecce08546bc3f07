import type { Stack } from "../terraform/synth";

/**
 * All stacks are planned before any is applied. The product's own stacks read nothing of each other; a user's addition
 * may read another stack's outputs, and its plan would rest on outputs that the deploy itself changes.
 * @param changing names of stacks that change
 * @returns why the deploy has to be rejected
 */
export function staleReaders(stacks: readonly Stack[], changing: readonly string[]): string[] {
  return stacks
    .filter(({ json }) => Object.keys(json.data?.terraform_remote_state ?? {}).length > 0)
    .flatMap(({ name, dependencies }) => {
      const stale = dependencies.filter((dependency) => changing.includes(dependency));
      return stale.length === 0
        ? []
        : `stack ${name} reads outputs of other stacks, and can be planned when these are deployed: npm run deploy -- ${stale.join(" ")}`;
    });
}
