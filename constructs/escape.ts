/** Text for Terraform to leave alone: `${` and `%{` begin an expression in every string of its JSON. */
export function escaped(text: string): string {
  return text.replace(/[$%](?=\{)/g, (sign) => sign + sign);
}

/** The text that Terraform makes of an escaped one. */
export const unescaped = (text: string): string => text.replace(/([$%])\1(?=\{)/g, "$1");

/** The same for every string of a value, keys included. */
export function escapedAll<T>(value: T): T {
  if (typeof value === "string") return escaped(value) as T;
  if (Array.isArray(value)) return value.map(escapedAll) as T;
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [escaped(key), escapedAll(item)])) as T;
  }
  return value;
}
