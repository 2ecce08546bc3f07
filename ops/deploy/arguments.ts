import { parseArgs } from "node:util";
import { allowableCodes, type ProblemCode } from "../../cluster/catalogue";
import { didYouMean } from "../../cluster/suggest";

/** What `diff`, `deploy` and `destroy` are told on their command lines. */
export interface Arguments {
  /** Names of stacks, or patterns with `*`. None: all. */
  readonly stacks: readonly string[];
  /** Hosts to leave alone. */
  readonly without: readonly string[];
  readonly accept: readonly ProblemCode[];
  readonly json: boolean;
  readonly detailedExitcode: boolean;
  /** Stacks at once. */
  readonly parallelism?: number;
  /** Operations at once in a stack. */
  readonly terraformParallelism?: number;
  /** For the CDKTF CLI, in their order. */
  readonly passedOn: readonly string[];
}

const OPTIONS = {
  without: { type: "string", multiple: true },
  accept: { type: "string", multiple: true },
  json: { type: "boolean" },
  "detailed-exitcode": { type: "boolean" },
  parallelism: { type: "string" },
  "terraform-parallelism": { type: "string" },
} as const;
type OptionName = keyof typeof OPTIONS;

const OWN: Record<"diff" | "deploy" | "destroy", readonly OptionName[]> = {
  diff: ["without", "accept", "json", "detailed-exitcode", "parallelism"],
  deploy: ["without", "accept", "parallelism", "terraform-parallelism"],
  destroy: ["parallelism", "terraform-parallelism"],
};

/**
 * Takes a command's own options; `deploy` and `destroy` pass others on to the CDKTF CLI.
 * @throws for what means nothing
 */
export function parseArguments(command: keyof typeof OWN, args: readonly string[]): Arguments {
  const own = OWN[command];
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(own.map((name) => [name, OPTIONS[name]])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given: { [name in OptionName]?: string[] } = {};
  const stacks: string[] = [];
  const passedOn: string[] = [];
  /** Where the value of an option that is passed on would stand. */
  let valueAt = -1;
  for (const token of tokens) {
    if (token.kind === "option" && (own as readonly string[]).includes(token.name)) {
      const name = token.name as OptionName;
      if (OPTIONS[name].type === "string" && !token.value) throw new Error(`${token.rawName} needs a value`);
      given[name] = [...(given[name] ?? []), token.value ?? ""];
    } else if (token.kind === "option") {
      if (command === "diff" || Object.hasOwn(OPTIONS, token.name))
        throw new Error(
          `${command} has no option ${token.rawName}${didYouMean(
            `--${token.name}`,
            own.map((name) => `--${name}`),
          )}`,
        );
      passedOn.push(token.inlineValue ? `${token.rawName}=${token.value}` : token.rawName);
      valueAt = token.inlineValue ? -1 : token.index + 1;
    } else if (token.kind === "positional") {
      // Which options of the CDKTF CLI take a value is its own affair: a word behind one is passed on unless it can only be a stack.
      if (token.index === valueAt && !FLAGS.has(passedOn.at(-1) ?? "")) passedOn.push(token.value);
      else stacks.push(token.value);
    }
  }
  return {
    stacks,
    without: given.without ?? [],
    accept: (given.accept ?? []).map(acceptable),
    json: given.json !== undefined,
    detailedExitcode: given["detailed-exitcode"] !== undefined,
    parallelism: count("--parallelism", given.parallelism?.at(-1)),
    terraformParallelism: count("--terraform-parallelism", given["terraform-parallelism"]?.at(-1)),
    passedOn,
  };
}

/** Of the CDKTF CLI, those that take no value. */
const FLAGS = new Set(
  [
    "auto-approve",
    "outputs-file-include-sensitive-outputs",
    "refresh-only",
    "no-color",
    "migrate-state",
    "skip-provider-lock",
    "disable-plugin-cache-env",
    "ignore-missing-stack-dependencies",
  ].map((name) => `--${name}`),
);

function acceptable(code: string): ProblemCode {
  const known = allowableCodes.find((one) => one === code);
  if (!known)
    throw new Error(
      `--accept ${code}: not a code that can be accepted, which are ${allowableCodes.join(", ")}${didYouMean(code, allowableCodes)}`,
    );
  return known;
}

function count(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new Error(`${option} takes a number from 1, not "${value}"`);
  return Number(value);
}

/**
 * Names by patterns, in the names' order.
 * @throws for a pattern that fits none
 */
export function select(what: string, names: readonly string[], patterns: readonly string[]): string[] {
  const fits = (pattern: string) => {
    const form = new RegExp(
      `^${pattern
        .split("*")
        .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
        .join(".*")}$`,
    );
    const found = names.filter((name) => form.test(name));
    if (found.length === 0)
      throw new Error(`there is no ${what} ${pattern}${didYouMean(pattern, names)}; there are ${names.join(", ")}`);
    return found;
  };
  const chosen = new Set(patterns.flatMap(fits));
  return patterns.length === 0 ? [...names] : names.filter((name) => chosen.has(name));
}
