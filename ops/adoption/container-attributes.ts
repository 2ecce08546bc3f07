import type { Container, ImageConfig } from "../docker/container";
import { sha256 } from "../sha256";
import type { Values } from "../terraform/plan";

/** What a host shows of a container. */
export interface ContainerFacts {
  readonly container: Container;
  /** What its image gives to each container. */
  readonly image: ImageConfig;
  /** The texts of uploaded files, by their paths in the container. Missing files have none. */
  readonly files: ReadonlyMap<string, string>;
}

/** An uploaded file in the Terraform state. */
export interface UploadedFile {
  readonly file: string;
  readonly content?: string;
  readonly source_hash?: string;
}

/**
 * The attributes of a container for the Terraform state, as if Terraform had created the container. The provider reads most
 * of them from the daemon in every plan. The others it never reads: they are here as the container has them. So a plan
 * replaces the container if it differs from the file, and only then.
 * @param planned what the plan would create. It also has what only the provider uses, such as the grace period of a stop
 */
export function containerAttributes(planned: Values, { container, image, files }: ContainerFacts): Values {
  const { Config, HostConfig } = container;
  return {
    ...planned,
    id: container.Id,
    image: container.Image,
    env: (Config.Env ?? []).filter((entry) => list<string>(planned.env).includes(entry) || !image.Env?.includes(entry)),
    labels: labelsOf(list<Label>(planned.labels), Config.Labels ?? {}, image.Labels ?? {}),
    log_opts: HostConfig.LogConfig?.Config ?? {},
    volumes: (HostConfig.Binds ?? []).map((bind) => volumeOf(list<Volume>(planned.volumes), bind)),
    networks_advanced: networksOf(list<Network>(planned.networks_advanced), container),
    upload: uploadsOf(list<UploadedFile>(planned.upload), files),
  };
}

const list = <Item>(value: unknown): readonly Item[] => (value as readonly Item[] | null | undefined) ?? [];

/** Files of uploads that are compared. The others are secrets, which a step of the deploy compares and delivers. */
export const comparedFiles = (planned: Values): string[] =>
  list<UploadedFile>(planned.upload)
    .filter(({ content, source_hash: hash }) => content || hash)
    .map(({ file }) => file);

interface Label {
  readonly label: string;
  readonly value: string;
}

function labelsOf(
  planned: readonly Label[],
  actual: Readonly<Record<string, string>>,
  ofImage: Readonly<Record<string, string>>,
): Label[] {
  const isPlanned = (label: string) => planned.some((each) => each.label === label);
  return Object.entries(actual)
    .filter(([label, value]) => isPlanned(label) || ofImage[label] !== value)
    .map(([label, value]) => ({ label, value }));
}

interface Volume {
  readonly container_path: string;
  readonly volume_name: string;
  readonly host_path: string;
}

function volumeOf(planned: readonly Volume[], bind: string): Volume {
  const [source = "", target = "", mode = ""] = bind.split(":");
  const known = planned.find(
    ({ container_path: path, volume_name: volume, host_path: folder }) =>
      path === target && (volume || folder.replace(/\/+$/, "")) === source,
  );
  const isFolder = source.startsWith("/");
  const actual = {
    container_path: target,
    from_container: "",
    host_path: isFolder ? source : "",
    read_only: mode.split(",").includes("ro") || null,
    selinux_relabel: "",
    volume_name: isFolder ? "" : source,
  };
  return known ?? actual;
}

interface Network {
  readonly name: string;
  readonly ipv4_address: string;
}

function networksOf(planned: readonly Network[], { NetworkSettings }: Container): Network[] {
  return planned.flatMap((network) => {
    const joined = NetworkSettings?.Networks?.[network.name];
    return joined ? [{ ...network, ipv4_address: joined.IPAMConfig?.IPv4Address ?? "" }] : [];
  });
}

function uploadsOf(planned: readonly UploadedFile[], files: ReadonlyMap<string, string>): UploadedFile[] {
  return planned.flatMap((upload) => {
    const { file, content, source_hash: hash } = upload;
    if (!content && !hash) return [upload];
    const actual = files.get(file);
    if (actual === undefined) return [];
    if (content) return [{ ...upload, content: actual }];
    const actualHash = sha256(actual);
    // The hash of a secret is that of its hash: see secretsHash in constructs/agent-security.ts.
    const isSame = hash === actualHash || hash === sha256(actualHash);
    return [isSame ? upload : { ...upload, source_hash: actualHash }];
  });
}
