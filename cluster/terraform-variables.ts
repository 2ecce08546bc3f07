import { hintLine } from "./problem";
import type { BackendType } from "./resolve/state-backend";

/** A value of a variable that no command starts Terraform with. */
export interface Refusal {
  /** What would go wrong. */
  readonly reason: string;
  /** What to do instead. */
  readonly hint: string;
}

/** A variable that Terraform reads, and what the commands do about it: all of them the same. */
export interface TerraformVariable {
  /** Its name; a `*` at its end stands for any end. */
  readonly name: string;
  /** What the commands do about it, and why, for the documentation. */
  readonly about: string;
  /** The value that every command sets. @default the operator's */
  readonly fixed?: string;
  /** No Terraform gets it. */
  readonly removed?: true;
  /** Its value is a path. Terraform would read a relative one from the stack's folder. */
  readonly path?: true;
  /** Why a value is rejected; undefined if it is honoured. @default every value is honoured */
  readonly refuse?: (value: string, backend: BackendType | undefined, env: NodeJS.ProcessEnv) => Refusal | undefined;
  /** It would make Terraform read and write another state. A synth refuses it too, for `cdktf deploy`. */
  readonly redirectsState?: true;
}

/** Options that change neither what is planned nor where its state is. */
const HARMLESS = ["lock-timeout", "compact-warnings", "no-color", "input", "parallelism"];
/** Options of `init` that replace the backend, or move states between backends. */
const OTHER_BACKEND = ["reconfigure", "migrate-state", "force-copy", "backend", "from-module"];

/**
 * Every variable that Terraform reads. A variable that redirects it is rejected, because a Terraform state that only some
 * commands find makes the others create the cluster again.
 */
export const TERRAFORM_VARIABLES: readonly TerraformVariable[] = [
  {
    name: "TF_WORKSPACE",
    about:
      "rejected: another workspace is another Terraform state of the same containers. With the `local` backend it would be in `cdktf.out`, which is deleted",
    redirectsState: true,
    refuse: (value) =>
      value === "default"
        ? undefined
        : {
            reason:
              "another workspace is another Terraform state of the same containers, which a deploy would create again",
            hint: "unset it; a second cluster is a cluster file with another `name`",
          },
  },
  {
    name: "TF_DATA_DIR",
    about: "rejected: stacks would share one data folder, and with it one backend",
    redirectsState: true,
    refuse: () => ({
      reason: "each stack has its own data folder, .terraform in its folder of cdktf.out; here stacks would share one",
      hint: "unset it",
    }),
  },
  {
    name: "TF_CLI_ARGS_init",
    about:
      "honoured, also for `-backend-config` of a backend that is not `local`. `-reconfigure`, `-migrate-state`, `-force-copy`, `-backend=false` and `-from-module` are rejected: `npm run state -- migrate` moves Terraform states",
    redirectsState: true,
    refuse: (value, backend) => {
      const options = optionsIn(value);
      const [other] = options.filter((option) => OTHER_BACKEND.includes(option));
      if (other !== undefined)
        return {
          reason: `-${other} replaces a stack's backend, and with it the Terraform state`,
          hint: "remove it; to move Terraform states: npm run state -- migrate",
        };
      if (backend === "local" && options.includes("backend-config"))
        return {
          reason: "-backend-config would move a state file that other commands read by the path in the cluster file",
          hint: "write the path into the cluster file: backend: { local: { path: ... } }",
        };
      return undefined;
    },
  },
  ...["plan", "apply", "destroy", "refresh"].map((subcommand) => ({
    name: `TF_CLI_ARGS_${subcommand}`,
    about: `honoured for ${listed(HARMLESS)}. Other options are rejected: \`diff\` would show another change than \`deploy\` makes`,
    refuse: (value: string) => {
      const [other] = optionsIn(value).filter((option) => !HARMLESS.includes(option));
      return other === undefined
        ? undefined
        : {
            reason: `-${other} would make a plan and its deploy differ`,
            hint: `only these are honoured: ${HARMLESS.map((option) => `-${option}`).join(", ")}; to skip hosts: --without`,
          };
    },
  })),
  {
    name: "TF_CLI_ARGS",
    about: "rejected: each subcommand gets it, and most accept other options",
    refuse: () => ({
      reason: "every subcommand of Terraform gets it, and fails with an option that it does not know",
      hint: "set the variable of one subcommand, as TF_CLI_ARGS_init",
    }),
  },
  { name: "TF_CLI_ARGS_*", about: "honoured: those of other subcommands" },
  {
    name: "TF_VAR_*",
    about: "honoured. A cluster file has no Terraform variable; a stack of your own may have some",
  },
  {
    name: "TF_CLI_CONFIG_FILE",
    about: "honoured. The commands read a relative path from the project's folder, the CDKTF CLI from the stack's",
    path: true,
  },
  {
    name: "TF_PLUGIN_CACHE_DIR",
    about: "honoured, with relative paths as above. Default `~/.terraform.d/plugin-cache`, as in the CDKTF CLI",
    path: true,
  },
  {
    name: "TF_LOG",
    about:
      "honoured with `TF_LOG_PATH`, and rejected without it: the log would be in the place of Terraform's errors, from which the commands tell what to do",
    refuse: logRefusal,
  },
  { name: "TF_LOG_CORE", about: "as `TF_LOG`", refuse: logRefusal },
  { name: "TF_LOG_PROVIDER", about: "as `TF_LOG`", refuse: logRefusal },
  {
    name: "TF_LOG_PATH",
    about: "honoured, with relative paths as above. A log can contain secrets: no other user should read it",
    path: true,
  },
  { name: "TF_IN_AUTOMATION", about: "always `1`: the commands print what to do next themselves", fixed: "1" },
  { name: "TF_INPUT", about: "ignored: no Terraform that a command starts asks for input", removed: true },
  {
    name: "TF_FORCE_LOCAL_BACKEND",
    about: "always `1`: with HCP Terraform, operations are local even in a workspace of another execution mode",
    fixed: "1",
  },
  { name: "TF_TOKEN_*", about: "honoured: the API token of a host, of HCP Terraform for example" },
  {
    name: "TF_CLOUD_*",
    about: "honoured: the host name and the project of HCP Terraform, where the cluster file has none",
  },
  {
    name: "TF_ENCRYPTION",
    about:
      "honoured (OpenTofu) with a backend that is not `local`, and rejected with `local`, whose file the commands read",
    redirectsState: true,
    refuse: (_, backend) =>
      backend === "local"
        ? {
            reason: "the commands read the state file of the local backend, and cannot decrypt it",
            hint: "unset it, or use another backend",
          }
        : undefined,
  },
  {
    name: "TF_*",
    about: "honoured: `TF_REGISTRY_CLIENT_TIMEOUT`, `TF_HTTP_*`, `TF_STATE_PERSIST_INTERVAL` and all others",
  },
];

