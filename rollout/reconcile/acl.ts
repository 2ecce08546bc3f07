import { ACL_DESCRIPTION } from "../../consul/contract";
import { type Clock, Stopwatch } from "../clock";
import type { Authority, ConsulApi } from "../consul-api";
import { GRACE_SECONDS, LEADERLESS_SECONDS, SECOND } from "../limits";
import { allow, deny, type Log, type Outcome, unknown, Waiting } from "../outcome";
import { peers } from "../queries";
import type { AclRequest, DeclaredAcls } from "../request";
import { applyChanges, type Change, formatFailures } from "./changes";
import { authorize, readable, readJson, readList, type SecretIds, Unreadable } from "./management";

export interface Policy {
  readonly ID: string;
  readonly Name: string;
  readonly Description: string;
}

export interface Token {
  readonly AccessorID: string;
  readonly SecretID: string;
  readonly Description: string;
  readonly Policies?: readonly { readonly Name: string }[] | null;
  readonly NodeIdentities?: readonly { readonly NodeName: string; readonly Datacenter: string }[] | null;
  readonly ServiceIdentities?: readonly { readonly ServiceName: string }[] | null;
}

export interface ExistingAcls {
  readonly policies: readonly Policy[];
  readonly tokens: readonly Token[];
  /** Rules of the existing policies that are declared, by policy name. */
  readonly rules: ReadonlyMap<string, string>;
}

/** The description of the management token that a server creates (hashicorp/consul, agent/consul/leader.go). */
const INITIAL_MANAGEMENT = "Initial Management Token";
/** What Consul writes instead of a SecretID for those who may not see it. */
const HIDDEN = "<hidden>";

/**
 * Creates, updates and deletes the cluster's ACL policies and tokens. A second run changes nothing. Policies and tokens
 * that an earlier run created are deleted when they are not declared any more.
 */
export async function acl(
  { acls, seconds }: Pick<AclRequest, "acls" | "seconds">,
  secretIds: SecretIds,
  api: ConsulApi,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const waiting = new Waiting("acl", clock, log);
  const begun = new Stopwatch(clock);
  for (; !begun.reached(seconds); await clock.sleep(SECOND)) {
    if ((await peers(api))?.length === 0 && begun.reached(GRACE_SECONDS))
      return allow("skipped: the other servers are not deployed yet, and the last stack creates the tokens");
    const authority = await authorize(api, secretIds);
    if (!authority) {
      waiting.for("waiting for a leader that knows the management token");
      if (waiting.reached(LEADERLESS_SECONDS)) return unknown(waiting.reason);
      continue;
    }
    const existing = await readable(existingAcls(acls, api, authority));
    if (typeof existing === "string") {
      waiting.for(withoutSecrets(`cannot be read: ${existing}`, secretIds));
      continue;
    }
    const changes = plannedAclChanges(acls, secretIds, existing);
    if (changes.length === 0) return allow("policies and tokens are complete");
    const failed = await applyChanges(changes, api, authority);
    const printable = failed.map(({ change, reason }) => ({ change, reason: withoutSecrets(reason, secretIds) }));
    if (failed.length > 0) waiting.for(formatFailures(printable));
  }
  return deny(`not done after ${seconds} s: ${waiting.reason}`, "look at the log of a server, and deploy again");
}

/** The cluster's answers are not expected to repeat a SecretID. */
const withoutSecrets = (text: string, { current, retiring }: SecretIds): string =>
  [...Object.values(current), ...retiring].reduce((rest, secretId) => rest.replaceAll(secretId, "(a SecretID)"), text);

/** @throws Unreadable */
async function existingAcls({ policies }: DeclaredAcls, api: ConsulApi, authority: Authority): Promise<ExistingAcls> {
  const existing = await readList<Policy>(api, "/v1/acl/policies", authority);
  // The list has no rules, so each policy is read.
  const rules = new Map<string, string>();
  for (const { ID, Name } of existing) {
    if (!Object.hasOwn(policies, Name)) continue;
    const policy = await readJson<{ readonly Rules?: string } | null>(api, `/v1/acl/policy/${ID}`, authority);
    rules.set(Name, policy?.Rules ?? "");
  }
  const tokens = await readList<Token>(api, "/v1/acl/tokens", authority);
  // A token is recognized by its SecretID. Without them all would be created again, and the existing ones deleted.
  if (!tokens.every(({ SecretID }) => SecretID && SecretID !== HIDDEN))
    throw new Unreadable("/v1/acl/tokens: its answer has no SecretIDs");
  return { policies: existing, tokens, rules };
}

