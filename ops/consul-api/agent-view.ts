import type { AgentDescription } from "../../cluster/model";
import { type ApiEndpoint, consulApi } from "./consul-api";

/** What an agent says of itself and of its cluster. */
export interface AgentView {
  readonly self: {
    readonly Config: {
      readonly Datacenter: string;
      readonly NodeName: string;
      readonly Server: boolean;
      readonly Version: string;
    };
    readonly DebugConfig: { readonly DataDir: string; readonly LeaveOnTerm: boolean };
    readonly Member: Member;
    readonly Stats: { readonly serf_lan: { readonly encrypted: string }; readonly raft?: { readonly state: string } };
  };
  readonly members: readonly Member[];
  /** The leader's address and server port; empty when there is none. */
  readonly leader: string;
  /** The raft peers' addresses and server ports. */
  readonly peers: readonly string[];
}

export interface Member {
  readonly Name: string;
  readonly Addr: string;
  readonly Port: number;
  /** Serf's: 1 is alive. */
  readonly Status: number;
  readonly Tags: Readonly<Record<string, string>>;
}

/** Where an agent's API is asked, whatever its container is called now. */
export const apiOf = (agent: AgentDescription, container = agent.container): ApiEndpoint => ({
  daemon: agent.host.daemon,
  container,
  local: agent.endpoints.local,
});

/**
 * Asks an agent's API in its container.
 * @throws when it does not answer, with the reason
 */
export async function viewAgent(agent: AgentDescription, container = agent.container): Promise<AgentView> {
  const paths = ["agent/self", "agent/members", "status/leader", "status/peers"].map((path) => `/v1/${path}`);
  // Each answer is one line.
  const asked = await consulApi(apiOf(agent, container), ["-f", "--fail-early", "-w", "\n", ...paths]);
  if (!asked.ok) throw new Error(asked.error);
  const answers = asked.output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const [self, members, leader, peers] = answers;
  return { self, members, leader, peers };
}
