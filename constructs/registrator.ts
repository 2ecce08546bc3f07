import { Container } from "@cdktf/provider-docker/lib/container";
import type { Image } from "@cdktf/provider-docker/lib/image";
import { Construct } from "constructs";
import { type RegistratorSettings, registratorMapping } from "../cluster/file/schema";
import { type ResolvedRegistrator, resolveRegistrator } from "../cluster/resolve/registrator";
import { stageOf } from "../cluster/resolve/security";
import { CONTAINER_VARIABLES, PATHS } from "../consul/contract";
import { SECRET_FILES } from "../consul/secrets";
import type { ContainerLog } from "./agent-props";
import { AGENT_SCHEMAS } from "./agent-schema";
import { type AgentSecurity, secretsExist, secretsHash } from "./agent-security";
import type { ConsulAgent } from "./consul-agent";
import { labels, WITHOUT_CAPABILITIES } from "./container-options";
import { ContainerScripts } from "./container-scripts";
import type { IDockerHost } from "./docker-host-base";
import { ImageReference } from "./image-reference";
import { setLog } from "./logging";
import { fromStack } from "./project-path";
import { rejectUnknown, renamed } from "./prop-names";
import { byProps, rejectWrong } from "./prop-values";
import { RolloutProgram } from "./rollout-program";
import { TerraformData } from "./terraform-data";
import { terraformId } from "./terraform-id";

/** Registrator's settings, most of which are its flags. */
export interface RegistratorProps {
  /** The agent that services are registered with. Registrator runs on its host. */
  readonly agent: ConsulAgent;
  /**
   * The container's host name, by which services are told from those of other hosts. It must stay the same.
   * @default the agent's node name
   */
  readonly hostname?: string;
  /** Registrator's image, by tag or digest. @default "fayrus/registrator:v9.2.0" */
  readonly image?: string;
  /** The container's name. @default "registrator" */
  readonly container?: string;
  /** The address that services are registered with. @default the host's address; none with `internal` */
  readonly ip?: string;
  /** Whether services are registered with the containers' own addresses and ports, not the published ones. @default false */
  readonly internal?: boolean;
  /** How much time passes between two comparisons of containers with services; 0 is never. @unit seconds @default 60 */
  readonly resync?: number;
  /** Whether services of removed containers are deregistered. @default true, or false if `deregister` is "on-success" */
  readonly cleanup?: boolean;
  /** After which exits of a container its services are deregistered. @default "always" */
  readonly deregister?: "always" | "on-success";
  /** How often registrator retries to reach the agent at its start; -1 is without limit. @unit attempts @default -1 */
  readonly retryAttempts?: number;
  /** How much time passes between two attempts. @unit milliseconds @default 2000 */
  readonly retryInterval?: number;
  /** Tags of all services, without commas. @default none */
  readonly tags?: readonly string[];
  /** The Docker daemon's socket on the host. @default the daemon's if it is a socket, or "/var/run/docker.sock" */
  readonly socket?: string;
  /** Further flags of registrator. @default none */
  readonly flags?: readonly string[];
  /** Docker's logging. @default json-file, with 3 files of 10m */
  readonly log?: ContainerLog;
  /**
   * The cluster's security. Its secrets folder has registrator.token, an ACL token on one line.
   * @default none: registrator registers services without a token
   */
  readonly security?: AgentSecurity;
  /** How long a deploy waits for the host's daemon when it delivers the token. @unit seconds @default 120 */
  readonly readyTimeout?: number;
  /**
   * The settings of a cluster file, in place of those that a cluster file has.
   * @internal
   */
  readonly fileSettings?: RegistratorSettings;
}

/** Registrator's props that are no settings of a cluster file. */
const OTHERS = [
  "agent",
  "hostname",
  "log",
  "security",
  "readyTimeout",
  "fileSettings",
] as const satisfies (keyof RegistratorProps)[];

const SETTINGS = {
  image: "image",
  container: "container",
  ip: "ip",
  internal: "internal",
  resync: "resync",
  cleanup: "cleanup",
  deregister: "deregister",
  retryAttempts: "retry_attempts",
  retryInterval: "retry_interval",
  tags: "tags",
  socket: "socket",
  flags: "flags",
} as const satisfies Record<Exclude<keyof RegistratorProps, (typeof OTHERS)[number]>, keyof RegistratorSettings>;

const SCHEMA = AGENT_SCHEMAS.client
  .pick({ log: true, readyTimeout: true, security: true })
  .extend(byProps(SETTINGS, registratorMapping.shape));

/**
 * This image's last release is built with Consul's API client of 2018, which reads a token from CONSUL_HTTP_TOKEN alone.
 * CONSUL_HTTP_TOKEN_FILE came with Consul 1.5 in 2019 (hashicorp/consul, api/api.go).
 */
const WITHOUT_TOKEN_FILE = "gliderlabs/registrator";

/**
 * Registers a host's containers as services, by their published ports, with an agent of that host.
 * @example
 * ```ts
 * import type { TerraformStack } from "cdktf";
 * import { type ConsulClient, Registrator } from "consul-cdktf";
 *
 * declare const stack: TerraformStack;
 * declare const agent: ConsulClient;
 * new Registrator(stack, "registrator", { agent, tags: ["docker"], resync: 30 });
 * ```
 */
