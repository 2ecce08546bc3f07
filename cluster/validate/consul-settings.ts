import { type ConsulConfig, isMapping } from "../../consul/config";
import { catalogue } from "../catalogue";
import { FLAGS, keysOf } from "../known-config";
import { comparedToLists, KNOWN_CONSUL } from "../known-consul";
import type { AgentDescription, Draft } from "../model";
import type { KeyPath, Violation } from "../problem";
import { didYouMean } from "../suggest";
import { settingPath, unique } from "./paths";
import {
  type Finding,
  OWNED_FLAGS,
  OWNED_KEYS,
  owned,
  RULES,
  type Setting,
  type SettingContext,
} from "./setting-rules";

/** `config:` and `flags:` of all agents, checked against what the product sets, and what Consul knows. */
export function consulSettingsProblems(draft: Draft): Violation[] {
  const agentsOn = new Map<string, number>();
  for (const { host } of draft.agents) agentsOn.set(host.name, (agentsOn.get(host.name) ?? 0) + 1);
  return unique(
    draft.agents.flatMap((agent) => {
      const sharesHost = (agentsOn.get(agent.host.name) ?? 0) > 1;
      return settingViolations(agent.config, agent.flags, { ...agent, sharesHost, ofFile: true }, pathIn(draft, agent));
    }),
  );
}

/** Where a key or a flag of an agent is in the file. The cluster's flags precede the agent's own. */
function pathIn(draft: Draft, agent: AgentDescription): (path: KeyPath) => KeyPath {
  const ofCluster = draft.file.flags?.length ?? 0;
  return (path) => {
    if (path[0] === "config") return settingPath(draft, agent, ...path);
    const index = Number(path[1]);
    return index < ofCluster ? path : [...agent.path, "flags", index - ofCluster];
  };
}

/**
 * Checks an agent's `config` and `flags`.
 * @param placed where a key of `config`, or an item of `flags`, is written
 */
export function settingViolations(
  config: ConsulConfig,
  flags: readonly string[],
  agent: SettingContext,
  placed: (path: KeyPath) => KeyPath = (path) => path,
): Violation[] {
  const keys = settingsBelow(config, []);
  const words = flags.map(wordOf);
  const all = [...keys, ...words];
  const found = [
    ...keys.map((setting) => ({ setting, finding: ruled(setting, agent, all) ?? unknownKey(setting, agent) })),
    ...words.map((setting) => ({ setting, finding: flagFinding(setting, agent, all) })),
  ];
  return [
    ...found.flatMap(({ setting: { path }, finding }) =>
      finding ? [{ ...finding, hint: fullHint(finding, agent), path: placed(path), atKey: true }] : [],
    ),
    ...inexactNumbers(config, ["config"]).map(({ path, ...rest }) => ({ ...rest, path: placed(path) })),
  ];
}

/** Only a cluster file can silence a warning. */
const fullHint = ({ code, hint }: Finding, { ofFile }: SettingContext): string =>
  ofFile && catalogue[code].severity === "warning" ? `${hint}, or silence this with \`ignore: [${code}]\`` : hint;

interface LocatedSetting extends Setting {
  readonly path: KeyPath;
}

/** Every key of a configuration: sections, and what is in them. Consul ignores the case of keys. */
function settingsBelow(section: ConsulConfig, above: readonly string[]): LocatedSetting[] {
  return Object.entries(section).flatMap(([name, value]) => {
    const keys = [...above, name];
    const written = keys.join(".");
    const setting = { key: written.toLowerCase(), value, written, path: ["config", ...keys] };
    return [setting, ...(isMapping(value) ? settingsBelow(value, keys) : [])];
  });
}

function ruled(setting: Setting, agent: SettingContext, all: readonly Setting[]): Finding | undefined {
  const { key } = setting;
  const ownKey = agent.ofFile && Object.hasOwn(OWNED_KEYS, key) ? OWNED_KEYS[key] : undefined;
  if (ownKey !== undefined) return owned(ownKey)(setting);
  return Object.hasOwn(RULES, key) ? RULES[key]?.(setting, agent, all) : undefined;
}

function unknownKey({ key, written }: Setting, agent: SettingContext): Finding | undefined {
  const end = key.lastIndexOf(".");
  const known = keysOf(key.slice(0, Math.max(end, 0)));
  const name = key.slice(end + 1);
  if (!known || known.includes(name) || Object.hasOwn(RULES, key)) return undefined;
  return unknown(`has no configuration key ${written}`, didYouMean(name, known), agent);
}

