import type { Role } from "../../consul/ports";
import type { Stage } from "../../consul/security";

/** `1 client`, `37 clients` */
export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

/** Names in a sentence; the rest are counted. */
const NAMES = 6;

/** `a, b, c and 37 more` */
export function listed(names: readonly string[]): string {
  if (names.length > NAMES + 1) return `${names.slice(0, NAMES).join(", ")} and ${names.length - NAMES} more`;
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** `3 servers and 1 client` */
export function rolesText(agents: readonly { readonly role: Role }[]): string {
  const of = (role: Role) => agents.filter((agent) => agent.role === role).length;
  const parts = (["server", "client"] as const).flatMap((role) => (of(role) > 0 ? [count(of(role), role)] : []));
  return parts.length > 0 ? parts.join(" and ") : "no agents";
}

export function securityText(stage: Stage): string {
  if (stage === "off") return "security off";
  return stage === "strict" ? "security on: TLS, gossip encryption, ACLs" : `security being turned on: stage ${stage}`;
}
