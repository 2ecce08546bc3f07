import type { X509Certificate } from "node:crypto";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { PATHS } from "../../consul/contract";
import { SECRET_FILES } from "../../consul/secrets";
import { ContainerUnreachable, Unreachable } from "../../rollout/consul-api";
import type { Token } from "../../rollout/reconcile/acl";
import { readable, readList } from "../../rollout/reconcile/management";
import { withAgent } from "../docker/agent";
import { type CopiedFiles, copiedFiles } from "../docker/copied-files";
import { parallel } from "../parallel";
import { certificatesIn } from "./certificate";

/** What agents' containers, and the cluster itself, have of its secrets. Nothing here writes a secret anywhere. */

/** Each is a docker CLI and an ssh. */
const AT_ONCE = 32;
/** A slow host must not count as unreachable. */
const SECONDS = 30;

/** The files of each agent's container, by the agent's name. */
async function deliveredFiles(
  agents: readonly AgentDescription[],
  path: string = PATHS.secrets,
): Promise<ReadonlyMap<string, CopiedFiles>> {
  return new Map(
    await parallel(agents, AT_ONCE, async ({ name, host, container }) => {
      return [name, await copiedFiles(host.daemon, container, path, SECONDS)] as const;
    }),
  );
}

/** An agent whose container does not have the newest CA, or of which that is not known. */
export interface NotTrusting {
  readonly agent: string;
  readonly why: string;
}

/** The agents whose containers do not have a CA among those that they trust. */
export async function notTrusting({ agents }: Cluster, ca: X509Certificate): Promise<NotTrusting[]> {
  const delivered = await deliveredFiles(agents, `${PATHS.secrets}/${SECRET_FILES.ca}`);
  return [...delivered].flatMap(([agent, found]) => {
    // An agent without a container gets the folder's CAs with its first one.
    if ("absent" in found) return [];
    if ("unreachable" in found) return [{ agent, why: found.unreachable }];
    const trusted = casOf(found.files.get(SECRET_FILES.ca));
    if (trusted.some(({ fingerprint256 }) => fingerprint256 === ca.fingerprint256)) return [];
    return [{ agent, why: "its container does not have it yet" }];
  });
}

/** The certificates of a file; none if it is damaged. */
export function casOf(text = ""): X509Certificate[] {
  try {
    return certificatesIn(text);
  } catch {
    return [];
  }
}

/** An ACL token, as the cluster lists it. */
export type ListedToken = Pick<Token, "SecretID" | "Description"> & { readonly CreateIndex: number };

/**
 * The cluster's ACL tokens, from the first server that lists them; or why none does. A server answers from its own data,
 * because a cluster whose certificates have expired has no leader.
 */
async function listedTokens(servers: readonly AgentDescription[]): Promise<readonly ListedToken[] | string> {
  const reasons: string[] = [];
  for (const server of servers) {
    const listed = await tokensOfServer(server);
    if (typeof listed !== "string") return listed;
    reasons.push(`${server.name}: ${listed}`);
  }
  return reasons.join("; ");
}

/** What containers and the cluster have of the secrets. */
export interface FoundSecrets {
  /** The files of the agents' containers, by the agents' names. */
  readonly delivered: ReadonlyMap<string, CopiedFiles>;
  /** The cluster's ACL tokens. */
  readonly tokens: readonly ListedToken[];
}

/**
 * Reads the secrets of agents.
 * @throws when a daemon is unreachable, or no server lists the tokens: what is not read would be regenerated, and the next deploy would revoke the old one
 */
export async function foundSecrets(agents: readonly AgentDescription[]): Promise<FoundSecrets> {
  const delivered = await deliveredFiles(agents);
  const unreachable = agents.flatMap(({ name, host }) => {
    const found = delivered.get(name);
    return found && "unreachable" in found ? [`${name} on ${host.name}: ${found.unreachable}`] : [];
  });
  if (unreachable.length > 0)
    throw new Error(
      `containers cannot be read\n${unreachable.map((line) => `  ${line}`).join("\n")}\n  bring the host back, or leave it out: --without HOST`,
    );
  const servers = agents.filter(({ name, role }) => role === "server" && "files" in (delivered.get(name) ?? {}));
  const tokens = await listedTokens(servers);
  if (typeof tokens === "string")
    throw new Error(
      `no server lists the ACL tokens: ${tokens || "no server's container has secrets"}\n  one server has to run: npm run doctor. If the servers' containers are permanently lost: docs/backups.md`,
    );
  return { delivered, tokens };
}

async function tokensOfServer(server: AgentDescription): Promise<readonly ListedToken[] | string> {
  try {
    return await withAgent(server, ({ api }) =>
      readable(readList<ListedToken>(api, "/v1/acl/tokens?stale", "management")),
    );
  } catch (error) {
    if (error instanceof Unreachable || error instanceof ContainerUnreachable) return error.message;
    throw error;
  }
}
