import { type ConsulApi, ContainerUnreachable } from "./consul-api";
import { agentSelf } from "./queries";
import type { ExecTarget } from "./request";

/** Less than a second, as Go writes it. Leaders are heard from ten times a second. */
const LATELY = /^(0|\d+(\.\d+)?(ns|µs|ms))$/;

/**
 * Which servers have, by their own word, applied an entry of the Raft log, and hear from their leader. Each is asked on
 * its own host, all at the same time. One that gives no answer is not among them.
 * @param open the way to a server's API
 * @returns their nodes' names
 */
export async function storedBy(
  index: number,
  servers: readonly ExecTarget[],
  open: (target: ExecTarget) => { readonly api: ConsulApi; close(): Promise<void> },
): Promise<ReadonlySet<string>> {
  const names = await Promise.all(
    servers.map(async (target) => {
      const server = open(target);
      try {
        const self = await agentSelf(server.api);
        const { applied_index, last_contact = "never" } = self?.Stats.raft ?? {};
        return Number(applied_index) >= index && LATELY.test(last_contact) ? self?.Config.NodeName : undefined;
      } catch (error) {
        if (error instanceof ContainerUnreachable) return undefined;
        throw error;
      } finally {
        await server.close();
      }
    }),
  );
  return new Set(names.filter((name) => name !== undefined));
}
