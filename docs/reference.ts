import { stringify } from "yaml";
import { z } from "zod";
import { type Area, allowableCodes, areas, ignorableCodes, type ProblemCode } from "../cluster/catalogue";
import { clusterSchema } from "../cluster/file/schema";
import { AGENT_FAILURES } from "../consul/agent-failures";
import { FIXES } from "./fixes";
import { effectOf } from "./key-effects";
import { KEY_SECTIONS, type KeyExample } from "./key-examples";
import { escaped, table as markdownTable } from "./markdown";

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

/** The JSON Schema by which editors complete and check a cluster file. */
export const clusterSchemaJson = (): string => `${JSON.stringify(jsonSchema(), null, 2)}\n`;

/** The cluster file's keys, as a page of the documentation. */
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
    ["metrics", mapping(properties.metrics)],
    ["metrics.thresholds", mapping(mapping(properties.metrics).properties?.thresholds)],
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
    "`npm run generate` writes this page from cluster/file/schema.ts. Editors that support YAML schemas complete and check",
    "the file as you type: keep the first line of the files in clusters/.",
    "",
    "The column *a change of it* has what the next deploy does, found by synthesizing a cluster of three servers and a",
    "client agent before and after the example (docs/key-effects.ts):",
    "",
    ...markdownTable(
      ["a change of it", "meaning"],
      [
        ["nothing", "nothing that runs changes; the next deploy goes by the new value"],
        ["reload", "the agent reloads the declared services; nothing restarts"],
        ["applied", "a step of the deploy applies it to the running cluster; nothing restarts"],
        ["changes the containers in place", "Docker changes the limit or the policy; nothing restarts"],
        [
          "replaces ...",
          "containers are replaced: servers [one at a time](changing.md#how-servers-are-replaced), client agents [in turn](changing.md#how-clients-are-replaced)",
        ],
        ["other data", "the new container has another volume or folder. Move the data there first, or it begins empty"],
      ],
    ),
    "",
    "## The cluster",
    "",
    ...table("The cluster", own, required),
    "",
    "## Settings of agents",
    "",
    "At the top of the file they are for all agents. An agent's own mapping takes precedence.",
    "",
    ...table(
      "Settings of agents",
      Object.fromEntries([...sharedKeys].map((key) => [key, shared[key] as JsonSchema])),
      [],
    ),
    ...mappings.flatMap(([name, schema]) => {
      const keys = Object.fromEntries(
        Object.entries(schema.properties ?? {}).filter(([key]) => !name.startsWith("servers") || !sharedKeys.has(key)),
      );
      return ["", `## ${name}`, "", ...table(name, keys, schema.required ?? [])];
    }),
    "",
  ].join("\n");
}

/** The mapping among the forms that a value can have. */
const mapping = (schema: JsonSchema | undefined): JsonSchema =>
  (schema?.anyOf ?? [schema]).find((branch) => branch?.properties) ?? {};

function table(section: string, properties: Record<string, JsonSchema>, required: readonly string[]): string[] {
  return markdownTable(
    ["key", "type", "default", "example", "a change of it", "meaning"],
    Object.entries(properties).map(([key, schema]) => {
      const { example, effect } = exampleOf(section, key);
      const value = required.includes(key) ? "required" : defaultOf(schema);
      return [`\`${key}\``, typeOf(schema), value, flow(example.value), effect, meaningOf(schema)];
    }),
  );
}

/** @throws if docs/key-examples.ts has no example of the key */
function exampleOf(name: string, key: string): { readonly example: KeyExample; readonly effect: string } {
  const section = KEY_SECTIONS[name];
  const example = section?.examples[key];
  if (!section || !example) throw new Error(`docs/key-examples.ts has no example of ${key} in the section ${name}`);
  return { example, effect: effectOf(key, section, example) };
}

/** A value on one line, as YAML. */
const flow = (value: unknown): string => `\`${stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trim()}\``;

/** A description ends with the default, if there is one: see cluster/file/schema.ts. */
const DEFAULT_SENTENCE = /\s*\bDefault ([\s\S]+)\.$/;

const defaultOf = ({ description = "" }: JsonSchema): string => escaped(DEFAULT_SENTENCE.exec(description)?.[1] ?? "");
const meaningOf = ({ description = "" }: JsonSchema): string => escaped(description.replace(DEFAULT_SENTENCE, ""));

