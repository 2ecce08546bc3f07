import { z } from "zod";
import { duration, port, strings, text } from "./value-schema";

/**
 * Services and checks as Consul's configuration files have them. Keys that are written here are checked where they stand; any other is passed on, since Consul has
 * more, and gets more.
 * @see https://developer.hashicorp.com/consul/docs/reference/service, https://developer.hashicorp.com/consul/docs/reference/service/health-check
 */

const more = z.json();

export const check = z
  .object({
    id: text.optional().describe("Default the name; in a service, service:<service's id>."),
    name: text.optional(),
    notes: z.string().optional(),
    service_id: text
      .optional()
      .describe("Of a check under `checks:`, the declared service that it is about. Default the node."),
    http: text.optional().describe("URL that is asked: 2xx is passing, 429 a warning, anything else critical."),
    method: text.optional(),
    header: z.record(text, z.array(z.string())).optional(),
    body: z.string().optional(),
    tcp: text.optional().describe("address:port that a connection is made to."),
    udp: text.optional().describe("address:port that a datagram is sent to."),
    grpc: text.optional().describe("address:port[/service] that is asked by gRPC's health protocol."),
    grpc_use_tls: z.boolean().optional(),
    h2ping: text.optional().describe("address:port that is asked by HTTP/2's ping."),
    os_service: text
      .optional()
      .describe("A service of the agent's own operating system, which in a container has none."),
    args: z
      .array(text)
      .min(1, "name a program")
      .optional()
      .describe("A program and its arguments, run in the agent's container, if that lets programs run."),
    docker_container_id: text
      .optional()
      .describe("Of `args`: a container to run them in, by the Docker socket that the agent's container then needs."),
    shell: text.optional(),
    ttl: duration.optional().describe("How long it stays as it is unless the service's program reports again."),
    alias_service: text.optional().describe("It is as this service's checks are."),
    alias_node: text.optional().describe("It is as this node's checks are."),
    interval: duration.optional().describe("How often it is looked at; for all but `ttl` and aliases."),
    timeout: duration.optional(),
    status: z
      .enum(["passing", "warning", "critical"])
      .optional()
      .describe("Before it is looked at for the first time. Default critical."),
    deregister_critical_service_after: duration.optional(),
    failures_before_critical: z.int().min(0).optional(),
    failures_before_warning: z.int().min(0).optional(),
    success_before_passing: z.int().min(0).optional(),
    tls_server_name: text.optional(),
    tls_skip_verify: z.boolean().optional(),
  })
  .catchall(more)
  .meta({ id: "check", description: "A check, by Consul's names: one of the ways to look, and how often." });

export const service = z
  .object({
    name: text.describe("The service's name, by which it is looked up."),
    id: text.optional().describe("What tells it from others of its name on the same agent. Default the name."),
    kind: text.optional(),
    address: text.optional().describe("Default the agent's address."),
    port: port.optional(),
    socket_path: text.optional(),
    tags: z.array(text).optional(),
    meta: strings.optional(),
    weights: z
      .object({ passing: z.int().min(1).optional(), warning: z.int().min(0).optional() })
      .catchall(more)
      .optional(),
    tagged_addresses: z.record(text, z.object({ address: text, port: port.optional() }).catchall(more)).optional(),
    enable_tag_override: z.boolean().optional(),
    check: check.optional().describe("A check of the service."),
    checks: z.array(check).optional().describe("Several."),
    connect: z.record(text, more).optional().describe("Consul's service mesh: `sidecar_service: {}`, say."),
    proxy: z.record(text, more).optional(),
  })
  .catchall(more)
  .meta({ id: "service", description: "A service, by Consul's names." });

/** Consul's names for what a check and a service have (agent/config/config.go of 1.22, CheckDefinition and ServiceDefinition). */
export const CHECK_KEYS: readonly string[] = [
  ...Object.keys(check.shape),
  ...["disable_redirects", "h2ping_use_tls", "output_max_size", "tcp_use_tls", "token", "namespace", "partition"],
];
export const SERVICE_KEYS: readonly string[] = [
  ...Object.keys(service.shape),
  "ports",
  "locality",
  "token",
  "namespace",
  "partition",
];
