import { z } from "zod";
import { duration, more, port, strings, text } from "./value-schema";

/**
 * Services and checks, in the format of Consul's configuration files. The schema checks the keys that it has. It passes
 * on all others, because Consul has more, and new versions add some.
 * @see https://developer.hashicorp.com/consul/docs/reference/service, https://developer.hashicorp.com/consul/docs/reference/service/health-check
 */

export const check = z
  .object({
    id: text
      .optional()
      .describe("The check's id. Default the name, or service:<id of the service> for a check of a service."),
    name: text
      .optional()
      .describe(
        "The check's name. Required under `checks:`. Default `Service '<name>' check`, for a check of a service.",
      ),
    notes: z.string().optional().describe("A text for people, which the UI shows."),
    service_id: text
      .optional()
      .describe("For a check under `checks:`: the id of the declared service that it checks. Default the node."),
    http: text
      .optional()
      .describe("The URL that the agent requests: 2xx is passing, 429 is warning, anything else is critical."),
    method: text.optional().describe("For `http`: the method. Default GET."),
    header: z.record(text, z.array(z.string())).optional().describe("For `http`: headers, each with a list of values."),
    body: z.string().optional().describe("For `http`: the body of the request."),
    tcp: text.optional().describe("The address:port that the agent connects to by TCP."),
    udp: text.optional().describe("The address:port that the agent sends a UDP datagram to."),
    grpc: text
      .optional()
      .describe("The address:port[/service] that the agent queries by gRPC's health checking protocol."),
    grpc_use_tls: z.boolean().optional().describe("For `grpc`: whether to use TLS. Default false."),
    h2ping: text.optional().describe("The address:port that the agent pings by HTTP/2."),
    os_service: text.optional().describe("A service of the agent's operating system. The image has none."),
    args: z
      .array(text)
      .min(1, "name a script or program")
      .optional()
      .describe(
        "A script or program with its arguments, which the agent runs in its container if script checks are enabled.",
      ),
    docker_container_id: text
      .optional()
      .describe("For `args`: the container to run them in. The agent's container then needs the Docker socket."),
    shell: text.optional().describe("For `docker_container_id`: the shell that runs `args`."),
    ttl: duration
      .optional()
      .describe("How long a reported status is valid. The service itself reports it to the agent."),
    alias_service: text.optional().describe("The service whose status this check copies."),
    alias_node: text
      .optional()
      .describe("The node whose status this check copies. Default the agent's own, with `alias_service`."),
    interval: duration
      .optional()
      .describe("How often the agent runs the check. Default none; required, except for `ttl` and aliases."),
    timeout: duration.optional().describe("How long one run of the check may take. Default 10s, or 30s for `args`."),
    status: z
      .enum(["passing", "warning", "critical"])
      .optional()
      .describe("The status before the first run. Default critical."),
    deregister_critical_service_after: duration
      .optional()
      .describe("After how long in state critical the service of this check is deregistered. Default never."),
    failures_before_critical: z
      .int()
      .min(0)
      .optional()
      .describe("How many runs in a row have to fail before the state is critical. Default 0."),
    failures_before_warning: z
      .int()
      .min(0)
      .optional()
      .describe("How many runs in a row have to fail before the state is warning. Default failures_before_critical."),
    success_before_passing: z
      .int()
      .min(0)
      .optional()
      .describe("How many runs in a row have to succeed before the state is passing. Default 0."),
    tls_server_name: text
      .optional()
      .describe("The server's name that the check demands of a certificate. Default the host of the address."),
    tls_skip_verify: z
      .boolean()
      .optional()
      .describe("Whether the check accepts every certificate of the service. Default false."),
  })
  .catchall(more)
  .meta({ id: "check", description: "A check, by Consul's names: its kind, and how often it runs." });

export const service = z
  .object({
    name: text.describe("The service's name, by which clients find it."),
    id: text.optional().describe("An id that is unique on its agent. Default the name."),
    kind: text.optional().describe("Of a gateway or a proxy: its kind. Default a service of your own."),
    address: text.optional().describe("The service's address. Default the agent's address."),
    port: port.optional().describe("The service's port."),
    socket_path: text.optional().describe("A Unix socket of the service, in place of a port."),
    tags: z.array(text).optional().describe("Tags, by which DNS and the API find instances of the service."),
    meta: strings.optional().describe("Further keys and values of the service, as strings."),
    weights: z
      .object({
        passing: z
          .int()
          .min(1)
          .optional()
          .describe("The weight of the instance while its checks are passing. Default 1."),
        warning: z
          .int()
          .min(0)
          .optional()
          .describe("The weight of the instance while one of its checks is in state warning. Default 1."),
      })
      .catchall(more)
      .optional()
      .describe("How often DNS answers with this instance, in its states passing and warning. Default 1 and 1."),
    tagged_addresses: z
      .record(
        text,
        z
          .object({
            address: text.describe("The address."),
            port: port.optional().describe("The port at this address. Default none."),
          })
          .catchall(more),
      )
      .optional()
      .describe("Further addresses of the service, by their names: `lan`, `wan` or your own."),
    enable_tag_override: z
      .boolean()
      .optional()
      .describe("Whether others may change the tags in the catalog. Default false."),
    check: check.optional().describe("A check of the service."),
    checks: z.array(check).optional().describe("Checks of the service."),
    connect: z.record(text, more).optional().describe("Consul's service mesh, for example `sidecar_service: {}`."),
    proxy: z.record(text, more).optional().describe("Of a proxy: the service that it stands for, and its upstreams."),
  })
  .catchall(more)
  .meta({ id: "service", description: "A service, by Consul's names." });

/**
 * Consul's names of all keys of a check and a service (agent/config/config.go, CheckDefinition and ServiceDefinition), of
 * the version in cluster/known-consul.ts.
 */
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
