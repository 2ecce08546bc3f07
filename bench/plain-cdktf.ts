import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Container } from "@cdktf/provider-docker/lib/container";
import { Image } from "@cdktf/provider-docker/lib/image";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { App, type LocalExecProvisioner, TerraformOutput, TerraformResource, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { type BenchHost, benchHosts } from "./bench-hosts";

/**
 * What a user would write instead of a cluster file: the same resources in plain loops, without anything of the product but the
 * containers' shell scripts. Its provisioners make the product's requests, for which the product has a program beside the
 * JSON; here it is a file that a user would have copied there. It is also the stock template's main.ts, so it keeps to the template's ES2018.
 *
 * HOSTS is how many hosts there are.
 */

const hosts = benchHosts(Number(process.env.HOSTS));
const servers = hosts.filter(({ role }) => role === "server");
const clients = hosts.filter(({ role }) => role === "client");

const URL = "http://127.0.0.1:8500";
const WAIT = 120;
const IMAGE = "hashicorp/consul:1.22.7";

/** A script that a user would have copied beside the JSON. */
const script = (name: string) => ({
  file: `/consul/${name}`,
  source: `\${path.module}/${name}`,
  sourceHash: createHash("sha256")
    .update(readFileSync(join(__dirname, "../container", name)))
    .digest("hex"),
});
const health = script("health.sh");
const leaveLeadership = script("leave-leadership.sh");
/** Log options that a daemon may add. */
const ADDED = "compress labels labels-regex env env-regex tag mode max-buffer-size cache-disabled".split(" ");
const ADDED_OF_CACHE = ["cache-max-size", "cache-max-file", "cache-compress"];
const OWN_CONTAINER = "${jsonencode(self.name)}";
const OWN_NODE =
  '${jsonencode(one([for word in self.command : trimprefix(word, "-node=") if startswith(word, "-node=")]))}';

const agentConfig = (role: BenchHost["role"]) => ({
  ...(role === "server" ? { autopilot: { min_quorum: 3 } } : {}),
  datacenter: "dc1",
  disable_update_check: true,
  leave_on_terminate: false,
  ...(role === "server" ? { performance: { raft_multiplier: 1 } } : {}),
  retry_interval: "2s",
});
const agentFile = (role: BenchHost["role"]) => `${JSON.stringify(agentConfig(role), null, 2)}\n`;
const agentFiles = { server: agentFile("server"), client: agentFile("client") };
/** The same with what the command says, in the order of keys. */
const wholeConfig = ({ name, address, role }: BenchHost) => {
  const whole: Record<string, unknown> = {
    ...agentConfig(role),
    bind_addr: address,
    client_addr: "127.0.0.1",
    data_dir: "/consul/data",
    enable_local_script_checks: false,
    node_name: name,
    ...(role === "server" ? { server: true, bootstrap_expect: 3 } : {}),
  };
  return Object.fromEntries(Object.entries(whole).sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** cdktf's own DataResource would run `terraform version` once for each gate: a minute more at 1000 hosts. */
class TerraformData extends TerraformResource {
  constructor(
    scope: Construct,
    id: string,
    private readonly triggersReplace: string[],
    provisioner: LocalExecProvisioner,
    dependsOn?: TerraformData[],
  ) {
    super(scope, id, { terraformResourceType: "terraform_data", provisioners: [provisioner], dependsOn });
  }

  protected override synthesizeAttributes() {
    return { triggers_replace: this.triggersReplace };
  }
}

const app = new App();
const stack = new TerraformStack(app, "bench");
stack.addOverride("terraform.required_providers.docker.version", "~> 4.5");
stack.addOverride("terraform.required_version", ">= 1.4.0");

const target = ({ address, name }: { address: string; name: string }) => ({
  daemon: `ssh://root@${address}`,
  container: name,
});

const requests = (label: string, request: string): LocalExecProvisioner => ({
  type: "local-exec",
  interpreter: ["node", "${path.module}/rollout.cjs"],
  command: label,
  environment: { CONSUL_CDKTF_REQUEST: request, NODE_OPTIONS: "", NODE_DEBUG: "", NODE_V8_COVERAGE: "" },
});
const step = (name: string, subject: string, request: object): LocalExecProvisioner =>
  requests(`${name} ${subject}`, JSON.stringify({ version: 1, step: name, ...request }));

function checkBeforeStop(host: BenchHost): LocalExecProvisioner {
  const { name, role } = host;
  const request = JSON.stringify({
    version: 1,
    step: "pre-stop",
    target: target({ ...host, name: "OWN_CONTAINER" }),
    role,
    owner: name,
    node: "OWN_NODE",
    seconds: WAIT,
    limit: role === "server" ? 3 : 1,
    servers: servers.filter((other) => other !== host).map(target),
    next: { image: IMAGE, config: wholeConfig(host), network: "host", stage: "off" },
  });
  const named = request.replace('"OWN_CONTAINER"', () => OWN_CONTAINER).replace('"OWN_NODE"', () => OWN_NODE);
  return { ...requests(`pre-stop ${name}`, named), when: "destroy" };
}

function agent(host: BenchHost): Container {
  const { name, address, role } = host;
  const provider = new DockerProvider(stack, `${name}-provider`, {
    alias: `${name}_host`,
    host: `ssh://root@${address}`,
    context: "",
    certPath: "",
  });
  const image = new Image(stack, `${name}-image`, {
    provider,
    name: IMAGE,
    keepLocally: true,
    lifecycle: { createBeforeDestroy: true },
  });
  const container = new Container(stack, name, {
    provider,
    name,
    image: image.imageId,
    hostname: name,
    command: [
      "agent",
      ...(role === "server" ? ["-server"] : []),
      `-bind=${address}`,
      ...servers.filter((server) => server !== host).map((server) => `-retry-join=${server.address}`),
      ...(role === "server" ? ["-bootstrap-expect=3"] : []),
      `-node=${name}`,
      "-client=127.0.0.1",
      "-ui",
      "-config-dir=/consul/declared",
    ],
    entrypoint:
      role === "server"
        ? ["/usr/bin/dumb-init", "--single-child", "/bin/sh", "/consul/leave-leadership.sh"]
        : undefined,
    restart: "always",
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    stopTimeout: 30,
    destroyGraceSeconds: 30,
    networkMode: "host",
    labels: [
      { label: "SERVICE_IGNORE", value: "true" },
      { label: "consul-cdktf.agent", value: name },
      { label: "consul-cdktf.cluster", value: "bench" },
      { label: "consul-cdktf.role", value: role },
    ],
    lifecycle: { ignoreChanges: [...ADDED, ...ADDED_OF_CACHE].map((option) => `log_opts["${option}"]`) },
    volumes: [
      { containerPath: "/consul/data", volumeName: `${name}-data` },
      { containerPath: "/consul/declared", volumeName: `${name}-declared` },
    ],
    upload: [
      { file: "/consul/config/agent.json", content: agentFiles[role] },
      health,
      ...(role === "server" ? [leaveLeadership] : []),
    ],
    healthcheck: {
      test: ["CMD", "/bin/sh", "/consul/health.sh"],
      interval: "10s",
      timeout: "5s",
      startPeriod: "1m0s",
      retries: 3,
    },
    provisioners: [checkBeforeStop(host)],
  });
  new TerraformOutput(stack, `${name}-addresses`, {
    value: { join: address, http: URL, dns: "127.0.0.1:8600", ui: `${URL}/ui` },
  });
  return container;
}

function steps(host: BenchHost, container: Container): TerraformData {
  const { name, role } = host;
  const own = { target: target(host) };
  const gate = new TerraformData(
    stack,
    `${name}-gate`,
    [container.id],
    step("readiness", name, { ...own, owner: name, role, node: name, expect: 3, seconds: WAIT }),
  );
  new TerraformData(
    stack,
    `${name}_services-gate`,
    [container.id, "{}"],
    step("services", name, { ...own, role, node: name, declared: "{}", seconds: WAIT }),
    [gate],
  );
  return gate;
}

const serverContainers = servers.map(agent);
const serverGates = servers.map((server, index) => steps(server, serverContainers[index] as Container));
const asked = { servers: servers.map(target), seconds: WAIT };
const quorum = new TerraformData(
  stack,
  "consul_quorum-gate",
  [...serverContainers.map(({ id }) => id), servers.map(({ name, address }) => `${name}=${address}`).join(" ")],
  step("voters", "bench", { nodes: servers.map(({ name }) => name), ...asked }),
  serverGates,
);
const settings = { MinQuorum: 3 };
new TerraformData(
  stack,
  "consul_autopilot-gate",
  [JSON.stringify(settings)],
  step("autopilot", "bench", { settings, ...asked }),
  [quorum],
);
const objects = { kv: {}, config_entries: {}, prepared_queries: {} };
new TerraformData(
  stack,
  "consul_definitions-gate",
  [JSON.stringify(objects)],
  step("definitions", "bench", { objects, ...asked }),
  [quorum],
);
for (const client of clients) steps(client, agent(client));

app.synth();
