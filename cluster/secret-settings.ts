import { hasPassword } from "../consul/address";
import { isPlaceholder, namesConsulSecret, namesSecret, secretIn } from "../consul/secret-detection";
import { type KeyPath, keyText, type Violation } from "./problem";

/** Secrets in the settings of a cluster or an agent. */
export const secretsIn = (settings: object): Violation[] => secretsBelow(settings, [], false);

/** Whether the keys above say that this value, or every value below, is a secret. */
type Named = false | "here" | "below";

function secretsBelow(value: unknown, path: KeyPath, named: Named): Violation[] {
  if (typeof value === "string") return judge(value, path, named !== false);
  if (Array.isArray(value)) return value.flatMap((item, index) => secretsBelow(item, [...path, index], named));
  if (typeof value !== "object" || value === null) return [];
  const header = headerValue(value);
  return Object.entries(value).flatMap(([key, item]) => {
    const here = namesConsulSecret(key) || key === header ? "here" : false;
    return secretsBelow(item, [...path, key], named === "below" || key === "tokens" ? "below" : here);
  });
}

/** The key of the secret in `{ name: Authorization, value: ... }`, a common notation of headers and variables. */
function headerValue(mapping: object): string | undefined {
  const keyOf = (wanted: string) => Object.keys(mapping).find((key) => key.toLowerCase() === wanted);
  const name = (mapping as Record<string, unknown>)[keyOf("name") ?? ""];
  return typeof name === "string" && namesSecret(name) ? keyOf("value") : undefined;
}

interface SectionRule {
  /**
   * Whether a key suffices to identify a secret: by all of Consul's names, or by unambiguous names with a value that is
   * no placeholder.
   */
  readonly names?: "consul" | "plain";
  /** Recognizes further kinds of secrets in this section. */
  readonly also?: (text: string) => string | undefined;
  readonly hint: string;
}

const BY_FILE =
  "remove it here; a secret reaches an agent only as a file: what `security: on` makes, or one in the agent's data folder, with `flags: [-config-file=/consul/data/...]`";
const BY_ITSELF =
  "remove it here; a service whose check needs a secret can report its status itself, to a check with `ttl`";
const SECRET_FLAG = /^-(-?encrypt\b|.*(secret|password|token|access_key)[a-z_]*=)/is;
const secretFlag = (text: string): string | undefined => (SECRET_FLAG.test(text) ? "a secret" : undefined);

/** By the section of the cluster file. */
const SECTIONS: Readonly<Record<string, SectionRule>> = {
  config: { names: "consul", hint: BY_FILE },
  flags: { also: secretFlag, hint: BY_FILE },
  services: { names: "consul", hint: BY_ITSELF },
  checks: { names: "consul", hint: BY_ITSELF },
  kv: {
    names: "consul",
    hint: "remove it here, and write it by hand: `consul kv put KEY @FILE`; a deploy does not change keys that the file does not have",
  },
  config_entries: {
    names: "consul",
    hint: "remove it here, and write the entry by hand: `consul config write FILE`; a deploy does not change entries that the file does not have",
  },
  labels: {
    names: "plain",
    hint: "remove it here; a program that reads the label can read the secret from a file on the host",
  },
  log: {
    names: "plain",
    hint: "remove it here, and set it in the daemon's own log configuration: `log-opts` in /etc/docker/daemon.json on the host",
  },
  registrator: { also: secretFlag, hint: "remove it here" },
  registries: {
    also: (text) => (text.includes("@") ? "credentials" : undefined),
    hint: "write the registry alone, as host[:port], and run `docker login` where Terraform runs",
  },
  daemon: {
    also: (text) => (hasPassword(text) ? "a URL with a password" : undefined),
    hint: "remove the password: use an SSH key (ssh-agent), or TLS certificates",
  },
};
const ELSEWHERE: SectionRule = { hint: "remove it here" };

function judge(text: string, path: KeyPath, named: boolean): Violation[] {
  // Agents and hosts have the cluster's settings in mappings of their own.
  const keys = ["servers", "clients", "hosts"].includes(String(path[0])) && path.length > 2 ? path.slice(2) : path;
  const rule = SECTIONS[String(keys[0])] ?? ELSEWHERE;
  const byName = named && isSecretByKey(rule, text, keys) ? "" : undefined;
  const what = byName ?? rule.also?.(text) ?? secretIn(text);
  if (what === undefined) return [];
  const message = `${keyText(keys)} ${what === "" ? "is a secret" : `holds ${what}`}, and would end up in the synthesized JSON and in the Terraform state`;
  return [{ code: "secret-in-config", path, message, hint: rule.hint }];
}

/** Keys of labels and of log drivers' options are free, so a key alone proves less there. */
function isSecretByKey({ names }: SectionRule, text: string, keys: KeyPath): boolean {
  return names === "consul" || (names === "plain" && namesSecret(String(keys.at(-1))) && !isPlaceholder(text));
}
