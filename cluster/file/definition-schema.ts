import { z } from "zod";
import { duration, strings, text } from "./value-schema";

/** What a cluster is given once for all its agents: keys, config entries, intentions, prepared queries. */

/** Whatever asks for a key by HTTP may take empty segments and dots out of its path, and would ask for something else: as management, when a deploy does. */
const KEY = /^(?!\/)(?![\s\S]*\/\/)(?!(?:[\s\S]*\/)?\.{1,2}(?:\/|$))/;
const KEY_RULE = "a key does not begin with a slash, and has neither `//` nor a segment `.` or `..`";

export const kv = z
  .record(text.regex(KEY, KEY_RULE), z.json())
  .describe(
    "Keys of the KV store that a deploy writes where they are absent: text, or a value that is written as JSON. No secrets.",
  );

/** @see https://developer.hashicorp.com/consul/docs/reference/config-entry */
export const configEntry = z
  .object({
    kind: text.describe("service-defaults, proxy-defaults, service-resolver, ..."),
    name: text
      .optional()
      .describe(
        "Default `global` for proxy-defaults, `mesh` for mesh, `default` for exported-services; needed for the rest.",
      ),
  })
  .catchall(z.json())
  .describe("A config entry, as Consul's own files have it.");

export const intentions = z
  .record(text, z.record(text, z.enum(["allow", "deny"], "an intention is allow or deny")))
  .describe(
    "Who may call whom in the service mesh: allow or deny, by the service that is called, and by its caller; `*` is any.",
  );

/** @see https://developer.hashicorp.com/consul/api-docs/query */
export const preparedQuery = z
  .strictObject({
    name: text
      .optional()
      .describe("It is looked up as <name>.query.consul. Only a template may have none: one for all names."),
    service: z.strictObject({
      service: text.describe("The service that is looked up."),
      only_passing: z.boolean().optional(),
      near: text.optional(),
      tags: z.array(text).optional(),
      node_meta: strings.optional(),
      service_meta: strings.optional(),
      connect: z.boolean().optional(),
      ignore_check_ids: z.array(text).optional(),
      failover: z
        .strictObject({
          nearest_n: z.int().min(0).optional(),
          datacenters: z.array(text).optional(),
          targets: z.array(z.strictObject({ peer: text.optional(), datacenter: text.optional() })).optional(),
        })
        .optional(),
      peer: text.optional(),
      sameness_group: text.optional(),
    }),
    dns: z.strictObject({ ttl: duration.optional() }).optional(),
    template: z
      .strictObject({
        type: z.literal("name_prefix_match"),
        regexp: text.optional(),
        remove_empty_tags: z.boolean().optional(),
      })
      .optional()
      .describe("It stands for all names that begin with its own."),
  })
  .describe("A prepared query.");
