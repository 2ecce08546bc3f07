import { posix } from "node:path";
import type { Plan, ResourceChange, Values } from "../terraform/plan";

/** Why a resource changes: one thing that becomes another. */
export interface Reason {
  /** What of it: `image`, `command`, `upload`, `label`, `declared`, or another argument by the provider's name. */
  readonly what: string;
  /** Which one, where there are several: a file and the key in it, a label's name. */
  readonly item?: string;
  /** Undefined where there was none. */
  readonly before?: string;
  /** Undefined where there will be none. */
  readonly after?: string;
}

/** What of a step changes that hands over what the file declares: services, say. */
export const DECLARED = "declared";

/** Why Terraform changes a resource, by its JSON plan. */
export function reasonsOf(change: ResourceChange, plan: Plan): Reason[] {
  const { before, after } = change.change;
  const what = change.type === "docker_container" ? "container" : "resource";
  if (!before) return [{ what, item: isGone(change, plan) ? "gone from its host" : "new" }];
  if (!after) return [{ what, item: REMOVED[change.action_reason ?? ""] ?? "no longer wanted" }];
  const replaced = REPLACED[change.action_reason ?? ""];
  return [...(replaced ? [{ what, item: replaced }] : []), ...differences(change, before, after, plan)];
}

const isGone = ({ address }: ResourceChange, { resource_drift = [] }: Plan): boolean =>
  resource_drift.some((drift) => drift.address === address && drift.change.actions.includes("delete"));

const REMOVED: Record<string, string> = {
  delete_because_no_resource_config: "no longer in the file",
  delete_because_count_index: "decommissioned",
};
const REPLACED: Record<string, string> = {
  replace_because_tainted: "tainted: it was not made completely",
  replace_by_request: "asked for by -replace",
};

/** By argument; others are compared as a whole. */
const COMPARED: Record<string, (before: unknown, after: unknown) => Reason[]> = {
  command: (before, after) => words("command", before, after),
  entrypoint: (before, after) => words("entrypoint", before, after),
  env: (before, after) => named("env", assignments(before), assignments(after)),
  labels: (before, after) => named("label", byKey(before, "label"), byKey(after, "label")),
  upload: uploads,
  ports: (before, after) => members("port", list(before).map(port), list(after).map(port)),
  volumes: (before, after) => members("volume", list(before).map(text), list(after).map(text)),
};

function differences(change: ResourceChange, before: Values, after: Values, plan: Plan): Reason[] {
  const { after_unknown = {}, before_sensitive, after_sensitive, replace_paths = [] } = change.change;
  const replacing = new Set(replace_paths.map(([argument]) => argument));
  return [...new Set([...Object.keys(before), ...Object.keys(after), ...Object.keys(after_unknown)])]
    .sort()
    .flatMap((argument): Reason[] => {
      // What the provider finds out for itself is no reason; what replaces the resource is one, even before it is known.
      if (after_unknown[argument] === true) return replacing.has(argument) ? [unknown(change, argument, plan)] : [];
      const sensitive = isSensitive(before_sensitive, argument) || isSensitive(after_sensitive, argument);
      if (argument === "triggers_replace" && !sensitive)
        return triggers(before[argument], after[argument], after_unknown[argument]);
      const [old, next] = [settled(before[argument]), settled(after[argument])];
      if (text(old) === text(next)) return [];
      if (sensitive) return [{ what: argument, item: "another value, which is sensitive" }];
      if (argument === "must_run" && next === true) return [{ what: "container", item: "not running" }];
      return (COMPARED[argument] ?? whole(argument))(old, next);
    });
}

/** A container's image is known by its ID, and the ID only after the pull: the image's own change says which it is. */
function unknown(change: ResourceChange, argument: string, plan: Plan): Reason {
  const image =
    argument === "image" &&
    plan.resource_changes?.find(({ type, name }) => type === "docker_image" && name === change.name);
  if (!image) return { what: argument, item: "known after the apply" };
  const name = (values: Values | null) => (typeof values?.name === "string" ? values.name : undefined);
  const [before, after] = [name(image.change.before), name(image.change.after)];
  if (before !== undefined && before !== after) return { what: "image", before, after };
  return { what: "image", item: `${after ?? ""} is gone from its host, and pulled again` };
}

/** The provider's defaults and nothing are the same: what it reads is complete, what is configured is not. */
function settled(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(settled);
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).flatMap(([key, item]) =>
      settled(item) === undefined ? [] : [[key, settled(item)]],
    );
    return entries.length === 0
      ? undefined
      : Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  }
  return value === null || value === "" || value === 0 || value === false ? undefined : value;
}

/** Terraform marks a value as a whole, or parts of it. */
const isTrue = (marks: unknown): boolean => /\btrue\b/.test(JSON.stringify(marks) ?? "");
const isSensitive = (marks: unknown, argument: string): boolean =>
  marks === true || isTrue((marks as Values | undefined)?.[argument]);

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
const text = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
const optional = (value: unknown): string | undefined => (value === undefined ? undefined : text(value));

const whole =
  (what: string) =>
  (before: unknown, after: unknown): Reason[] => [{ what, before: optional(before), after: optional(after) }];

