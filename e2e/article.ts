import { DEFAULT_HOSTS } from "./test-bed/world";

/** The article's `consul`, which is no longer published, is this. */
export const ARTICLE_IMAGE = "hashicorp/consul:1.22.7";

const FIRST = "172.16.8.120";

const addressOf = (name: string): string | undefined => DEFAULT_HOSTS.find((host) => host.name === name)?.address;

/**
 * What the article types on one host, after `docker`.
 * @param volume keeps a server's data when its container goes; the article has none
 * @param address of a host that the article has not
 */
export function articleCommand(
  name: string,
  {
    image = ARTICLE_IMAGE,
    volume,
    address = addressOf(name),
  }: { image?: string; volume?: string; address?: string } = {},
): string[] {
  const run = [
    "run",
    "-d",
    `--name=${name}`,
    "--net=host",
    "--restart=always",
    "-h",
    name,
    ...(volume ? keep(volume) : []),
    image,
    "agent",
  ];
  if (name.startsWith("consul-client"))
    return [...run, `-bind=${address}`, `-retry-join=${FIRST}`, `-node=${name}`, "-client", "0.0.0.0", "-ui"];
  return [
    ...run,
    "-server",
    `-bind=${address}`,
    ...(address === FIRST ? [] : [`-join=${FIRST}`]),
    "-bootstrap-expect=2",
    `-node=${name}`,
    `-data-dir=${DATA}`,
    "-client",
    "0.0.0.0",
    "-ui",
  ];
}

const DATA = "/tmp/data-dir";
/** The image's entrypoint gives the folder that the variable names to Consul's user: a new volume is root's. */
const keep = (volume: string) => ["-v", `${volume}:${DATA}`, "-e", `CONSUL_DATA_DIR=${DATA}`];
