import { z } from "zod";
import { duration, more, strings, text } from "./value-schema";

/** Definitions of the whole cluster: KV keys, config entries, intentions, prepared queries. */

/**
 * HTTP clients may remove empty segments and dots from a path. A deploy, which has the management token, would then
 * write another key.
 */
const KEY = /^(?!\/)(?![\s\S]*\/\/)(?!(?:[\s\S]*\/)?\.{1,2}(?:\/|$))/;
const KEY_RULE = "a key does not begin with a slash, and has neither `//` nor a segment `.` or `..`";

export const kv = z
  .record(text.regex(KEY, KEY_RULE), z.json())
  .describe(
    "Keys of the KV store, which a deploy writes if they are absent: a text, or a value that becomes JSON. No secrets. Default none.",
  );

/** @see https://developer.hashicorp.com/consul/docs/reference/config-entry */
export const configEntry = z
  .object({
    kind: text.describe("The kind: service-defaults, proxy-defaults, service-resolver, ..."),
    name: text
      .optional()
      .describe(
        "The entry's name, which is required for most kinds. Default `global` for proxy-defaults, `mesh` for mesh, `default` for exported-services.",
      ),
  })
  .catchall(z.json())
  .describe("A config entry, in the format of Consul's files.");

export const intentions = z
  .record(text, z.record(text, z.enum(["allow", "deny"], "an intention is allow or deny")))
  .describe(
    "Intentions of the service mesh: allow or deny, by destination and by source service; `*` is any. Default none.",
  );

const open = <Shape extends z.ZodRawShape>(shape: Shape) => z.object(shape).catchall(more);

/**
 * Keys that the schema does not have are an error or, for servers newer than its lists, a warning:
 * validate/definitions.ts.
 * @see https://developer.hashicorp.com/consul/api-docs/query
 */
export const preparedQuery = open({
  name: text
    .optional()
    .describe("The query's name in DNS: <name>.query.consul. Only a template can omit it, and then matches all names."),
  service: open({
    service: text.describe("The service that the query finds."),
    only_passing: z.boolean().optional(),
    near: text.optional(),
    tags: z.array(text).optional(),
    node_meta: strings.optional(),
    service_meta: strings.optional(),
    connect: z.boolean().optional(),
    ignore_check_ids: z.array(text).optional(),
    failover: open({
      nearest_n: z.int().min(0).optional(),
      datacenters: z.array(text).optional(),
      targets: z.array(open({ peer: text.optional(), datacenter: text.optional() })).optional(),
    }).optional(),
    peer: text.optional(),
    sameness_group: text.optional(),
  }).describe("Which instances of which service the query finds, and where else it looks."),
  dns: open({ ttl: duration.optional() }).optional().describe("`ttl`: how long resolvers cache the answer."),
  template: open({
    type: z.literal("name_prefix_match"),
    regexp: text.optional(),
    remove_empty_tags: z.boolean().optional(),
  })
    .optional()
    .describe("Makes the query a template for all names that begin with its own."),
}).describe("A prepared query.");
