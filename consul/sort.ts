/** Names are sorted by their code units: in the same order on every machine, in every locale. */
export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  byCodeUnits(a.name, b.name);

export const sortedByKey = <Value>(values: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(values).sort(([a], [b]) => byCodeUnits(a, b)));

/** A value with all its keys sorted: another order of keys in the cluster file changes nothing. */
export function sorted<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted) as Value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(sortedByKey(value as Record<string, unknown>)).map(([key, item]) => [key, sorted(item)]),
  ) as Value;
}
