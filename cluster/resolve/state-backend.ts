import { hasPassword } from "../../consul/address";
import { secretIn } from "../../consul/secret-detection";
import type { BackendEntry } from "../file/schema";
import { type KeyPath, keyText, type Violation } from "../problem";
import { DEFAULTS } from "./defaults";

export type BackendType = keyof BackendEntry;

/** What is known here of Terraform's backends. Their arguments are Terraform's own, and are passed on. */
interface Backend {
  /**
   * The arguments that make the Terraform state of one stack another than that of the next: one of them has to contain
   * `{stack}`. The first has a default, unless another one of them does.
   */
  readonly identity: readonly (readonly string[])[];
  readonly default?: string;
  /**
   * Its secret arguments, with the environment variables from which Terraform reads them. So they are not in the
   * synthesized JSON.
   */
  readonly secrets: Readonly<Record<string, string>>;
}

export const BACKENDS: Readonly<Record<BackendType, Backend>> = {
  local: { identity: [["path"]], default: DEFAULTS.backend.local, secrets: {} },
  s3: {
    identity: [["key"]],
    default: DEFAULTS.backend.s3,
    secrets: {
      access_key: "AWS_ACCESS_KEY_ID",
      secret_key: "AWS_SECRET_ACCESS_KEY",
      token: "AWS_SESSION_TOKEN",
      sse_customer_key: "AWS_SSE_CUSTOMER_KEY",
      web_identity_token: "AWS_WEB_IDENTITY_TOKEN_FILE, which names a file",
    },
  },
  http: {
    identity: [["address"]],
    secrets: { password: "TF_HTTP_PASSWORD", client_private_key_pem: "TF_HTTP_CLIENT_PRIVATE_KEY_PEM" },
  },
  pg: { identity: [["schema_name"]], default: DEFAULTS.backend.pg, secrets: { conn_str: "PG_CONN_STR" } },
  cloud: {
    identity: [["workspaces", "name"]],
    default: DEFAULTS.backend.cloud,
    secrets: { token: "TF_TOKEN_<host>, as TF_TOKEN_app_terraform_io" },
  },
  gcs: {
    identity: [["prefix"]],
    default: DEFAULTS.backend.gcs,
    secrets: {
      credentials: "GOOGLE_BACKEND_CREDENTIALS",
      access_token: "GOOGLE_OAUTH_ACCESS_TOKEN",
      encryption_key: "GOOGLE_ENCRYPTION_KEY",
    },
  },
  azurerm: {
    identity: [["key"]],
    default: DEFAULTS.backend.azurerm,
    secrets: {
      access_key: "ARM_ACCESS_KEY",
      sas_token: "ARM_SAS_TOKEN",
      client_secret: "ARM_CLIENT_SECRET",
      client_certificate: "ARM_CLIENT_CERTIFICATE",
      client_certificate_password: "ARM_CLIENT_CERTIFICATE_PASSWORD",
      oidc_token: "ARM_OIDC_TOKEN",
      oidc_request_token: "ARM_OIDC_REQUEST_TOKEN",
      customer_provided_key: "ARM_CUSTOMER_PROVIDED_KEY",
    },
  },
  oss: {
    identity: [["prefix"], ["key"]],
    default: DEFAULTS.backend.oss,
    secrets: {
      access_key: "ALICLOUD_ACCESS_KEY",
      secret_key: "ALICLOUD_SECRET_KEY",
      security_token: "ALICLOUD_SECURITY_TOKEN",
    },
  },
  cos: {
    identity: [["prefix"], ["key"]],
    default: DEFAULTS.backend.cos,
    secrets: {
      secret_id: "TENCENTCLOUD_SECRET_ID",
      secret_key: "TENCENTCLOUD_SECRET_KEY",
      security_token: "TENCENTCLOUD_SECURITY_TOKEN",
    },
  },
  kubernetes: {
    identity: [["secret_suffix"]],
    default: DEFAULTS.backend.kubernetes,
    secrets: { password: "KUBE_PASSWORD", token: "KUBE_TOKEN", client_key: "KUBE_CLIENT_KEY_DATA" },
  },
};

type Arguments = Record<string, unknown>;

export const backendTypeOf = (entry: BackendEntry | undefined): BackendType =>
  (Object.keys(entry ?? {})[0] as BackendType | undefined) ?? "local";

/** One stack's backend: its type, and its arguments by Terraform's names, with `{stack}` replaced. */
export function backendOf(entry: BackendEntry | undefined, stack: string): { type: BackendType; arguments: Arguments } {
  const [type, given] = (Object.entries(entry ?? {})[0] ?? ["local", {}]) as [BackendType, Arguments];
  return { type, arguments: withStack(withDefault(type, given), stack) as Arguments };
}

const STACK = "{stack}";

const valueAt = (args: Arguments, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Arguments | undefined)?.[key], args);

/** The arguments with the default of the one that distinguishes the stacks' states. */
function withDefault(type: BackendType, given: Arguments): Arguments {
  const { identity, default: byDefault } = BACKENDS[type];
  const [first = [], ...others] = identity;
  const distinct = others.some((path) => String(valueAt(given, path)).includes(STACK));
  return distinct ? given : fill(given, first, byDefault);
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
        hint: `use one of ${Object.keys(BACKENDS).join(", ")}`,
      },
    ];
  }
  const given = entry[type] as Arguments;
  const secrets = secretsIn(given, ["backend", type], BACKENDS[type].secrets);
  const { identity } = BACKENDS[type];
  const complete = withDefault(type, given);
  if (stacks.length < 2 || identity.some((path) => String(valueAt(complete, path)).includes(STACK))) return secrets;
  const shared: Violation = {
    code: "shared-state",
    path: ["backend", type, ...(identity[0] ?? [])],
    message: `stacks ${stacks.join(", ")} would share one Terraform state, and each would destroy the resources of the others`,
    hint: "add {stack}, which stands for the stack's name",
  };
  return [...secrets, shared];
}

function secretsIn(value: unknown, path: KeyPath, known: Backend["secrets"]): Violation[] {
  const key = String(path.at(-1));
  const name = keyText(path.slice(1));
  if (path.length > 2 && Object.hasOwn(known, key)) {
    return [
      {
        code: "secret-in-config",
        path,
        message: `${name} is a secret, and would be in the synthesized JSON`,
        hint: `set it in the environment where Terraform runs: ${known[key]}`,
      },
    ];
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, item]) =>
      secretsIn(item, [...path, Array.isArray(value) ? Number(key) : key], known),
    );
  }
  const what = typeof value !== "string" ? undefined : hasPassword(value) ? "a URL with a password" : secretIn(value);
  if (what === undefined) return [];
  return [
    {
      code: "secret-in-config",
      path,
      message: `${name} holds ${what}, which would be in the synthesized JSON`,
      hint: `remove it there, and set it in the environment where Terraform runs: ${Object.values(known).join(", ") || "a variable of the backend"}`,
    },
  ];
}

function fill(args: Arguments, [key, ...rest]: readonly string[], value: string | undefined): Arguments {
  if (key === undefined || value === undefined) return args;
  if (rest.length > 0) return { ...args, [key]: fill((args[key] ?? {}) as Arguments, rest, value) };
  return { ...args, [key]: args[key] ?? value };
}

function withStack(value: unknown, stack: string): unknown {
  if (typeof value === "string") return value.replaceAll(STACK, stack);
  if (Array.isArray(value)) return value.map((item) => withStack(item, stack));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withStack(item, stack)]));
  return value;
}
