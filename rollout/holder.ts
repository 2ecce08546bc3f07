/** Who holds the deploy lock or a rollout slot: an agent, because a deploy replaces it, or because of its host. */
export interface Holder {
  /** The agent's Terraform id. */
  readonly owner: string;
  /**
   * Since when its host is in maintenance, in seconds since 1970: the entry has it as its flags, so that one write both
   * acquires and marks it. Undefined for a deploy. What one of the two has acquired, the other neither has nor releases.
   */
  readonly maintenance?: number;
}

/** The query that creates a holder's entry, if there is none. */
export const acquiring = ({ maintenance }: Holder): string =>
  maintenance === undefined ? "?cas=0" : `?cas=0&flags=${maintenance}`;

/** The holder of an entry. @param flags 0 if the entry says nothing */
export const holderOf = (owner: string, flags = 0): Holder => (flags === 0 ? { owner } : { owner, maintenance: flags });

export const isSame = (a: Holder, b: Holder): boolean =>
  a.owner === b.owner && (a.maintenance === undefined) === (b.maintenance === undefined);

/**
 * Why others wait for the deploy lock. Servers and client agents say the same, so that a check knows for how long others
 * have waited for it.
 */
export const lockText = (holder: Holder): string => holderText(holder, `${holder.owner} is being replaced, or leaves`);

/** Why others wait for a holder. @param replaced what is said if a deploy has acquired it */
export const holderText = ({ owner, maintenance }: Holder, replaced: string): string =>
  maintenance === undefined ? replaced : `the host of ${owner} is in maintenance since ${sinceText(maintenance)}`;

/** @param seconds since 1970 */
export const sinceText = (seconds: number): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** What helps where the KV store rejects an entry. */
export const REJECTED_HINT = "allow its own host to write to the KV store: allow_write_http_from, limits";

/** What ends a wait for a maintenance. */
export const MAINTENANCE_HINT = "if it is over, end it: npm run maintain -- HOST --end";