/** The agent of a later version may know it. One that does not know it ends. */
const unknown = (what: string, meant: string, { image }: SettingContext): Finding => ({
  code: "unknown-consul-key",
  message: `${KNOWN_CONSUL} ${what}, and ends${comparedToLists(image) === "newer" ? "; the agent's newer version may have it" : ""}${meant}`,
  hint: "fix it, if your version does not have it",
});

/** An item of `flags`. */
interface Word extends LocatedSetting {
  /** The flag, with one hyphen. */
  readonly name: string;
  readonly hasValue: boolean;
  /** A space in place of `=`: the program gets both words as one. */
  readonly hasSpace: boolean;
}

function wordOf(flag: string, index: number): Word {
  const [, name = "", separator = "", value = ""] = /^(--?[^\s=]*)([\s=]?)(.*)$/s.exec(flag) ?? [];
  const short = name.replace(/^--/, "-");
  return {
    key: FLAGS.get(short)?.key ?? "",
    value: separator === "" ? "true" : value,
    written: short,
    path: ["flags", index],
    name: short,
    hasValue: separator === "=",
    hasSpace: separator.trim() === "" && separator !== "",
  };
}

function flagFinding(word: Word, agent: SettingContext, all: readonly Setting[]): Finding | undefined {
  const ownKey = agent.ofFile ? ownKeyOf(word) : undefined;
  return ownKey ? owned(ownKey)(word) : (flagForm(word, agent) ?? ruled(word, agent, all));
}

/** The cluster file's key for a flag. */
function ownKeyOf({ name, key }: Word): string | undefined {
  if (Object.hasOwn(OWNED_FLAGS, name)) return OWNED_FLAGS[name];
  return key.startsWith("ports.") ? key : Object.hasOwn(OWNED_KEYS, key) ? OWNED_KEYS[key] : undefined;
}

/** What Go's package of flags cannot parse. */
function flagForm({ name, value, hasValue, hasSpace }: Word, agent: SettingContext): Finding | undefined {
  const flag = FLAGS.get(name);
  if (hasSpace)
    return {
      code: "invalid-value",
      message: `${name} and its value are one argument here, which Consul takes for the name of a flag`,
      hint: `write = before the value, and each flag in an item of its own: ${name}=...`,
    };
  if (!flag) return unknown(`has no flag ${name}`, didYouMean(name, [...FLAGS.keys()]), agent);
  if (!flag.isSwitch && !hasValue)
    return {
      code: "invalid-value",
      message: `${name} has no value, so Consul would take the next argument for it`,
      hint: `write the value in the same item: ${name}=...`,
    };
  if (flag.isSwitch && !/^(1|0|t|f|true|false)$/i.test(String(value)))
    return {
      code: "invalid-value",
      message: `${name} is a switch, and "${value}" is neither true nor false`,
      hint: `use ${name}=true or ${name}=false`,
    };
  return undefined;
}

/** JavaScript cannot represent every whole number beyond 2^53: Consul would get another number. */
export function inexactNumbers(value: unknown, path: KeyPath): Violation[] {
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, item]) =>
      inexactNumbers(item, [...path, Array.isArray(value) ? Number(key) : key]),
    );
  }
  if (typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value)) return [];
  return [
    {
      code: "invalid-value",
      path,
      message: `${value} is too large: JavaScript would round it`,
      hint: `use at most ${Number.MAX_SAFE_INTEGER}, or write it as text, in quotes`,
    },
  ];
}

/**
 * Flags that have a key of their own in the file.
 * @param ownKeys the keys of the file, by the flags that they set
 */
export function ownedFlags(
  flags: readonly string[] | undefined,
  path: KeyPath,
  ownKeys: Readonly<Record<string, string>>,
): Violation[] {
  return (flags ?? []).flatMap((flag, index): Violation[] => {
    const { name, written, value } = wordOf(flag, index);
    const ownKey = Object.hasOwn(ownKeys, name) ? ownKeys[name] : undefined;
    return ownKey ? [{ ...owned(ownKey)({ key: "", value, written }), path: [...path, index], atKey: true }] : [];
  });
}
