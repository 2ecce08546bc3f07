import type { Cluster } from "../../cluster/model";
import { hostOfAlias } from "../../consul/contract";
import type { Stack } from "../terraform/synth";

export interface DeclaredContainer {
  readonly name: string;
  /** The name of its host. */
  readonly host: string;
}

/** Containers that the stacks have: of agents, and of what stands beside them. */
export function declaredContainers({ agents }: Cluster, stacks: readonly Stack[]): DeclaredContainer[] {
  const hosts = new Map(agents.map(({ name, host }) => [name, host.name]));
  return stacks.flatMap(({ json }) =>
    Object.entries(json.resource?.docker_container ?? {}).flatMap(([id, { name, provider = "", count }]) => {
      const host = hosts.get(id) ?? hostOfAlias(provider.replace(/^docker\./, ""));
      return name === undefined || count === 0 ? [] : [{ name, host }];
    }),
  );
}
