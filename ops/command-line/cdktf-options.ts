import { Option } from "commander";
import type { DocumentedCommand } from "./command";

const USELESS = "it has no effect here; leave it out";

/** Options of the CDKTF CLI's deploy and destroy, which earlier versions passed on: what to do instead. */
const INSTEAD: readonly (readonly [flags: string, hint: string])[] = [
  ["--outputs-file <FILE>", "run terraform -chdir=cdktf.out/stacks/STACK output -json after the deploy"],
  ["--outputs-file-include-sensitive-outputs", "run terraform -chdir=cdktf.out/stacks/STACK output -json"],
  ["--refresh-only", "run terraform -chdir=cdktf.out/stacks/STACK apply -refresh-only"],
  ["--migrate-state", "run terraform -chdir=cdktf.out/stacks/STACK init -migrate-state"],
  ["--var <NAME=VALUE>", "set the environment variable TF_VAR_NAME, which diff reads too"],
  ["--var-file <FILE>", "set environment variables TF_VAR_NAME, which diff reads too"],
  ["--no-color", "set the environment variable NO_COLOR"],
  ["--disable-plugin-cache-env", "set the environment variable CDKTF_DISABLE_PLUGIN_CACHE_ENV"],
  ["--skip-provider-lock", USELESS],
  ["--ignore-missing-stack-dependencies", USELESS],
  ["--skip-synth", "run cdktf deploy --skip-synth"],
  ["--app <COMMAND>", "name it in cdktf.json"],
  ["--output <FOLDER>", "it is always cdktf.out"],
];

/** A former option is an error that says what to do instead. No help shows it. */
export function rejectCdktfOptions(command: DocumentedCommand): void {
  for (const [flags, hint] of INSTEAD) {
    const option = new Option(flags).hideHelp();
    command.addOption(option);
    // Commander gives an option that begins with --no- a value of its own.
    command.setOptionValue(option.attributeName(), undefined);
    command.on(`option:${option.name()}`, () =>
      command.error(`error: option '${option.long}' was one of the CDKTF CLI; hint: ${hint}`),
    );
  }
}