/**
 * The requests that bring the cluster's ACLs to the declared ones. A description marks the product's own policies and
 * tokens. A policy's key is its name, a token's its SecretID.
 */
export function plannedAclChanges(
  declared: DeclaredAcls,
  secretIds: SecretIds,
  { policies, tokens, rules }: ExistingAcls,
): readonly Change[] {
  const policyIds = new Map(policies.map(({ ID, Name }) => [Name, ID]));
  const tokenOf = new Map(tokens.map((token) => [token.SecretID, token]));
  const changes: Change[] = [];

  for (const [name, text] of Object.entries(declared.policies)) {
    const id = policyIds.get(name);
    const policy = { Name: name, Rules: text, Description: ACL_DESCRIPTION };
    if (id === undefined) changes.push(put("/v1/acl/policy", policy));
    else if (rules.get(name) !== text) changes.push(put(`/v1/acl/policy/${id}`, { ...policy, ID: id }));
  }
  for (const [name, secretId] of Object.entries(secretIds.current)) {
    const rights = declaredRights(declared, name);
    const token = { Description: `${ACL_DESCRIPTION}${name}`, ...rights };
    const existing = tokenOf.get(secretId);
    if (!existing) changes.push(put("/v1/acl/token", { ...token, SecretID: secretId }));
    else if (comparable(existing) !== comparable(rights)) {
      const { AccessorID } = existing;
      changes.push(put(`/v1/acl/token/${AccessorID}`, { ...token, AccessorID }));
    }
  }
  const kept = new Set([...Object.values(secretIds.current), ...secretIds.retiring]);
  for (const { SecretID, AccessorID, Description } of tokens) {
    const isOwn = Description.startsWith(ACL_DESCRIPTION) || Description === INITIAL_MANAGEMENT;
    if (isOwn && !kept.has(SecretID)) changes.push({ method: "DELETE", path: `/v1/acl/token/${AccessorID}` });
  }
  for (const { ID, Name, Description } of policies) {
    const isDeclared = Object.hasOwn(declared.policies, Name);
    if (Description === ACL_DESCRIPTION && !isDeclared)
      changes.push({ method: "DELETE", path: `/v1/acl/policy/${ID}` });
  }
  return changes;
}

const put = (path: string, body: object): Change => ({ method: "PUT", path, body });

type Rights = Required<Pick<Token, "Policies" | "NodeIdentities" | "ServiceIdentities">>;

const AGENT = "agent:";

/** Rights of a token by its name: `management`, `agent:NODE`, or a name with policies of its own. */
function declaredRights({ datacenter, services, tokens }: DeclaredAcls, name: string): Rights {
  if (name.startsWith(AGENT)) {
    const node = name.slice(AGENT.length);
    return {
      Policies: [],
      NodeIdentities: [{ NodeName: node, Datacenter: datacenter }],
      ServiceIdentities: (own(services, node) ?? []).map((ServiceName) => ({ ServiceName })),
    };
  }
  const policies = name === "management" ? ["global-management"] : (own(tokens, name) ?? []);
  return { Policies: policies.map((Name) => ({ Name })), NodeIdentities: [], ServiceIdentities: [] };
}

const own = <Value>(values: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(values, key) ? values[key] : undefined;

/** Rights as text, which is the same for the same rights in another order. */
function comparable({ Policies, NodeIdentities, ServiceIdentities }: Partial<Rights>): string {
  return JSON.stringify([
    (Policies ?? []).map(({ Name }) => Name).sort(),
    (NodeIdentities ?? []).map(({ NodeName, Datacenter }) => JSON.stringify([NodeName, Datacenter])).sort(),
    (ServiceIdentities ?? []).map(({ ServiceName }) => ServiceName).sort(),
  ]);
}
