import type { AgentDescription, Draft } from "../model";
import type { KeyPath, Violation } from "../problem";

/** Where a setting is written: with the agent, or else for the whole cluster. */
export function settingPath({ file }: Draft, agent: AgentDescription, ...keys: string[]): KeyPath {
  const own = [...agent.path, ...keys];
  return valueAt(file, own) === undefined && valueAt(file, keys) !== undefined ? keys : own;
}

export const valueAt = (value: unknown, path: KeyPath): unknown =>
  path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    value,
  );

/** Of a secured cluster, an image that is not pinned. */
export function byTag(image: string, path: KeyPath): Violation[] {
  if (image.includes("@sha256:")) return [];
  return [
    {
      code: "image-by-tag",
      path,
      message: `${image} is whatever its registry says on the day`,
      hint: `pin it: image: ${image}@sha256:..., as \`docker buildx imagetools inspect ${image}\` prints it; or silence this with \`ignore: [image-by-tag]\``,
    },
  ];
}

/** A cluster-wide setting that is wrong is wrong for every agent, but said once. */
export function unique(problems: Violation[]): Violation[] {
  const seen = new Map(
    problems.map((problem) => [JSON.stringify([problem.code, problem.path, problem.message]), problem]),
  );
  return [...seen.values()];
}
