/** The order of names is that of code units, not the locale's: the same everywhere. */
const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const byName = (a: { readonly name: string }, b: { readonly name: string }): number => inOrder(a.name, b.name);

export const sortedByKey = <Value>(values: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(values).sort(([a], [b]) => inOrder(a, b)));

/** A value with all its keys in order: the order in which somebody wrote them changes nothing. */
export function sorted<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted) as Value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(sortedByKey(value as Record<string, unknown>)).map(([key, item]) => [key, sorted(item)]),
  ) as Value;
}