/** Schemas that have a table of their own. */
const NAMED: Readonly<Record<string, string>> = { "#/$defs/service": "mapping", "#/$defs/check": "mapping" };

function typeOf(schema: JsonSchema): string {
  if (schema.$ref) return NAMED[schema.$ref] ?? "any";
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum && schema.enum.length > 8) return "[codes](errors.md)";
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  return schema.type === "object" ? "mapping" : (schema.type ?? "any");
}

/** The heading of each area, and how its problems are reported. */
const AREA_TEXTS: Readonly<Record<Area, readonly string[]>> = {
  clusterFile: [
    "## The cluster file",
    "",
    "A cluster file is checked in two rounds: first its form (unknown keys, values of the wrong type), then everything",
    "else. Each round reports all of its problems at once. After an error nothing is written, and the exit code is not 0.",
    "",
    "To silence a warning or to take a risk, list its code in the file: `ignore: [open-http]`.",
  ],
  deploy: [
    "## Before a deploy",
    "",
    "Some problems only show when the file is compared with the Terraform state. `npm run diff` reports them.",
    "`npm run deploy` fails before it changes anything. If the change is intended, allow it for one deploy on the command",
    "line. [Changing a cluster](changing.md) and [layouts](layouts.md) describe the alternatives.",
  ],
  secrets: [
    "## Secrets",
    "",
    "`npm run secrets -- check` reports these. `npm run diff` and `npm run deploy` fail when there is an error among them.",
  ],
  health: [
    "## The health of the cluster",
    "",
    "`npm run status` and `npm run doctor` report these. A notice does not change the exit code.",
  ],
  adoption: ["## Adoption", "", "`npm run adopt` reports these before it changes anything."],
};

/** Why an agent does not become ready, by what its log shows. */
const failureTable = (): string[] => [
  "## An agent that does not become ready",
  "",
  "A readiness check that fails, `npm run status` and `npm run doctor` search the end of the container's log",
  "(`docker logs NAME`) for these messages, and name the first in this order, with the fix. Of all others they show the",
  "log's last lines.",
  "",
  ...markdownTable(
    ["message", "meaning", "fix"],
    AGENT_FAILURES.map(({ line, meaning, hint }) => [`\`${line}\``, meaning, hint]),
  ),
];

/** Every code of the catalogue, by area. */
export function errorReference(): string {
  const sections = (Object.keys(areas) as Area[]).flatMap((area) => ["", ...AREA_TEXTS[area], "", ...codeTable(area)]);
  return [
    "# Errors and warnings",
    "",
    "`npm run generate` writes this page from cluster/catalogue.ts, docs/fixes.ts and consul/agent-failures.ts. A problem is",
    "printed as `location: severity code: message`, with a hint below it. The location is file:line:column for the cluster",
    "file, an agent and its host, or a file of the cluster's secrets. The hint has the names; this page has the fix in",
    "general.",
    "",
    "Messages without a code are printed while a step runs. They have tables of their own: [when a deploy",
    "fails](changing.md#when-a-deploy-fails), [declared services](declaring.md), [an",
    "adoption](adopting.md#when-something-goes-wrong), and [an agent that does not become",
    "ready](#an-agent-that-does-not-become-ready) below.",
    ...sections,
    "",
    ...failureTable(),
    "",
  ].join("\n");
}

function codeTable(area: Area): string[] {
  const permission = PERMISSIONS[area];
  return markdownTable(
    ["code", "severity", "meaning", "fix", ...(permission ? [permission.column] : [])],
    Object.entries(areas[area]).map(([code, { severity, about }]) => [
      `\`${code}\``,
      severity,
      about,
      FIXES[code as ProblemCode],
      ...(permission ? [permission.of(code)] : []),
    ]),
  );
}

/** Some problems can be ignored in the file, others allowed on the command line: a column of the area's table. */
const PERMISSIONS: { readonly [area in Area]?: { readonly column: string; of(code: string): string } } = {
  clusterFile: {
    column: "can be ignored",
    of: (code) => ((ignorableCodes as readonly string[]).includes(code) ? "yes" : ""),
  },
  deploy: {
    column: "allowed by",
    of: (code) => ((allowableCodes as readonly string[]).includes(code) ? `\`--allow ${code}\`` : ""),
  },
};
