import { readFileSync } from "node:fs";
import { join } from "node:path";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What two programs have to agree on before their times are compared. */
const COMPARED = ["resource", "output", "provider"];

/**
 * Both programs wrote the same Terraform JSON, but for metadata, and for ids, which a plain program makes unique in another way.
 * @throws Error that names the first place where they differ
 */
export function requireSameResources(ours: string, theirs: string): void {
  for (const part of COMPARED) {
    const difference = firstDifference(stackPart(ours, part), stackPart(theirs, part), part);
    if (difference)
      throw new Error(
        `bench/plain-cdktf.ts does not make what the product makes, so there is nothing to compare: ${difference}`,
      );
  }
}

function stackPart(outdir: string, part: string): Json {
  const text = readFileSync(join(outdir, "stacks/bench/cdk.tf.json"), "utf8");
  const stack = JSON.parse(
    text.replace(
      /\b((?:server|client)-\d+(?:_services)?|consul_quorum|consul_autopilot|consul_definitions)-(?:image|gate|addresses)\b/g,
      "$1",
    ),
  );
  // Providers are a list, of which the order means nothing.
  return part === "provider"
    ? Object.fromEntries(stack.provider.docker.map((provider: { alias: string }) => [provider.alias, provider]))
    : stack[part];
}

function firstDifference(ours: Json | undefined, theirs: Json | undefined, place: string): string | undefined {
  const bothObjects = typeof ours === "object" && typeof theirs === "object" && ours !== null && theirs !== null;
  if (!bothObjects || Array.isArray(ours) !== Array.isArray(theirs)) {
    return ours === theirs
      ? undefined
      : `at ${place} it has ${JSON.stringify(theirs)} where the product has ${JSON.stringify(ours)}`;
  }
  const [ourEntries, theirEntries] = [ours, theirs].map((json) => new Map<string, Json>(Object.entries(json)));
  for (const key of new Set([...(ourEntries?.keys() ?? []), ...(theirEntries?.keys() ?? [])])) {
    const difference =
      key === "//" ? undefined : firstDifference(ourEntries?.get(key), theirEntries?.get(key), `${place}.${key}`);
    if (difference) return difference;
  }
  return undefined;
}
