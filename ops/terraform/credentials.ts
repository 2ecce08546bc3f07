import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** What Terraform's own configuration has about a host. */
export interface HostConfiguration {
  /** The API token. */
  readonly token?: string;
  /** The URL of HCP Terraform's API, from a `host` block, which replaces the host's own discovery. */
  readonly api?: string;
}

/**
 * Reads what Terraform would use for a host: `TF_TOKEN_<host>`, then the files of its CLI configuration.
 * @param host a host name, with its port if that is not 443
 */
export function hostConfiguration(host: string, env: NodeJS.ProcessEnv = process.env): HostConfiguration {
  const texts = configurationFiles(env).map((file) => readFileSync(file, "utf8"));
  const first = <Value>(find: (text: string) => Value | undefined) =>
    texts.map(find).find((value) => value !== undefined);
  return {
    token: tokenInEnvironment(host, env) ?? first((text) => tokenIn(text, host)),
    api: first((text) => apiIn(text, host)),
  };
}

/** The variable of a host's token: dots are underscores, and hyphens are two. */
export const tokenVariable = (host: string): string => `TF_TOKEN_${host.replaceAll("-", "__").replaceAll(".", "_")}`;

/** Terraform ignores case here, and accepts a hyphen and a dot as they are. */
function tokenInEnvironment(host: string, env: NodeJS.ProcessEnv): string | undefined {
  const wanted = host.toLowerCase();
  const found = Object.entries(env).find(([name]) => {
    const [, rest] = /^TF_TOKEN_(.+)$/.exec(name) ?? [];
    return rest?.replaceAll("__", "-").replaceAll("_", ".").toLowerCase() === wanted;
  });
  return found?.[1] || undefined;
}

/** A file that a variable names replaces all others. */
function configurationFiles(env: NodeJS.ProcessEnv): string[] {
  const named = env.TF_CLI_CONFIG_FILE || env.TERRAFORM_CONFIG;
  if (named) return [resolve(named)].filter(existsSync);
  const home = env.HOME || homedir();
  const folder = join(home, ".terraform.d");
  const inFolder = existsSync(folder) ? readdirSync(folder).filter((name) => /\.tfrc(\.json)?$/.test(name)) : [];
  const own = [".terraformrc", ".tofurc"].map((name) => join(home, name));
  return [...own, ...inFolder.sort().map((name) => join(folder, name))].filter(existsSync);
}

interface JsonConfiguration {
  readonly credentials?: Readonly<Record<string, { readonly token?: string }>>;
  readonly host?: Readonly<Record<string, { readonly services?: Readonly<Record<string, unknown>> }>>;
}

function tokenIn(text: string, host: string): string | undefined {
  const json = asJson(text);
  if (json) return json.credentials?.[host]?.token;
  return quotedIn(blockIn(text, "credentials", host), /\btoken\s*=\s*/);
}

function apiIn(text: string, host: string): string | undefined {
  const json = asJson(text);
  if (json) {
    const api = json.host?.[host]?.services?.["tfe.v2"];
    return typeof api === "string" ? api : undefined;
  }
  return quotedIn(blockIn(text, "host", host), /"tfe\.v2"\s*[=:]\s*/);
}

function asJson(text: string): JsonConfiguration | undefined {
  try {
    return JSON.parse(text) as JsonConfiguration;
  } catch {
    return undefined;
  }
}

/** The text of an HCL block with a label, up to its closing brace. */
function blockIn(text: string, type: string, label: string): string {
  const lines = text.split("\n").filter((line) => !/^\s*(#|\/\/)/.test(line));
  const begin = new RegExp(`(?:^|\\s)${type}\\s+"${label.replace(/[.:]/g, "\\$&")}"\\s*\\{`, "i");
  const rest = lines.join("\n");
  const found = begin.exec(rest);
  if (!found) return "";
  let depth = 1;
  let at = found.index + found[0].length;
  for (const start = at; ; at++) {
    if (rest[at] === "{") depth++;
    if (rest[at] === "}") depth--;
    if (depth === 0 || at >= rest.length) return rest.slice(start, at);
  }
}

function quotedIn(block: string, before: RegExp): string | undefined {
  const [, value] = new RegExp(`${before.source}"([^"]*)"`).exec(block) ?? [];
  return value || undefined;
}