/** What a step asks about, when that is replaced, and which values of what it hands over. */
function triggers(before: unknown, after: unknown, marks: unknown): Reason[] {
  const replaced = isTrue(marks) ? [{ what: "trigger", item: "what it asks about is replaced" }] : [];
  const [old, next] = [list(before), list(after)];
  const changed = next.flatMap((value, index): Reason[] => {
    const was = old[index];
    if (isTrue((marks as unknown[] | undefined)?.[index]) || text(was) === text(value)) return [];
    const values = named(DECLARED, leaves(was), leaves(value));
    return values.length > 0 ? values : [{ what: "trigger", before: optional(was), after: optional(value) }];
  });
  return [...replaced, ...changed];
}

/** Flags: one that has another value is one reason; their order alone is one too. */
function words(what: string, before: unknown, after: unknown): Reason[] {
  const [old, next] = [list(before).map(text), list(after).map(text)];
  const reasons = members(what, old, next, (word) => (word.startsWith("-") ? word.replace(/=.*$/s, "") : word));
  return reasons.length > 0 ? reasons : [{ what, item: "in another order" }];
}

/** What went and what came; where one of a kind went and one came, it changed. */
function members(
  what: string,
  before: readonly string[],
  after: readonly string[],
  kind: (member: string) => string = () => "",
): Reason[] {
  const without = (all: readonly string[], others: readonly string[]) => {
    const left = [...others];
    return all.filter((one) => {
      const at = left.indexOf(one);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
  };
  const [went, came] = [without(before, after), without(after, before)];
  return [...new Set([...went, ...came].map(kind))].flatMap((of): Reason[] => {
    const [old, next] = [went.filter((one) => kind(one) === of), came.filter((one) => kind(one) === of)];
    if (old.length === 1 && next.length === 1) return [{ what, before: old[0], after: next[0] }];
    return [...old.map((one): Reason => ({ what, before: one })), ...next.map((one): Reason => ({ what, after: one }))];
  });
}

/** Values by name, in the names' order. */
function named(what: string, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Reason[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .filter((item) => before.get(item) !== after.get(item))
    .map((item) => ({ what, item, before: before.get(item), after: after.get(item) }));
}

const assignments = (value: unknown): Map<string, string> =>
  new Map(
    list(value).map((assignment) => {
      const [name = "", ...rest] = text(assignment).split("=");
      return [name, rest.join("=")];
    }),
  );

const byKey = (value: unknown, key: string): Map<string, string> =>
  new Map(list(value).map((item) => [text((item as Values)[key]), text((item as Values).value ?? "")]));

const port = (value: unknown): string => {
  const { ip, external, internal, protocol = "tcp" } = value as Record<string, string>;
  return `${ip ? `${ip}:` : ""}${external ?? "any"}->${internal}/${protocol}`;
};

/** Of the agent's configuration, which keys; of any other file only that it changed, never what is in it. */
function uploads(before: unknown, after: unknown): Reason[] {
  const files = (value: unknown) => new Map(list(value).map((file) => [text((file as Values).file), file as Values]));
  const [old, next] = [files(before), files(after)];
  const moved = new Map<string, Reason>();
  const others = [...new Set([...old.keys(), ...next.keys()])].sort().flatMap((item): Reason[] => {
    const [was, is] = [old.get(item), next.get(item)];
    if (!was || !is) return [{ what: "upload", item: `${item}: ${is ? "new" : "no longer there"}` }];
    if (text(was) === text(is)) return [];
    const [from, to] = [was, is].map(({ source }) => (typeof source === "string" ? folderOf(source) : undefined));
    if (from !== undefined && to !== undefined && from !== to) {
      // Docker gets the same files: their path alone replaces the container.
      const reason = { what: "upload", item: `${posix.dirname(item)}: its files' folder`, before: from, after: to };
      moved.set(JSON.stringify(reason), reason);
      return [];
    }
    const keys = item.endsWith(".json") ? configuration(item, was.content, is.content) : [];
    return keys.length > 0 ? keys : [{ what: "upload", item: `${item}: other content` }];
  });
  return [...moved.values(), ...others];
}

/** The folder of an uploaded file, without the part of it that each agent has: agents that change alike stand together. */
const folderOf = (source: string): string => posix.dirname(source).replace(/\/agents\/[^/]+$/, "");

function configuration(file: string, before: unknown, after: unknown): Reason[] {
  const [old, next] = [leaves(before), leaves(after)];
  return named("upload", old, next).map((reason) => ({ ...reason, item: `${file}: ${reason.item}` }));
}

/** Every value of a JSON text, by its path of keys; what has an id or a name, in a list of such, by that. */
function leaves(json: unknown): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (value: unknown, path: string) => {
    const members = Array.isArray(value) ? byId(value) : value;
    if (typeof members !== "object" || members === null) found.set(path, JSON.stringify(value));
    else for (const [key, item] of Object.entries(members)) visit(item, path ? `${path}.${key}` : key);
  };
  try {
    visit(JSON.parse(text(json)), "");
  } catch {
    return new Map();
  }
  return found;
}

/** Undefined for a list of anything else. */
function byId(values: readonly unknown[]): Readonly<Record<string, unknown>> | undefined {
  const ids = values.map((value) => {
    const { id, name } = Object(value) as { id?: unknown; name?: unknown };
    return id ?? name;
  });
  return ids.length > 0 && ids.every((id) => typeof id === "string") && new Set(ids).size === ids.length
    ? Object.fromEntries(ids.map((id, index) => [id, values[index]]))
    : undefined;
}
