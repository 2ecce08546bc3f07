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
    .describe(
      "The query's name in DNS: <name>.query.consul. Only a template can omit it, and then matches all names. Default none.",
    ),
  service: open({
    service: text.describe("The service that the query finds."),
    only_passing: z
      .boolean()
      .optional()
      .describe(
        "Whether the query omits instances whose checks are in state warning, not only critical. Default false.",
      ),
    near: text
      .optional()
      .describe(
        "The node from which the nearest instances come first: its name, `_agent` for the agent that is asked, or `_ip` for the client. Default random order.",
      ),
    tags: z
      .array(text)
      .optional()
      .describe("Tags that an instance must have; a tag with `!` before it must be absent. Default none."),
    node_meta: strings
      .optional()
      .describe("Keys and values that the metadata of an instance's node must have. Default none."),
    service_meta: strings.optional().describe("Keys and values that an instance's `meta` must have. Default none."),
    connect: z
      .boolean()
      .optional()
      .describe("Whether the query finds only instances that are in the service mesh. Default false."),
    ignore_check_ids: z
      .array(text)
      .optional()
      .describe("The ids of checks that do not count when an instance's health is judged. Default none."),
    failover: open({
      nearest_n: z
        .int()
        .min(0)
        .optional()
        .describe("How many other datacenters the query tries, the nearest first. Default 0."),
      datacenters: z
        .array(text)
        .optional()
        .describe("Datacenters that the query tries in this order, after those of `nearest_n`. Default none."),
      targets: z
        .array(
          open({
            peer: text.optional().describe("A peered cluster. Default none."),
            datacenter: text.optional().describe("A federated datacenter. Default none."),
          }),
        )
        .optional()
        .describe(
          "Peered clusters and datacenters that the query tries in this order, in place of `nearest_n` and `datacenters`. Default none.",
        ),
    })
      .optional()
      .describe("Where the query looks when no instance is healthy. Default nowhere."),
    peer: text.optional().describe("The peered cluster whose exported service the query finds. Default this cluster."),
    sameness_group: text.optional().describe("Consul Enterprise: the sameness group of the service. Default none."),
  }).describe("Which instances of which service the query finds, and where else it looks."),
  dns: open({
    ttl: duration
      .optional()
      .describe("How long resolvers cache the answer. Default the service's in `dns.service_ttl`."),
  })
    .optional()
    .describe("How DNS answers. Default none."),
  template: open({
    type: z.literal("name_prefix_match").describe("How names are matched: by their beginning."),
    regexp: text.optional().describe("Takes parts of the name, which `service` names as `${match(1)}`. Default none."),
    remove_empty_tags: z
      .boolean()
      .optional()
      .describe("Whether tags that are empty for a name are left out. Default false."),
  })
    .optional()
    .describe("Makes the query a template for all names that begin with its own. Default none."),
}).describe("A prepared query.");
