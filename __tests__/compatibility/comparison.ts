import type { Json } from "../../e2e/compatibility/expected";

const SCRIPT = /^<script [\w.-]+>$/;

/**
 * What differs between a stack and the one that is expected, a line or two for each. Of provisioners only the number and
 * the time is compared, because Terraform keeps nothing else of them: what they run is not in the state, and a change of
 * it replaces nothing. Locals with their scripts do not count for the same reason, nor do the messages of preconditions.
 */
export function differences(where: string, expected: Json, actual: Json): string[] {
  return compare(where, withoutScripts(expected), withoutScripts(actual));
}

function compare(where: string, expected: Json | undefined, actual: Json | undefined): string[] {
  if (expected === undefined) return [`${where}: not expected: ${shown(actual)}`];
  if (actual === undefined) return [`${where}: missing: ${shown(expected)}`];
  if (typeof expected === "string" && typeof actual === "string")
    return expected === actual ? [] : [differing(where, expected, actual)];
  if (Array.isArray(expected) && Array.isArray(actual))
    return upTo(Math.max(expected.length, actual.length)).flatMap((index) =>
      compare(`${where}[${index}]`, expected[index], actual[index]),
    );
  if (isMapping(expected) && isMapping(actual)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
    return keys.flatMap((key) => compare(`${where}.${key}`, own(expected, key), own(actual, key)));
  }
  return expected === actual ? [] : [`${where}: expected ${shown(expected)}\n    but got ${shown(actual)}`];
}

function withoutScripts(value: Json, key = ""): Json {
  if (Array.isArray(value)) return value.map((item) => withoutScripts(item, key));
  if (!isMapping(value)) return value;
  if (key === "local-exec") return "when" in value ? { when: value.when ?? null } : {};
  const entries = Object.entries(value).filter(
    ([name, item]) => name !== "error_message" && !(name === "locals" && holdsScripts(item)),
  );
  return Object.fromEntries(entries.map(([name, item]) => [name, withoutScripts(item, name)]));
}

const holdsScripts = (locals: Json): boolean =>
  isMapping(locals) && Object.values(locals).every((text) => typeof text === "string" && SCRIPT.test(text));

const isMapping = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const own = (value: { [key: string]: Json }, key: string): Json | undefined =>
  Object.hasOwn(value, key) ? value[key] : undefined;

const upTo = (length: number): number[] => Array.from({ length }, (_, index) => index);

const LONGEST = 160;

function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

/** Two texts from a little before the first character that differs. */
function differing(where: string, expected: string, actual: string): string {
  const same = upTo(expected.length).find((index) => expected[index] !== actual[index]) ?? expected.length;
  const from = Math.max(0, same - 40);
  const part = (text: string) => `${from > 0 ? "..." : ""}${shown(text.slice(from))}`;
  return `${where}: expected ${part(expected)}\n    but got ${part(actual)}`;
}
