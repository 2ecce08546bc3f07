import { didYouMean } from "../cluster/suggest";

/**
 * Selects names by patterns, in which `*` stands for any text. The result has the order of the names.
 * @param what the names are names of, for the error
 * @param patterns none selects all names
 * @throws for a pattern that matches no name
 */
export function select(what: string, names: readonly string[], patterns: readonly string[]): string[] {
  if (patterns.length === 0) return [...names];
  const selected = new Set(patterns.flatMap((pattern) => matches(what, names, pattern)));
  return names.filter((name) => selected.has(name));
}

function matches(what: string, names: readonly string[], pattern: string): string[] {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`);
  const found = names.filter((name) => expression.test(name));
  if (found.length === 0)
    throw new Error(`there is no ${what} ${pattern}${didYouMean(pattern, names)}; there are ${names.join(", ")}`);
  return found;
}
