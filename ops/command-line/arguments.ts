import { InvalidArgumentError } from "commander";
import { allowableCodes, type ProblemCode } from "../../cluster/catalogue";
import { didYouMean } from "../../cluster/suggest";

/** What the argument [STACK...] means. */
export const STACK = "only these stacks: names, or patterns with *";

/** Values of options and arguments. Each function throws commander's error for a value that is not valid. */

export function positiveInteger(value: string): number {
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new InvalidArgumentError("It must be a whole number from 1 on.");
  return Number(value);
}

export function seconds(value: string): number {
  if (!/^\d{1,4}(\.\d+)?$/.test(value) || Number(value) < 0.1)
    throw new InvalidArgumentError("It must be a number of seconds.");
  return Number(value);
}

export function allowableCode(value: string): ProblemCode {
  const code = allowableCodes.find((known) => known === value);
  if (code) return code;
  throw new InvalidArgumentError(`Allowed are ${allowableCodes.join(", ")}${didYouMean(value, allowableCodes)}`);
}

/** `AGENT=NAME`, added to those before it. */
export function containerName(value: string, previous: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, agent, container] = /^([^=]+)=(.+)$/.exec(value) ?? [];
  if (agent === undefined || container === undefined) throw new InvalidArgumentError("It must be AGENT=NAME.");
  return new Map([...previous, [agent, container]]);
}

/** A version of Consul, with or without the digest of its image. */
export function imageVersion(value: string): { readonly version: string; readonly digest?: string } {
  const [, version, digest] = /^v?(\d+\.\d+\.\d+)(?:@(sha256:[0-9a-f]{64}))?$/.exec(value) ?? [];
  if (version === undefined) throw new InvalidArgumentError("It must be a version such as 1.22.7.");
  return { version, digest };
}

/** `NAME=ADDRESS` of a host. */
export function namedAddress(value: string): { readonly name: string; readonly address: string } {
  const [, name, address] = /^([^=\s]+)=([^=\s]+)$/.exec(value) ?? [];
  if (name === undefined || address === undefined)
    throw new InvalidArgumentError("It must be NAME=ADDRESS, such as consul-server1=10.0.0.11.");
  return { name, address };
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** A new certificate is valid for 365 days. With a longer period it would be due again soon after. */
const MOST_DAYS = 300;

/** `30d` or `12h`, in milliseconds. */
export function period(value: string): number {
  const [, number, unit] = /^([1-9]\d{0,4})([dh])$/.exec(value) ?? [];
  if (number === undefined) throw new InvalidArgumentError("It must be days or hours, such as 30d or 12h.");
  const milliseconds = Number(number) * (unit === "d" ? DAY_MS : DAY_MS / 24);
  if (milliseconds > MOST_DAYS * DAY_MS)
    throw new InvalidArgumentError(`It must be ${MOST_DAYS}d at most: a new certificate is valid for 365 days.`);
  return milliseconds;
}

/** As `docker logs --since` takes it. */
export function logAge(value: string): string {
  const isAge = /^(\d+(\.\d+)?(h|m|s|ms))+$/.test(value);
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.test(value);
  if (!isAge && !isTime) throw new InvalidArgumentError("It must be an age such as 10m, or a time.");
  return value;
}

export function logTail(value: string): number | "all" {
  if (!/^(all|\d{1,7})$/.test(value)) throw new InvalidArgumentError("It must be a number of lines, or all.");
  return value === "all" ? value : Number(value);
}

export function regularExpression(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
