import type { AgentDescription, Draft } from "../model";
import type { KeyPath, Violation } from "../problem";

/** The path of a setting: in the agent's mapping, or else at the top of the file. */
export function settingPath({ file }: Draft, agent: AgentDescription, ...keys: KeyPath): KeyPath {
  const own = [...agent.path, ...keys];
  return valueAt(file, own) === undefined && valueAt(file, keys) !== undefined ? keys : own;
}

export const valueAt = (value: unknown, path: KeyPath): unknown =>
  path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    value,
  );

/** An image of a secured cluster that is not pinned by its digest. */
export function byTag(image: string, path: KeyPath): Violation[] {
  if (image.includes("@sha256:")) return [];
  return [
    {
      code: "image-by-tag",
      path,
      message: `the registry can change which image ${image} is`,
      hint: `pin it: image: ${image}@sha256:..., as \`docker buildx imagetools inspect ${image}\` prints it; or silence this with \`ignore: [image-by-tag]\``,
    },
  ];
}

/** A violation by a setting of the whole cluster concerns every agent. It is reported once. */
export function unique(problems: Violation[]): Violation[] {
  const seen = new Map(
    problems.map((problem) => [JSON.stringify([problem.code, problem.path, problem.message]), problem]),
  );
  return [...seen.values()];
}
