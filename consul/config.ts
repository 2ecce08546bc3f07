type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A configuration of Consul: JSON, with any keys. */
export type ConsulConfig = Record<string, Json>;

export const isMapping = (value: unknown): value is ConsulConfig =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Mappings merge key by key; any other value of `first` is replaced by the one of `last`. */
export function mergeConfig(first: ConsulConfig, last: ConsulConfig): ConsulConfig {
  const merged: ConsulConfig = { ...first };
  for (const [key, value] of Object.entries(last)) {
    const before = Object.hasOwn(first, key) ? first[key] : undefined;
    merged[key] = isMapping(before) && isMapping(value) ? mergeConfig(before, value) : value;
  }
  return merged;
}

/** A mapping without its undefined values: programs write `key: undefined` for a key that is absent. */
export function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

/** With these keys, everybody who may register a service can run programs on the host, as Consul's user. */
export const SCRIPT_CHECKS = ["enable_script_checks", "enable_local_script_checks"] as const;

/** Whether an agent runs the script checks of its configuration files. A flag overrides the configuration. */
export function runsScriptChecks({
  config = {},
  flags = [],
}: {
  readonly config?: ConsulConfig;
  readonly flags?: readonly string[];
}): boolean {
  return SCRIPT_CHECKS.some((key) => {
    const flag = new RegExp(`^--?${key.replaceAll("_", "-")}(?:=(.*))?$`);
    const given = flags.flatMap((word) => flag.exec(word)?.slice(1) ?? []);
    return given.length > 0 ? !/^(f|false|0)$/i.test(given.at(-1) ?? "true") : config[key] === true;
  });
}

/** Whether an agent reads files that only its host has: they may set anything. */
export const readsFilesOfItsOwn = (flags: readonly string[]): boolean =>
  flags.some((flag) => /^--?config-(file|dir)\b/.test(flag));
