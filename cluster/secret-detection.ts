/** How a secret is known: by the key that it stands under, or by what it looks like itself. */

/** Keys of secrets end in these words; paths (`key_file`) and switches (`enable_token_replication`) do not. */
const SECRET_WORD =
  /(^|_)(token|secret|secret_id|secret_key|password|passwd|passphrase|private_key|api_?key|access_key|auth_?token|authorization)$/i;
/** In Consul's own keys so do these, which elsewhere are as often the name of a method. */
const CONSUL_WORD = /(^|_)(encrypt|credentials)$/i;

/** The words of a key are set apart by hyphens in headers, by slashes in the KV store, by dots in labels, by capitals in the HTTP API. */
const inWords = (key: string): string => key.replace(/([a-z\d])([A-Z])/g, "$1_$2").replace(/[-/.]/g, "_");

export const namesSecret = (key: string): boolean => SECRET_WORD.test(inWords(key));
export const namesConsulSecret = (key: string): boolean => namesSecret(key) || CONSUL_WORD.test(inWords(key));

/** Says whether there is a secret, or where it is to be put in later: `true`, `${DB_PASSWORD}`, `{{ password }}`, `<password>`, `***`. */
const STAND_IN = /^(|true|false|yes|no|on|off|none|\*+|\$\w+|\$[{(].*|\{\{.*|<.*>|%\w+%)$/is;
export const isStandIn = (text: string): boolean => STAND_IN.test(text);

const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY[\s\S]*?(?:-----END[^-]*-----|$)/g;
/** scheme://user:password@ */
const URL_PASSWORD = /(?<=\w:\/\/[^\s/?#:@]*:)([^\s/?#]+)(?=@)/g;
const QUERY = /(?<=[?&])([\w.-]+)=([^&#\s"']+)/g;
/** As flags, and go-discover's strings (`provider=aws secret_access_key=...`), have it. */
const ASSIGNMENT = /(?<=^|[\s"'=])-{0,2}([a-z][\w-]*)=([^\s"']+)/gi;
const HEADER = /(authorization)["']?\s*[:=]\s*["']?(?:basic|bearer|token)\s+([^\s"']+)/gi;

/** What in a text is surely a secret, in words; undefined for any other. */
export function secretIn(text: string): string | undefined {
  if (text.search(PRIVATE_KEY) >= 0) return "a private key";
  if (text.match(URL_PASSWORD)?.some((password) => !isStandIn(password))) return "a URL with a password";
  if (text.includes("://") && assigns(text, QUERY)) return "a URL with a secret in its query";
  if (/^--?[a-z]|\bprovider=/i.test(text) && assigns(text, ASSIGNMENT)) return "a secret";
  return assigns(text, HEADER) ? "credentials" : undefined;
}

const assigns = (text: string, form: RegExp): boolean =>
  [...text.matchAll(form)].some(([, name = "", value = ""]) => namesSecret(name) && !isStandIn(value));

const MASK = "***";

/** A text that is printed, without the secrets that are known by their form. */
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
