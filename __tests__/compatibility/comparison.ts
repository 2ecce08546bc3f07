import type { Json } from "./expected";

/** Names that have changed, old to new. Nothing else about a provisioner may differ but its scripts' text. */
export interface Renamed {
  /** Locals that hold scripts. */
  readonly locals: Readonly<Record<string, string>>;
  /** Variables of provisioners' own environment. */
  readonly variables: Readonly<Record<string, string>>;
}

const SCRIPT = /<script ([\w.-]+)>/;

/**
 * Compares stacks with those that are expected. Where the name of a script is expected, any text of several lines is
 * accepted. It has to be the same text in all places of one name, and another one for another name: so a script that
 * stands in another script's place is found.
 */
export class Comparison {
  private readonly texts = new Map<string, { text: string; where: string }>();
  private readonly names = new Map<string, string>();

  constructor(private readonly renamed: Renamed) {}

  /** What differs, a line or two for each. */
  differences(where: string, expected: Json, actual: Json): string[] {
    return this.compare(where, this.withNewNames(expected), actual);
  }

  private compare(where: string, expected: Json | undefined, actual: Json | undefined): string[] {
    if (expected === undefined) return [`${where}: not expected: ${shown(actual)}`];
    if (actual === undefined) return [`${where}: missing: ${shown(expected)}`];
    if (typeof expected === "string" && typeof actual === "string") return this.compareTexts(where, expected, actual);
    if (Array.isArray(expected) && Array.isArray(actual)) {
      return upTo(Math.max(expected.length, actual.length)).flatMap((index) =>
        this.compare(`${where}[${index}]`, expected[index], actual[index]),
      );
    }
    if (isMapping(expected) && isMapping(actual)) {
      const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
      return keys.flatMap((key) => this.compare(`${where}.${key}`, own(expected, key), own(actual, key)));
    }
    return expected === actual ? [] : [`${where}: expected ${shown(expected)}\n    but got ${shown(actual)}`];
  }

  private compareTexts(where: string, expected: string, actual: string): string[] {
    const [before = "", script, after = ""] = expected.split(SCRIPT);
    if (script === undefined) return expected === actual ? [] : [differing(where, expected, actual)];
    const text = actual.slice(before.length, actual.length - after.length);
    if (!actual.startsWith(before) || !actual.endsWith(after) || !text.includes("\n")) {
      return [differing(where, expected, actual)];
    }
    return this.compareScripts(where, script, text);
  }

  private compareScripts(where: string, script: string, text: string): string[] {
    const known = this.texts.get(script) ?? { text, where };
    const name = this.names.get(text) ?? script;
    if (known.text === text && name === script) {
      this.texts.set(script, known);
      this.names.set(text, name);
      return [];
    }
    if (name !== script) return [`${where}: expected script ${script}, but got ${name}`];
    return [`${where}: script ${script} is another text than at ${known.where}`];
  }

  /** What is expected, by today's names. */
  private withNewNames(expected: Json): Json {
    const { locals, variables } = this.renamed;
    const reference = (text: string) =>
      text.replace(/\$\{local\.([\w-]+)\}/g, (_, name) => `\${local.${locals[name] ?? name}}`);
    const variable = (text: string) => text.replace(/\$([A-Z_]+)/g, (_, name) => `$${variables[name] ?? name}`);
    const visit = (value: Json, key: string): Json => {
      if (Array.isArray(value)) return value.map((item) => visit(item, key));
      if (!isMapping(value)) return value;
      if (key === "locals") return withKeys(value, locals);
      if (key !== "local-exec")
        return Object.fromEntries(Object.entries(value).map(([inner, item]) => [inner, visit(item, inner)]));
      const environment = Object.entries(value.environment ?? {}).map(([name, item]) => [
        name,
        reference(String(item)),
      ]);
      return {
        ...value,
        command: variable(String(value.command)),
        environment: withKeys(Object.fromEntries(environment), variables),
      };
    };
    return visit(expected, "");
  }
}

const isMapping = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const own = (value: { [key: string]: Json }, key: string): Json | undefined =>
  Object.hasOwn(value, key) ? value[key] : undefined;

const upTo = (length: number): number[] => Array.from({ length }, (_, index) => index);

const withKeys = (value: { [key: string]: Json }, names: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [names[key] ?? key, item]));

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
