import { KNOWN_POLICIES, RESERVED_TOKENS } from "../../consul/acl-policies";
import { SCRIPT_CHECKS } from "../../consul/config";
import type { Draft } from "../model";
import type { Violation } from "../problem";
import { didYouMean } from "../suggest";
import { byTag, settingPath, unique, valueAt } from "./paths";

/** Names and policies of tokens, and settings that weaken the security of a cluster. */
export function securityProblems(draft: Draft): Violation[] {
  const { security } = draft;
  if (!security) return [];
  const { policies, tokens } = security;
  const own = (kind: "policies" | "tokens", reserved: readonly string[], names: readonly string[]): Violation[] =>
    names
      .filter((name) => reserved.includes(name))
      .map((name) => ({
        code: "invalid-name",
        path: ["security", kind, name],
        atKey: true,
        message: `"${name}" is one of the product's own ${kind}`,
        hint: "choose another name",
      }));
  return [
    ...own("policies", [...RESERVED_TOKENS, ...KNOWN_POLICIES], Object.keys(policies)),
    ...own("tokens", RESERVED_TOKENS, Object.keys(tokens)),
    ...Object.entries(tokens)
      .filter(([name]) => !RESERVED_TOKENS.includes(name))
      .flatMap(([name, token]) =>
        unknownPolicies(draft, name, token.policies, [...Object.keys(policies), ...KNOWN_POLICIES]),
      ),
    ...scriptChecks(draft),
    ...imagesByTag(draft),
  ];
}

function unknownPolicies(
  { file }: Draft,
  token: string,
  wanted: readonly string[],
  known: readonly string[],
): Violation[] {
  const written = valueAt(file, ["security", "tokens", token, "policies"]);
  return wanted
    .filter((policy) => !known.includes(policy))
    .map((policy) => ({
      code: "unknown-policy",
      path: Array.isArray(written)
        ? ["security", "tokens", token, "policies", written.indexOf(policy)]
        : ["security", "tokens", token],
      atKey: !Array.isArray(written),
      message: `token "${token}" has the policy "${policy}", which does not exist${didYouMean(policy, known)}`,
      hint: `write its rules under \`security: { policies: { ${policy}: ... } }\`, or use one of ${known.join(", ")}`,
    }));
}

function scriptChecks(draft: Draft): Violation[] {
  return unique(
    draft.agents.flatMap((agent) =>
      SCRIPT_CHECKS.filter((key) => agent.config[key] === true).map((key) => ({
        code: "script-checks" as const,
        path: settingPath(draft, agent, "config", key),
        atKey: true,
        message: `${key}: registered services can run scripts in the agent's container`,
        hint: "remove it, or silence this with `ignore: [script-checks]`",
      })),
    ),
  );
}

function imagesByTag(draft: Draft): Violation[] {
  const images = [
    ...draft.agents.map((agent) => ({ image: agent.fileSettings.image, path: settingPath(draft, agent, "image") })),
    { image: draft.file.backups?.image, path: ["backups", "image"] },
  ];
  return unique(images.flatMap(({ image, path }) => (image === undefined ? [] : byTag(image, path))));
}
