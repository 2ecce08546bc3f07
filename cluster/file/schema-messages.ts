import type { z } from "zod";

/** A hint for an issue for which the schema has no message. */
export function schemaMessage(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[String(issue.expected)];
    case "invalid_value":
      return `use ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `${WAYS[issue.origin] ?? "use"} ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}`;
    case "too_big":
      return `${WAYS[issue.origin] ?? "use"} ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}`;
    case "invalid_union":
      return "use text, a number, true, false, a list or a mapping";
    default:
      return undefined;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "write it as text, in quotes",
  array: "write a list: [one, another]",
  object: "write a mapping: { key: value }",
  record: "write a mapping: { key: value }",
  number: "use a number",
  int: "use a whole number",
  boolean: "use true or false",
};

const WAYS: Readonly<Record<string, string>> = { array: "list", set: "list", string: "write" };
