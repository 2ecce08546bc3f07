import type { Construct } from "constructs";
import { didYouMean } from "../cluster/suggest";

/** The settings of a cluster file by a program's names: `{ bindAddr: "bind_addr" }`. */
export type SettingNames = Readonly<Record<string, string>>;

/**
 * A program's values, by the names of the cluster file.
 * @param names every name that the values can have
 */
export function renamed(values: object, names: SettingNames): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => Object.hasOwn(names, name))
      .map(([name, value]) => [names[name] as string, value]),
  );
}

/**
 * Rejects names that a construct does not have. The compiler does it for TypeScript, but not for JavaScript.
 * @param at where the values are among the construct's props: `ports`
 * @throws Error with the construct's path
 */
export function rejectUnknown(construct: Construct, values: object, names: readonly string[], at?: string): void {
  const unknown = Object.keys(values).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const where = at === undefined ? "" : ` in \`${at}\``;
  const spelled = camelCase(unknown);
  const hint = names.includes(spelled) ? `; its name is \`${spelled}\`` : didYouMean(unknown, names);
  throw new Error(
    `${construct.node.path}: ${construct.constructor.name} has no property \`${unknown}\`${where}${hint}`,
  );
}

const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
