import { z } from "zod";
import { catalogue } from "./problem";
import { clusterSchema } from "./schema";

interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Record<string, JsonSchema>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
}

const jsonSchema = (): JsonSchema => z.toJSONSchema(clusterSchema, { io: "input", reused: "inline" }) as JsonSchema;

/** For editors: completion and checks while a cluster file is written. */
export const clusterSchemaJson = (): string => `${JSON.stringify(jsonSchema(), null, 2)}\n`;

/** The cluster file's keys, for people. */
export function clusterReference(): string {
  const { properties = {}, required = [], $defs = {} } = jsonSchema();
  const mappings: [string, JsonSchema][] = [
    ["hosts.<name>", mapping(properties.hosts?.additionalProperties as JsonSchema)],
    ["servers[], clients[]", mapping(properties.servers?.items)],
    ["daemon", mapping(properties.daemon)],
    ["security", mapping(properties.security)],
    ["ports", mapping(properties.ports)],
    ["publish", mapping(properties.publish)],
    ["log", mapping(properties.log)],
    ["resources", mapping(properties.resources)],
    ["dns", mapping(properties.dns)],
    ["services[]", $defs.service ?? {}],
    ["checks[]", $defs.check ?? {}],
    ["registrator", mapping(properties.registrator)],
    ["autopilot", mapping(properties.autopilot)],
    ["backups", mapping(properties.backups)],
    ["config_entries[]", mapping(properties.config_entries?.items)],
    ["prepared_queries[]", mapping(properties.prepared_queries?.items)],
    ["backend", mapping(properties.backend)],
  ];
  const agentKeys = new Set(Object.keys(mapping(properties.servers?.items).properties ?? {}));
  const shared = Object.fromEntries(Object.entries(properties).filter(([key]) => agentKeys.has(key)));
  const own = Object.fromEntries(Object.entries(properties).filter(([key]) => !agentKeys.has(key) || key === "name" || key === "join"));
  const sharedKeys = new Set(Object.keys(shared).filter((key) => !(key in own)));
  return [
    "# The cluster file",
    "",
    "Made by `npm run generate` from cluster/schema.ts. Editors that know YAML schemas complete and check it as you type: keep the first line of",
    "the files in clusters/.",
    "",
    "## The cluster",
    "",
    ...table(own, required),
    "",
    "## Settings of agents",
    "",
    "For all agents at the top of the file, and for one agent in its own mapping, which has the last word.",
    "",
    ...table(Object.fromEntries([...sharedKeys].map((key) => [key, shared[key] as JsonSchema])), []),
    ...mappings.flatMap(([name, schema]) => {
      const keys = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([key]) => !name.startsWith("servers") || !sharedKeys.has(key)));
      return ["", `## ${name}`, "", ...table(keys, schema.required ?? [])];
    }),
    "",
  ].join("\n");
}

/** The mapping among the forms that a value can have. */
const mapping = (schema: JsonSchema | undefined): JsonSchema => (schema?.anyOf ?? [schema]).find((branch) => branch?.properties) ?? {};

function table(properties: Record<string, JsonSchema>, required: readonly string[]): string[] {
  const rows = Object.entries(properties).map(
    ([key, schema]) =>
      `| \`${key}\`${required.includes(key) ? " (required)" : ""} | ${typeOf(schema)} | ${(schema.description ?? "").replace(/[|<]/g, "\\$&")} |`,
  );
  return ["| key | value | meaning |", "| --- | --- | --- |", ...rows];
}

/** What has a table of its own. */
const NAMED: Readonly<Record<string, string>> = { "#/$defs/service": "mapping", "#/$defs/check": "mapping" };

function typeOf(schema: JsonSchema): string {
  if (schema.$ref) return NAMED[schema.$ref] ?? "any";
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  return schema.type === "object" ? "mapping" : (schema.type ?? "any");
}

/** Every code that a cluster file can be refused or warned with. */
export function errorReference(): string {
  const entries = Object.entries(catalogue);
  const rows = entries.flatMap(([code, { severity, about, ...rest }]) => {
    const acceptable = severity === "warning" || "consentable" in rest;
    return "deploy" in rest ? [] : [`| \`${code}\` | ${severity} | ${about} | ${acceptable ? "yes" : ""} |`];
  });
  const deployRows = entries.flatMap(([code, { about, ...rest }]) =>
    "deploy" in rest ? [`| \`${code}\` | ${about} | ${rest.deploy === "refused" ? "" : `\`--accept ${code}\``} |`] : [],
  );
  return [
    "# Errors and warnings",
    "",
    "Made by `npm run generate` from cluster/problem.ts. Each is printed as `file:line:column: severity code: what is wrong`, with the mend below it.",
    "What does not fit the form of a cluster file (an unknown key, a value of the wrong type) is said first, all of it at once; when nothing of that is",
    "left, all the rest at once. An error writes nothing and ends with a status that is not zero. What can be accepted is silenced by its code in the",
    "file: `accept: [open-http]`.",
    "",
    "| code | severity | what it means | can be accepted |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    "## Before a deploy",
    "",
    "What a file means for what runs already is only seen beside the state. `npm run diff` says it, and `npm run deploy` refuses before it touches anything;",
    "some can be accepted for one deploy, on its command line. What to do instead is in [changing a cluster](changing.md) and [layouts](layouts.md).",
    "",
    "| code | what it means | accepted by |",
    "| --- | --- | --- |",
    ...deployRows,
    "",
  ].join("\n");
}