function listed(options: readonly string[]): string {
  return options.map((option) => `\`-${option}\``).join(", ");
}

/** The names of options in a variable of words: `lock-timeout` in `-lock-timeout=5m '-no-color'`. */
function optionsIn(words: string): string[] {
  return [...words.matchAll(/(?<=^|\s)["']?--?([a-z][a-z-]*)/g)].map(([, name]) => name as string);
}

function logRefusal(value: string, _: BackendType | undefined, env: NodeJS.ProcessEnv): Refusal | undefined {
  if (value.toLowerCase() === "off" || env.TF_LOG_PATH) return undefined;
  return {
    reason: "Terraform's log would be in the place of its errors",
    hint: "set TF_LOG_PATH too, to the path of a file for the log",
  };
}

/** The row of the table that a variable belongs to: the first of its name, or of the names' beginning. */
export const rowOf = (variable: string): TerraformVariable | undefined =>
  TERRAFORM_VARIABLES.find(({ name }) =>
    name.endsWith("*") ? variable.startsWith(name.slice(0, -1)) : variable === name,
  );

/** Terraform must not run with an environment. The message has a line for each variable, and its hint. */
export class RefusedVariables extends Error {}

/**
 * Refuses variables with which commands would disagree about a Terraform state, or about a change.
 * @param backend the stack's; undefined if it is not known
 * @param rows the variables to look at
 * @throws RefusedVariables
 */
export function refuseVariables(
  env: NodeJS.ProcessEnv,
  backend: BackendType | undefined,
  rows: readonly TerraformVariable[] = TERRAFORM_VARIABLES,
): void {
  const lines = Object.entries(env).flatMap(([variable, value]) => {
    const row = value ? rowOf(variable) : undefined;
    // Options of Terraform may be secrets, so a value is not printed.
    const refusal = row && rows.includes(row) ? row.refuse?.(value as string, backend, env) : undefined;
    return refusal === undefined ? [] : [`${variable} is rejected: ${refusal.reason}\n${hintLine(refusal.hint)}`];
  });
  if (lines.length > 0) throw new RefusedVariables(lines.sort().join("\n"));
}

/** The same for variables that redirect the state alone, which a synth does for `cdktf deploy` too. */
export const refuseOtherStates = (env: NodeJS.ProcessEnv, backend: BackendType): void =>
  refuseVariables(
    env,
    backend,
    TERRAFORM_VARIABLES.filter(({ redirectsState }) => redirectsState),
  );