export class Registrator extends Construct {
  /** The L1 resource of the container, for options that this construct does not have. */
  readonly container: Container;
  /** The L1 resource of the image. */
  readonly image: Image;
  /** Delivers registrator's token. Undefined without one. */
  readonly token?: TerraformData;

  /**
   * @throws Error if only the agent's own container can reach its plain HTTP, as in a bridge network with security
   * @throws Error for a property that does not exist
   * @throws ClusterError for wrong values
   */
  constructor(scope: Construct, id: string, props: RegistratorProps) {
    super(scope, id);
    const { agent, hostname, fileSettings, ...values } = props;
    const { security, log: logOfProps, readyTimeout } = values;
    const { host } = agent;
    const [, beside] = /^http:\/\/(.*)$/.exec(agent.endpoints.beside ?? "") ?? [];
    if (beside === undefined)
      throw new Error(
        `${this.node.path}: plain HTTP of ${agent.node.path} is for its own container alone; use the host's network`,
      );

    rejectUnknown(this, props, [...OTHERS, ...Object.keys(SETTINGS)]);
    if (!fileSettings) rejectWrong(this, values, SCHEMA);
    const own = fileSettings ?? renamed(values, SETTINGS);
    const settings = resolveRegistrator({ ...own, log: logOfProps, readyTimeout }, host);
    const { image, container: name, log, socket } = settings;
    this.image = host.pull(this, "image", image);
    this.image.overrideLogicalId(terraformId(this));

    // Before agents use tokens, the cluster may not know registrator's, and an unknown token has fewer rights than none.
    const secured = security && stageOf(security) !== "permissive" ? security : undefined;
    const readsNoFile = ImageReference.parse(image).repository === WITHOUT_TOKEN_FILE;
    this.container = new Container(this, "container", {
      provider: host.provider,
      name,
      image: this.image.imageId,
      hostname: hostname ?? agent.nodeName,
      command: [...flags(settings), `consul://${beside}`],
      env: secured && [`${CONTAINER_VARIABLES.tokenFile}=${PATHS.registratorToken}`],
      entrypoint: secured && readsNoFile ? ["/bin/sh", PATHS.readToken, "/bin/registrator"] : undefined,
      restart: "always",
      ...host.networking(id),
      // Registrator runs as root, which owns the Docker socket, and needs no capability.
      ...WITHOUT_CAPABILITIES,
      labels: labels(agent.ownLabels("registrator")),
      // A bind mount, because for a volume Docker would create a folder if the socket does not exist.
      mounts: [{ type: "bind", source: socket, target: PATHS.registratorSocket, readOnly: true }],
      upload: secured && [
        {
          file: PATHS.registratorToken,
          source: fromStack(`${secured.secrets}/${SECRET_FILES.registratorToken}`),
          permissions: "0400",
        },
        ...(readsNoFile ? [ContainerScripts.of(this).upload(PATHS.readToken, "read-token.sh")] : []),
      ],
    });
    this.container.overrideLogicalId(terraformId(this));
    setLog(this.container, log);
    if (secured) this.token = this.deliverToken(settings, secured, host);
  }

  private deliverToken(
    { container, readyTimeout }: ResolvedRegistrator,
    security: AgentSecurity,
    host: IDockerHost,
  ): TerraformData {
    const delivery = RolloutProgram.of(this).provisioner(`deliver-token ${container}`, {
      step: "deliver-token",
      target: host.target(container),
      file: fromStack(`${security.secrets}/${SECRET_FILES.registratorToken}`),
      path: PATHS.registratorToken,
      seconds: readyTimeout,
    });
    const token = new TerraformData(this, "token", {
      triggersReplace: [this.container.id, secretsHash(security, [SECRET_FILES.registratorToken])],
      provisioners: [delivery],
      precondition: {
        condition: secretsExist(security, [SECRET_FILES.registratorToken]),
        errorMessage: `registrator's token is not in ${security.secrets}. Make it with \`npm run secrets -- init\`, or bring it where Terraform runs with \`npm run secrets -- import\``,
      },
    });
    token.overrideLogicalId(terraformId(this));
    return token;
  }
}

/**
 * Registrator's flags. Its own defaults suit an agent that never restarts. Without `-resync` and `-cleanup`, registrator
 * never notices containers that start or end while the agent restarts. Without retries, it ends if the agent is not up yet.
 */
function flags(settings: ResolvedRegistrator): string[] {
  const { ip, internal, resync, cleanup, deregister, retryAttempts, retryInterval, tags } = settings;
  const words: string[] = [];
  if (ip !== undefined) words.push(`-ip=${ip}`);
  if (internal) words.push("-internal");
  if (resync > 0) words.push(`-resync=${resync}`);
  if (cleanup) words.push("-cleanup");
  if (deregister !== "always") words.push(`-deregister=${deregister}`);
  words.push(`-retry-attempts=${retryAttempts}`);
  if (retryInterval !== undefined) words.push(`-retry-interval=${retryInterval}`);
  if (tags.length > 0) words.push(`-tags=${tags.join(",")}`);
  return [...words, ...settings.flags];
}
