import { hasPassword } from "../consul/address";
import { type KeyPath, keyText, type Violation } from "./problem";
import { isStandIn, namesConsulSecret, namesSecret, secretIn } from "./secret-detection";

/** Secrets in the settings of a cluster or an agent. */
export const secretsIn = (settings: object): Violation[] => lookAt(settings, [], false);

/** Whether keys say that what is here, or all that is below, is a secret. */
type Named = false | "here" | "below";

function lookAt(value: unknown, path: KeyPath, named: Named): Violation[] {
  if (typeof value === "string") return judge(value, path, named !== false);
  if (Array.isArray(value)) return value.flatMap((item, index) => lookAt(item, [...path, index], named));
  if (typeof value !== "object" || value === null) return [];
  const header = headerValue(value);
  return Object.entries(value).flatMap(([key, item]) => {
    const here = namesConsulSecret(key) || key === header ? "here" : false;
    return lookAt(item, [...path, key], named === "below" || key === "tokens" ? "below" : here);
  });
}

/** Of `{ name: Authorization, value: ... }`, as headers and variables are often written, the key that holds the secret. */
function headerValue(mapping: object): string | undefined {
  const keyOf = (wanted: string) => Object.keys(mapping).find((key) => key.toLowerCase() === wanted);
  const name = (mapping as Record<string, unknown>)[keyOf("name") ?? ""];
  return typeof name === "string" && namesSecret(name) ? keyOf("value") : undefined;
}

interface Place {
  /** Whether a key alone says that its value is a secret: by Consul's names, or only by those that mean nothing else, and a value that can be one. */
  readonly names?: "consul" | "plain";
  /** Which texts are secrets here beside those that are so everywhere, in words. */
  readonly also?: (text: string) => string | undefined;
  readonly hint: string;
}

const BY_FILE =
  "remove it here; a secret reaches an agent only as a file: what `security: on` makes, or one in the agent's data folder, with `flags: [-config-file=/consul/data/...]`";
const BY_ITSELF = "remove it here; what needs a secret to be looked at reports by itself, to a check by `ttl`";
const SECRET_FLAG = /^-(-?encrypt\b|.*(secret|password|token|access_key)[a-z_]*=)/is;
const secretFlag = (text: string): string | undefined => (SECRET_FLAG.test(text) ? "a secret" : undefined);

/** By the key of the cluster file that a text is below. */
const PLACES: Readonly<Record<string, Place>> = {
  config: { names: "consul", hint: BY_FILE },
  flags: { also: secretFlag, hint: BY_FILE },
  services: { names: "consul", hint: BY_ITSELF },
  checks: { names: "consul", hint: BY_ITSELF },
  kv: {
    names: "consul",
    hint: "remove it here, and write it by hand: `consul kv put KEY @FILE`; a deploy leaves keys alone that it does not know",
  },
  config_entries: {
    names: "consul",
    hint: "remove it here, and write the entry by hand: `consul config write FILE`; a deploy leaves entries alone that it does not know",
  },
  labels: {
    names: "plain",
    hint: "remove it here; whatever reads the label has to find the secret in a file on the host",
  },
  log: {
    names: "plain",
    hint: "remove it here, and set it in the daemon's own log configuration: `log-opts` in /etc/docker/daemon.json on the host",
  },
  registrator: { also: secretFlag, hint: "remove it here" },
  registries: {
    also: (text) => (text.includes("@") ? "credentials" : undefined),
    hint: "write the registry alone, as host[:port], and log in where Terraform runs: `docker login`",
  },
  daemon: {
    also: (text) => (hasPassword(text) ? "a URL with a password" : undefined),
    hint: "remove the password: use an SSH key (ssh-agent), or TLS certificates",
  },
};
const ELSEWHERE: Place = { hint: "remove it here" };

function judge(text: string, path: KeyPath, named: boolean): Violation[] {
  // Agents and hosts have settings of their own, which are what they are for the whole cluster.
  const keys = ["servers", "clients", "hosts"].includes(String(path[0])) && path.length > 2 ? path.slice(2) : path;
  const place = PLACES[String(keys[0])] ?? ELSEWHERE;
  const byName = named && isMeant(place, text, keys) ? "" : undefined;
  const what = byName ?? place.also?.(text) ?? secretIn(text);
  if (what === undefined) return [];
  const message = `${keyText(keys)} ${what === "" ? "is a secret" : `holds ${what}`}, and would end in the synthesized JSON and in the state`;
  return [{ code: "secret-in-config", path, message, hint: place.hint }];
}

/** Labels and the options of log drivers are anybody's, so that a key says less there. */
function isMeant({ names }: Place, text: string, keys: KeyPath): boolean {
  return names === "consul" || (names === "plain" && namesSecret(String(keys.at(-1))) && !isStandIn(text));
}
