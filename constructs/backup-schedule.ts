import { Container } from "@cdktf/provider-docker/lib/container";
import type { Image } from "@cdktf/provider-docker/lib/image";
import type { Precondition } from "cdktf";
import { Construct } from "constructs";
import { backups } from "../cluster/file/schema";
import { resolveBackups } from "../cluster/resolve/backups";
import { DEFAULTS } from "../cluster/resolve/defaults";
import { DEFAULT_HTTP_URL } from "../consul/agent-config";
import { backupsContainer, CONTAINER_VARIABLES, PATHS } from "../consul/contract";
import { SECRET_FILES } from "../consul/secrets";
import { secretsHash } from "./agent-security";
import type { ConsulServer } from "./consul-server";
import { healthCheck, labels, type Upload, volume, WITHOUT_CAPABILITIES } from "./container-options";
import { ContainerScripts } from "./container-scripts";
import { setLog } from "./logging";
import { fromStack } from "./project-path";
import { rejectUnknown } from "./prop-names";
import { rejectWrong } from "./prop-values";
import { terraformId } from "./terraform-id";

/** When snapshots are taken, and where they are stored. */
export interface BackupScheduleProps {
  /** The server whose host runs the container. Snapshots are taken while this server is the leader. */
  readonly server: ConsulServer;
  /** How much time passes between two snapshots. @unit seconds @default 3600 */
  readonly every?: number;
  /** How many snapshots are stored. The oldest one is deleted first. @unit snapshots @default 24 */
  readonly keep?: number;
  /**
   * Where snapshots are stored: a volume's name, or a folder of the host if it begins with a slash.
   * @default the volume <container>-backups
   */
  readonly to?: string;
  /** The image of the container that takes snapshots. It has curl and Consul. @default the server's image */
  readonly image?: string;
  /** The container's address in a bridge network. @default an address that depends on the id alone */
  readonly address?: string;
  /**
   * Folders that Terraform reads for a server with security. Paths are relative to the project, or absolute.
   * @default none
   */
  readonly security?: {
    /** The folder of backups.header, a header for curl with a token that may take snapshots. */
    readonly token: string;
    /** The folder of ca.pem, cert.pem and key.pem, for a server with HTTPS only. */
    readonly certificates: string;
  };
}

const PROPS = [
  "server",
  "every",
  "keep",
  "to",
  "image",
  "address",
  "security",
] as const satisfies (keyof BackupScheduleProps)[];

/** The period is a number here, and text in a cluster file. */
const SCHEMA = backups.pick({ keep: true, to: true, image: true });

/**
 * Takes scheduled snapshots of a cluster. A container on a server's host takes them while that server is the leader.
 * The two containers share only the network, so a replacement of one does not affect the other, and this container
 * needs no pre-stop check. (In Consul Enterprise, `consul snapshot agent` takes scheduled snapshots.)
 * @example
 * ```ts
 * import type { TerraformStack } from "cdktf";
 * import { BackupSchedule, type ConsulServer } from "consul-cdktf";
 *
 * declare const stack: TerraformStack;
 * declare const server: ConsulServer;
 * new BackupSchedule(stack, "backups", { server, every: 6 * 3600, keep: 12, to: "/srv/consul-backups" });
 * ```
 */
export class BackupSchedule extends Construct {
  /** The L1 resource of the container, for options that this construct does not have. */
  readonly container: Container;
  /** The L1 resource of the image. */
  readonly image: Image;

  /**
   * @throws Error if only the server's own container can reach its API
   * @throws Error for a property that does not exist
   * @throws ClusterError for wrong values
   */
  constructor(scope: Construct, id: string, props: BackupScheduleProps) {
    super(scope, id);
    rejectUnknown(this, props, PROPS);
    rejectWrong(this, { keep: props.keep, to: props.to, image: props.image }, SCHEMA);
    const { server } = props;
    const { every, keep, to, image } = resolveBackups(props);
    const { host, containerName, endpoints } = server;
    const { beside } = endpoints;
    if (beside === undefined)
      throw new Error(
        `${this.node.path}: the API of ${server.node.path} cannot be reached from another container; give it a \`clientAddr\` other than loopback`,
      );
    const name = backupsContainer(containerName);

    this.image = image === undefined ? server.image : host.pull(this, "image", image);
    if (image !== undefined) this.image.overrideLogicalId(terraformId(this));
    const secrets = secretFiles(props, beside);
    this.container = new Container(this, "container", {
      provider: host.provider,
      name,
      image: this.image.imageId,
      entrypoint: ["/usr/bin/dumb-init", "/bin/sh", PATHS.backupsScript],
      command: [String(every), String(keep), name],
      env: beside === DEFAULT_HTTP_URL ? undefined : [`${CONTAINER_VARIABLES.httpAddress}=${beside}`],
      restart: "always",
      lifecycle: secrets.length > 0 ? { precondition: [secretsPrecondition(name, secrets)] } : undefined,
      // The script ends at once. A snapshot that it is still writing is not stored yet, so nothing is lost.
      destroyGraceSeconds: 10,
      ...host.networking(id, props.address),
      // The script runs as root, because root owns the volume, and it needs no capability. The container is not read-only,
      // because Docker uploads no file into a read-only container.
      ...WITHOUT_CAPABILITIES,
      labels: labels(server.ownLabels("backups")),
      volumes: [volume(PATHS.backups, to ?? name)],
      upload: [
        ContainerScripts.of(this).upload(PATHS.backupsScript, "backups.sh"),
        ...secrets.map(({ upload }) => upload),
      ],
      healthcheck: healthCheck(PATHS.backupsScript, "health"),
    });
    this.container.overrideLogicalId(terraformId(this));
    setLog(this.container, DEFAULTS.log);
  }
}

const secretsPrecondition = (name: string, secrets: readonly { readonly path: string }[]): Precondition => ({
  condition: `\${path.root != "" && ${secrets.map(({ path }) => `fileexists("${path}")`).join(" && ")}}`,
  errorMessage: `the secrets of ${name} are not there. Make them with \`npm run secrets -- init\`, or bring them where Terraform runs with \`npm run secrets -- import\``,
});

/** A changed secret recreates the container. No service is interrupted. */
function secretFiles(
  { security }: BackupScheduleProps,
  api: string,
): { readonly path: string; readonly upload: Upload }[] {
  if (!security) return [];
  const certificates = api.startsWith("https:") ? [SECRET_FILES.ca, SECRET_FILES.certificate, SECRET_FILES.key] : [];
  const files = [
    [security.token, SECRET_FILES.backupsHeader],
    ...certificates.map((name) => [security.certificates, name]),
  ] as [folder: string, name: string][];
  return files.map(([folder, name]) => {
    const path = fromStack(`${folder}/${name}`);
    const sourceHash = secretsHash({ secrets: folder }, [name]);
    return { path, upload: { file: `${PATHS.secrets}/${name}`, source: path, sourceHash, permissions: "0400" } };
  });
}
