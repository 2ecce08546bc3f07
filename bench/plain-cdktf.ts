import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Container } from "@cdktf/provider-docker/lib/container";
import { Image } from "@cdktf/provider-docker/lib/image";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import {
  App,
  type LocalExecProvisioner,
  TerraformLocal,
  TerraformOutput,
  TerraformResource,
  TerraformStack,
} from "cdktf";
import type { Construct } from "constructs";
import { type BenchHost, benchHosts } from "./bench-hosts";

/**
 * What a user would write instead of a cluster file: the same resources in plain loops, without anything of the product but the text of
 * its shell scripts. It is also the stock template's main.ts, so it keeps to the template's ES2018.
 *
 * HOSTS is how many hosts there are.
 */

const hosts = benchHosts(Number(process.env.HOSTS));
const servers = hosts.filter(({ role }) => role === "server");
const clients = hosts.filter(({ role }) => role === "client");

const URL = "http://127.0.0.1:8500";
const WAIT = "120";
const IMAGE = "hashicorp/consul:1.22.2";

const upload = (file: string) =>
  readFileSync(join(__dirname, "..", file), "utf8").replace(/[$%](?=\{)/g, (sign) => sign + sign);
/** As destroy-time provisioners cannot refer to one text for all; without indentation either. */
const withoutComments = (text: string) => text.replace(/^[ \t]*(#.*)?\n/gm, "").replace(/^[ \t]+/gm, "");
const script = (folder: string, ...names: string[]) =>
  names.map((name) => `# ${name}.sh\n${withoutComments(upload(`rollout/${folder}/${name}.sh`))}`).join("");
const health = upload("container/health.sh");
const leaveLeadership = upload("container/leave-leadership.sh");
const beforeStop = script("operator", "docker", "parallelism", "pre-stop");
const tryConfig = script("agent", "validate-config");
const askText = script("operator", "docker", "run-step");
const questions = {
  server: script("agent", "consul-api", "lock", "security-compat", "pre-stop-server"),
  client: script("agent", "consul-api", "lock", "security-compat", "pre-stop-client"),
};
const OWN_CONTAINER = "'${self.name}'";
const OWN_NODE = `'\${one([for word in self.command : trimprefix(word, "-node=") if startswith(word, "-node=")])}'`;

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
  return JSON.stringify(whole, Object.keys(whole).sort().concat("min_quorum", "raft_multiplier"));
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

const local = (id: string, text: string) => new TerraformLocal(stack, id, text).asString;
const scripts = {
  ask: local("consul_ask", askText),
  gate: local("consul_gate", script("agent", "consul-api", "lock", "readiness")),
  services: local("consul_services", script("agent", "consul-api", "reload", "services")),
  quorum: local("consul_quorum", script("agent", "consul-api", "voters")),
  autopilot: local("consul_autopilot", script("agent", "consul-api", "autopilot")),
  definitions: local("consul_definitions", script("agent", "consul-api", "management-api", "definitions")),
};

const daemon = ({ address }: BenchHost) => `-H ssh://root@${address}`;

const asking = (text: string, words: string[], asked: { address: string; name: string }[]) => ({
  ASK_SCRIPT: text,
  ASK_ARGUMENTS: [WAIT, ...words].join(" "),
  ASK_TARGETS: asked.map((host) => `-H ssh://root@${host.address} exec -i ${host.name}`).join("\n"),
  ASK_SECONDS: WAIT,
});

const ask = (
  text: string,
  words: string[],
  asked: { address: string; name: string }[],
  gated?: string,
): LocalExecProvisioner => ({
  type: "local-exec",
  command: 'sh -c "$ASK"',
  environment: { ASK: scripts.ask, ...(gated && { ASK_GATED: gated }), ...asking(text, words, asked) },
});

const askBeforeStop = (host: BenchHost): LocalExecProvisioner => ({
  type: "local-exec",
  when: "destroy",
  command: 'sh -c "$BEFORE_STOP"',
  environment: {
    BEFORE_STOP: beforeStop,
    STOP_DOCKER: daemon(host),
    STOP_CONTAINER: "${self.name}",
    STOP_OWNER: host.name,
    STOP_IMAGE: IMAGE,
    STOP_SECONDS: WAIT,
    STOP_CONFIG: wholeConfig(host),
    STOP_NETWORK: "host",
    STOP_DECLARED: "${self.name}-declared",
    TRY_SCRIPT: tryConfig,
    ASK: askText,
    ...asking(
      questions[host.role],
      [host.name, OWN_NODE, "replace", host.role === "server" ? "3" : "1", "off"],
      [{ ...host, name: OWN_CONTAINER }, ...servers.filter((other) => other !== host)],
    ),
  },
});

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
    labels: [{ label: "SERVICE_IGNORE", value: "true" }],
    volumes: [
      { containerPath: "/consul/data", volumeName: `${name}-data` },
      { containerPath: "/consul/declared", volumeName: `${name}-declared` },
    ],
    upload: [
      { file: "/consul/config/agent.json", content: agentFiles[role] },
      { file: "/consul/health.sh", content: health },
      ...(role === "server" ? [{ file: "/consul/leave-leadership.sh", content: leaveLeadership }] : []),
    ],
    healthcheck: {
      test: ["CMD", "/bin/sh", "/consul/health.sh"],
      interval: "10s",
      timeout: "5s",
      startPeriod: "1m0s",
      retries: 3,
    },
    provisioners: [askBeforeStop(host)],
  });
  new TerraformOutput(stack, `${name}-addresses`, {
    value: { join: address, http: URL, dns: "127.0.0.1:8600", ui: `${URL}/ui` },
  });
  return container;
}

function steps(host: BenchHost, container: Container): TerraformData {
  const { name, role } = host;
  const gate = new TerraformData(
    stack,
    `${name}-gate`,
    [container.id],
    ask(scripts.gate, [name, role, name, "3"], [host], name),
  );
  new TerraformData(
    stack,
    `${name}_services-gate`,
    [container.id, "{}"],
    ask(scripts.services, [role, name, "'{}'"], [host]),
    [gate],
  );
  return gate;
}

const serverContainers = servers.map(agent);
const serverGates = servers.map((server, index) => steps(server, serverContainers[index] as Container));
const quorum = new TerraformData(
  stack,
  "consul_quorum-gate",
  [...serverContainers.map(({ id }) => id), servers.map(({ name, address }) => `${name}=${address}`).join(" ")],
  ask(
    scripts.quorum,
    servers.map(({ name }) => name),
    servers,
  ),
  serverGates,
);
const settings = '{"MinQuorum":3}';
new TerraformData(stack, "consul_autopilot-gate", [settings], ask(scripts.autopilot, [`'${settings}'`], servers), [
  quorum,
]);
const nothing = '{"kv":{},"config_entries":{},"prepared_queries":{}}';
const program = `# definitions.jq\n${withoutComments(upload("agent/definitions.jq"))}`;
new TerraformData(
  stack,
  "consul_definitions-gate",
  [nothing],
  ask(scripts.definitions, [`'${nothing}'`, `'${program.replace(/'/g, "'\\''")}'`], servers),
  [quorum],
);
for (const client of clients) steps(client, agent(client));

app.synth();
