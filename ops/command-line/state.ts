import { STACK } from "./arguments";
import type { DocumentedCommand } from "./command";

/** The commands for Terraform states and their locks. */
export function addState(program: DocumentedCommand): void {
  program.commandsGroup("Terraform state:");
  const state = program.command("state").description("Recover, unlock and move Terraform states.");

  state
    .command("recover")
    .description("Store the Terraform state of a deploy that could not store it (errored.tfstate).")
    .argument("[STACK...]", STACK)
    .documented(
      [["", "all stacks"]],
      [
        [0, "stored, or nothing to recover"],
        [1, "a state could not be stored; its file stays"],
      ],
    )
    .does(async ({ terminal }, options, [stacks]) => {
      const { recover } = await import("../commands/state");
      return recover({ ...options, stacks }, terminal);
    });

  state
    .command("unlock")
    .description("Show which Terraform states are locked, and by whom; with --force, release the locks.")
    .argument("[STACK...]", STACK)
    .option("--force", "release the locks. No deploy may be running, on any machine")
    .documented(
      [
        ["", "show the locks"],
        ["--force consul-edge", "release the lock of one stack, after its deploy was killed"],
      ],
      [
        [0, "no state is locked any more"],
        [1, "a state is locked"],
      ],
    )
    .does(async ({ terminal }, options, [stacks]) => {
      const { unlock } = await import("../commands/state");
      return unlock({ ...options, stacks }, terminal);
    });

  state
    .command("migrate")
    .description("Copy the Terraform states of all stacks to another backend. It can be repeated.")
    .requiredOption("--to <BACKEND>", "the backend, as the cluster file's key `backend` will have it")
    .documented(
      [
        [
          "--to '{ s3: { bucket: my-terraform, region: eu-central-1, use_lockfile: true } }'",
          "from the file's backend to S3",
        ],
        ["--to '{ local: {} }'", "to files in the private folder, or in this one if there is none"],
      ],
      [
        [0, "all are there"],
        [1, "a deploy is running, or the target has another state; nothing was moved"],
      ],
    )
    .does(async ({ terminal }, options) => (await import("../commands/state")).migrate(options, terminal));
}
