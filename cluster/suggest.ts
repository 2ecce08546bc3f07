import { closest, distance } from "fastest-levenshtein";

/** `; did you mean "x"?`, if one of the names is similar enough for a typing error. */
export function didYouMean(given: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const name = closest(given, names);
  return distance(given, name) <= Math.min(given.length / 2, Math.max(2, Math.floor(given.length / 3)))
    ? `; did you mean "${name}"?`
    : "";
}
