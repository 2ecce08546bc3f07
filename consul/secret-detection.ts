/** Recognizes secrets, by their key or by their own format. */

/**
 * Keys of secrets end with these words. Keys of paths (`key_file`) and switches (`enable_token_replication`) do not.
 */
const SECRET_WORD =
  /(^|_)(token|secret|secret_id|secret_key|password|passwd|passphrase|private_key|api_?key|access_key|auth_?token|authorization)$/i;
/** Consul's keys of secrets also end with these. Elsewhere they are often names of methods. */
const CONSUL_WORD = /(^|_)(encrypt|credentials)$/i;

/**
 * Words of a key are separated by hyphens in headers, slashes in the KV store, dots in labels, and capitals in the HTTP
 * API.
 */
const inWords = (key: string): string => key.replace(/([a-z\d])([A-Z])/g, "$1_$2").replace(/[-/.]/g, "_");

export const namesSecret = (key: string): boolean => SECRET_WORD.test(inWords(key));
export const namesConsulSecret = (key: string): boolean => namesSecret(key) || CONSUL_WORD.test(inWords(key));

/**
 * Values that are no secrets: switches, and placeholders such as `${DB_PASSWORD}`, `{{ password }}`, `<password>`,
 * `***`.
 */
const PLACEHOLDER = /^(|true|false|yes|no|on|off|none|\*+|\$\w+|\$[{(].*|\{\{.*|<.*>|%\w+%)$/is;
export const isPlaceholder = (text: string): boolean => PLACEHOLDER.test(text);

const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY[\s\S]*?(?:-----END[^-]*-----|$)/g;
/** scheme://user:password@ */
const URL_PASSWORD = /(?<=\w:\/\/[^\s/?#:@]*:)([^\s/?#]+)(?=@)/g;
const QUERY = /(?<=[?&])([\w.-]+)=([^&#\s"']+)/g;
/** In flags, and in go-discover's strings (`provider=aws secret_access_key=...`). */
const ASSIGNMENT = /(?<=^|[\s"'=])-{0,2}([a-z][\w-]*)=([^\s"']+)/gi;
const HEADER = /(authorization)["']?\s*[:=]\s*["']?(?:basic|bearer|token)\s+([^\s"']+)/gi;

/** The kind of secret that a text certainly contains; undefined if there is none. */
export function secretIn(text: string): string | undefined {
  if (text.search(PRIVATE_KEY) >= 0) return "a private key";
  if (text.match(URL_PASSWORD)?.some((password) => !isPlaceholder(password))) return "a URL with a password";
  if (text.includes("://") && assigns(text, QUERY)) return "a URL with a secret in its query";
  if (/^--?[a-z]|\bprovider=/i.test(text) && assigns(text, ASSIGNMENT)) return "a secret";
  return assigns(text, HEADER) ? "credentials" : undefined;
}

const assigns = (text: string, form: RegExp): boolean =>
  [...text.matchAll(form)].some(([, name = "", value = ""]) => namesSecret(name) && !isPlaceholder(value));

const MASK = "***";

/** Replaces secrets in a text that is printed, as far as their format shows them. */
export function masked(text: string): string {
  const known = text.replace(PRIVATE_KEY, MASK).replace(URL_PASSWORD, MASK);
  return [QUERY, ASSIGNMENT, HEADER].reduce(
    (rest, form) =>
      rest.replace(form, (all: string, name: string, value: string) =>
        namesConsulSecret(name) ? all.slice(0, -value.length) + MASK : all,
      ),
    known,
  );
}
