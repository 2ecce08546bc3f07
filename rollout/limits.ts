/** How often a check looks again, in milliseconds. */
export const SECOND = 1000;

/** How often it looks for what is about to change, in milliseconds. */
export const POLL = 250;

/**
 * Seconds in which an election is over: a leader that hands over is followed within one. An agent that knows no leader
 * for longer does not know the answer.
 */
export const LEADERLESS_SECONDS = 8;

/**
 * Seconds for a server of a running cluster to find the others: they are asked at once, and again every 2 s
 * (retry_interval). After that, a step no longer holds an operation of Terraform's that another server needs.
 */
export const GRACE_SECONDS = 6;

/** The cluster's objects may take 10 s to be read or written. This is what that is beyond the usual 5 s. */
export const EXTRA_SECONDS = 5;
