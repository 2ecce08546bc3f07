import { z } from "zod";
import { agentMapping, clusterSchema, securityMapping } from "../cluster/file/schema";
import type { Role } from "../consul/ports";
import { NESTED, type OtherValue, SETTINGS } from "./agent-settings";
import { byProps } from "./prop-values";

/** The schema of agents' props: the rules of the cluster file, by the props' names. */

const { bootstrap_expect, max_parallel_clients, datacenter } = clusterSchema.shape;
const { shape } = agentMapping;

const nested = (Object.keys(NESTED) as (keyof typeof NESTED)[]).map((name) => {
  const ofFile: Readonly<Record<string, z.ZodType>> = shape[name].unwrap().shape;
  return [name, z.strictObject(byProps(NESTED[name], ofFile)).optional()] as const;
});

const others = {
  datacenter,
  node: shape.node,
  container: shape.container,
  hostname: shape.hostname,
  data: shape.data,
  decommission: shape.decommission,
  metrics: z.boolean().optional(),
  // The security of a whole cluster has more keys, which an agent does not read.
  security: securityMapping.pick({ stage: true, secrets: true }).required({ secrets: true }).loose().optional(),
} satisfies Record<OtherValue, z.ZodType>;

const agent = z.strictObject({ ...byProps(SETTINGS, shape), ...Object.fromEntries(nested), ...others });

/** The props of each role that are values, and not other constructs. */
export const AGENT_SCHEMAS: Readonly<Record<Role, z.ZodObject>> = {
  server: agent.extend({ bootstrapExpect: bootstrap_expect.unwrap() }),
  client: agent.extend({ bootstrapExpect: bootstrap_expect, maxParallelClients: max_parallel_clients }),
};

/** What is added to an agent. */
export const ADDITIONS = z.strictObject({ services: shape.services, checks: shape.checks, labels: shape.labels });
