import { DEFAULT_HOSTS } from "../e2e/rig/world";

/** The article's `consul`, which is no longer published, is this. */
export const ARTICLE_IMAGE = "hashicorp/consul:1.22.2";

const FIRST = "172.16.8.120";

/** What the article types on one host, after `docker`. */
export function articleCommand(name: string): string[] {
  const address = DEFAULT_HOSTS.find((host) => host.name === name)?.address;
  const run = ["run", "-d", `--name=${name}`, "--net=host", "--restart=always", "-h", name, ARTICLE_IMAGE, "agent"];
  if (name.startsWith("consul-client")) return [...run, `-bind=${address}`, `-retry-join=${FIRST}`, `-node=${name}`, "-client", "0.0.0.0", "-ui"];
  return [
    ...run,
    "-server",
    `-bind=${address}`,
    ...(address === FIRST ? [] : [`-join=${FIRST}`]),
    "-bootstrap-expect=2",
    `-node=${name}`,
    "-data-dir=/tmp/data-dir",
    "-client",
    "0.0.0.0",
    "-ui",
  ];
}
