import { z } from "zod";
import { clusterSchema } from "../cluster/file/schema";
import { catalogue } from "../cluster/problem";

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
  const own = Object.fromEntries(
    Object.entries(properties).filter(([key]) => !agentKeys.has(key) || key === "name" || key === "join"),
  );
  const sharedKeys = new Set(Object.keys(shared).filter((key) => !(key in own)));
  return [
    "# The cluster file",
    "",
    "`npm run generate` writes this page from cluster/schema.ts. Editors that support YAML schemas complete and check the",
    "file as you type: keep the first line of the files in clusters/.",
    "",
    "## The cluster",
    "",
    ...table(own, required),
    "",
    "## Settings of agents",
    "",
    "At the top of the file they are for all agents. An agent's own mapping takes precedence.",
    "",
    ...table(Object.fromEntries([...sharedKeys].map((key) => [key, shared[key] as JsonSchema])), []),
    ...mappings.flatMap(([name, schema]) => {
      const keys = Object.fromEntries(
        Object.entries(schema.properties ?? {}).filter(([key]) => !name.startsWith("servers") || !sharedKeys.has(key)),
      );
      return ["", `## ${name}`, "", ...table(keys, schema.required ?? [])];
    }),
    "",
  ].join("\n");
}

/** The mapping among the forms that a value can have. */
const mapping = (schema: JsonSchema | undefined): JsonSchema =>
  (schema?.anyOf ?? [schema]).find((branch) => branch?.properties) ?? {};

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
    "deploy" in rest ? [`| \`${code}\` | ${about} | ${rest.deploy === "refused" ? "" : `\`--allow ${code}\``} |`] : [],
  );
  return [
    "# Errors and warnings",
    "",
    "`npm run generate` writes this page from cluster/problem.ts. A problem is printed as",
    "`file:line:column: severity code: message`, with a hint below it.",
    "",
    "A cluster file is checked in two rounds: first its form (unknown keys, values of the wrong type), then everything",
    "else. Each round reports all of its problems at once. After an error nothing is written, and the exit code is not 0.",
    "",
    "To silence a warning or to take a risk, list its code in the file: `ignore: [open-http]`.",
    "",
    "| code | severity | meaning | can be ignored |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    "## Before a deploy",
    "",
    "Some problems only show when the file is compared with the Terraform state. `npm run diff` reports them.",
    "`npm run deploy` fails before it changes anything. If the change is intended, allow it for one deploy on the command",
    "line. [Changing a cluster](changing.md) and [layouts](layouts.md) describe the alternatives.",
    "",
    "| code | meaning | allowed by |",
    "| --- | --- | --- |",
    ...deployRows,
    "",
  ].join("\n");
}
