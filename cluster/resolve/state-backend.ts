import { hasPassword } from "../../consul/address";
import { secretIn } from "../../consul/secret-detection";
import type { BackendEntry } from "../file/schema";
import { type KeyPath, keyText, type Violation } from "../problem";
import { DEFAULTS } from "./defaults";

export type BackendType = keyof BackendEntry;

/** The arguments that must differ between the Terraform states of two stacks, with their defaults. */
const IDENTITY: Record<BackendType, readonly { path: readonly string[]; default?: string }[]> = {
  local: [{ path: ["path"], default: DEFAULTS.backend.local }],
  s3: [{ path: ["key"], default: DEFAULTS.backend.s3 }],
  http: [{ path: ["address"] }],
  pg: [{ path: ["schema_name"], default: DEFAULTS.backend.pg }],
  cloud: [{ path: ["workspaces", "name"], default: DEFAULTS.backend.cloud }],
};

/**
 * Secret arguments, with the environment variables from which Terraform reads them. So they are not in the synthesized
 * JSON.
 */
const SECRET_ARGUMENTS: Record<string, string> = {
  access_key: "AWS_ACCESS_KEY_ID",
  secret_key: "AWS_SECRET_ACCESS_KEY",
  token: "AWS_SESSION_TOKEN, or TF_TOKEN_<host> for cloud",
  password: "TF_HTTP_PASSWORD",
  conn_str: "PG_CONN_STR",
  sse_customer_key: "AWS_SSE_CUSTOMER_KEY",
  web_identity_token: "AWS_WEB_IDENTITY_TOKEN_FILE, which names a file",
  client_private_key_pem: "TF_HTTP_CLIENT_PRIVATE_KEY_PEM",
};

type Arguments = Record<string, unknown>;

export const backendTypeOf = (entry: BackendEntry | undefined): BackendType =>
  (Object.keys(entry ?? {})[0] as BackendType | undefined) ?? "local";

/** One stack's backend: its type, and its arguments by Terraform's names, with `{stack}` replaced. */
export function backendOf(entry: BackendEntry | undefined, stack: string): { type: BackendType; arguments: Arguments } {
  const [type, given] = (Object.entries(entry ?? {})[0] ?? ["local", {}]) as [BackendType, Arguments];
  const withDefaults = IDENTITY[type].reduce((args, identity) => fill(args, identity.path, identity.default), given);
  return { type, arguments: withStack(withDefaults, stack) as Arguments };
}

export function backendProblems(entry: BackendEntry | undefined, stacks: readonly string[]): Violation[] {
  if (!entry) return [];
  const types = Object.keys(entry) as BackendType[];
  const type = types[0];
  if (type === undefined || types.length > 1) {
    return [
      {
        code: "invalid-value",
        path: ["backend"],
        message: `${types.length === 0 ? "no backend" : `${types.length} backends`} instead of one`,
        hint: `use one of ${Object.keys(IDENTITY).join(", ")}`,
      },
    ];
  }
  const given = entry[type] as Arguments;
  const secrets = secretsIn(given, ["backend", type]);
  const shared = IDENTITY[type].flatMap(({ path, default: byDefault }): Violation[] => {
    const value = path.reduce<unknown>((at, key) => (at as Arguments | undefined)?.[key], given) ?? byDefault;
    if (stacks.length < 2 || String(value).includes("{stack}")) return [];
    const at: KeyPath = ["backend", type, ...path];
    return [
      {
        code: "shared-state",
        path: at,
        message: `stacks ${stacks.join(", ")} would share one Terraform state, and each would destroy the resources of the others`,
        hint: "add {stack}, which stands for the stack's name",
      },
    ];
  });
  return [...secrets, ...shared];
}

function secretsIn(value: unknown, path: KeyPath): Violation[] {
  const key = String(path.at(-1));
  const name = keyText(path.slice(1));
  if (path.length > 2 && Object.hasOwn(SECRET_ARGUMENTS, key)) {
    return [
      {
        code: "secret-in-config",
        path,
        message: `${name} is a secret, and would be in the synthesized JSON`,
        hint: `set it in the environment where Terraform runs: ${SECRET_ARGUMENTS[key]}`,
      },
    ];
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, item]) =>
      secretsIn(item, [...path, Array.isArray(value) ? Number(key) : key]),
    );
  }
  const what = typeof value !== "string" ? undefined : hasPassword(value) ? "a URL with a password" : secretIn(value);
  if (what === undefined) return [];
  return [
    {
      code: "secret-in-config",
      path,
      message: `${name} holds ${what}, which would be in the synthesized JSON`,
      hint: "remove it there, and set it in the environment where Terraform runs, as TF_HTTP_USERNAME and TF_HTTP_PASSWORD",
    },
  ];
}

function fill(args: Arguments, [key, ...rest]: readonly string[], value: string | undefined): Arguments {
  if (key === undefined || value === undefined) return args;
  if (rest.length > 0) return { ...args, [key]: fill((args[key] ?? {}) as Arguments, rest, value) };
  return { ...args, [key]: args[key] ?? value };
}

function withStack(value: unknown, stack: string): unknown {
  if (typeof value === "string") return value.replaceAll("{stack}", stack);
  if (Array.isArray(value)) return value.map((item) => withStack(item, stack));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withStack(item, stack)]));
  return value;
}
