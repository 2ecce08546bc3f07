import { stringify } from "yaml";
import { z } from "zod";
import { clusterSchema } from "../cluster/file/schema";
import { effectOf } from "./key-effects";
import { KEY_SECTIONS, type KeyExample } from "./key-examples";
import { escaped, table as markdownTable, withPageLinks } from "./markdown";

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
  const mappings = sectionsOf(properties, $defs);
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
      return ["", `## ${escaped(name)}`, "", ...(NOTES[name] ?? []), ...table(name, keys, schema.required ?? [])];
    }),
    "",
  ].join("\n");
}

/** The mappings that have a table, by its heading. A key stands below its mapping's table. */
function sectionsOf(
  properties: Record<string, JsonSchema>,
  { service = {}, check = {} }: Readonly<Record<string, JsonSchema>>,
): readonly (readonly [heading: string, schema: JsonSchema])[] {
  const metrics = mapping(properties.metrics);
  const security = mapping(properties.security);
  const query = mapping(properties.prepared_queries?.items);
  const queried = mapping(query.properties?.service);
  const failover = mapping(queried.properties?.failover);
  return [
    ["hosts.<name>", mapping(valuesOf(properties.hosts))],
    ["servers[], clients[]", mapping(properties.servers?.items)],
    ["daemon", mapping(properties.daemon)],
    ["security", security],
    ["security.tokens.<name>", valuesOf(security.properties?.tokens)],
    ["ports", mapping(properties.ports)],
    ["publish", mapping(properties.publish)],
    ["log", mapping(properties.log)],
    ["resources", mapping(properties.resources)],
    ["dns", mapping(properties.dns)],
    ["services[]", service],
    ["services[].weights", mapping(service.properties?.weights)],
    ["services[].tagged_addresses.<name>", valuesOf(service.properties?.tagged_addresses)],
    ["checks[]", check],
    ["registrator", mapping(properties.registrator)],
    ["autopilot", mapping(properties.autopilot)],
    ["backups", mapping(properties.backups)],
    ["metrics", metrics],
    ["metrics.thresholds", mapping(metrics.properties?.thresholds)],
    ["config_entries[]", mapping(properties.config_entries?.items)],
    ["prepared_queries[]", query],
    ["prepared_queries[].service", queried],
    ["prepared_queries[].service.failover", failover],
    ["prepared_queries[].service.failover.targets[]", mapping(failover.properties?.targets?.items)],
    ["prepared_queries[].dns", mapping(query.properties?.dns)],
    ["prepared_queries[].template", mapping(query.properties?.template)],
    ["backend", mapping(properties.backend)],
    ["Arguments of backends", flattened(mapping(properties.backend))],
  ];
}

/** What stands above a table. */
const NOTES: Readonly<Record<string, readonly string[]>> = {
  "config_entries[]": [
    "An entry has further keys by its kind, as in [Consul's",
    "reference](https://developer.hashicorp.com/consul/docs/reference/config-entry). They are passed on as they are.",
    "",
  ],
  "Arguments of backends": [
    "These have a default, or are required. All other arguments are",
    "[Terraform's own](https://developer.hashicorp.com/terraform/language/backend), by the same names, and are passed on.",
    "`{stack}` in an argument stands for the stack's name.",
    "",
  ],
};

/** What each value of a mapping with free names is. */
const valuesOf = (schema: JsonSchema | undefined): JsonSchema =>
  typeof schema?.additionalProperties === "object" ? schema.additionalProperties : {};

/** A schema of mappings with their keys in one, such as `s3.bucket`. */
function flattened({ properties = {} }: JsonSchema): { properties: Record<string, JsonSchema>; required: string[] } {
  const leaves = Object.entries(properties).map(([name, schema]) => {
    if (!schema.properties) return { properties: { [name]: schema }, required: [] };
    const below = flattened(schema);
    const named = Object.entries(below.properties).map(([key, value]) => [`${name}.${key}`, value] as const);
    return {
      properties: Object.fromEntries(named),
      required: [...(schema.required ?? []), ...below.required].map((key) => `${name}.${key}`),
    };
  });
  return {
    properties: Object.assign({}, ...leaves.map((leaf) => leaf.properties)),
    required: leaves.flatMap((leaf) => leaf.required),
  };
}

/** The mapping among the forms that a value can have. */
const mapping = (schema: JsonSchema | undefined): JsonSchema =>
  (schema?.anyOf ?? [schema]).find((branch) => branch?.properties) ?? {};

function table(section: string, properties: Record<string, JsonSchema>, required: readonly string[]): string[] {
  return markdownTable(
    ["key", "type", "default", "example", "a change of it", "meaning"],
    Object.entries(properties).map(([key, schema]) => {
      const { example, effect } = exampleOf(section, key);
      const value = required.includes(key) ? "required" : defaultOf(section, key, schema);
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

/** The default in words. That of a mapping without one is in the table of its keys. */
function defaultOf(section: string, key: string, { description = "" }: JsonSchema): string {
  const [, stated] = DEFAULT_SENTENCE.exec(description) ?? [];
  if (stated !== undefined) return withPageLinks(escaped(stated));
  const heading = [`${section}.${key}`, key].find((name) => Object.hasOwn(KEY_SECTIONS, name));
  return heading === undefined ? "none" : `[that of each key](#${heading.replace(/[^\w-]/g, "")})`;
}

const meaningOf = ({ description = "" }: JsonSchema): string =>
  withPageLinks(escaped(description.replace(DEFAULT_SENTENCE, "")));

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
