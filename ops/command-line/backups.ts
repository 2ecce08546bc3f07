import { Option } from "commander";
import { type DocumentedCommand, jsonOption } from "./command";

/** The commands for snapshots. */
export function addBackups(program: DocumentedCommand): void {
  program.commandsGroup("Back up:");

  program
    .command("backup")
    .description("Save a snapshot of the cluster to a file, list snapshots, or download one from a host.")
    .argument("[HOST]", "with --fetch: the host that stores the snapshot")
    .argument("[NAME]", "with --fetch: the snapshot's name")
    .option(
      "--output <FILE>",
      "the file to write. Default: backups/<cluster>/<time>.snap, in the private folder if there is one",
    )
    .addOption(new Option("--stale", "take it from the server with the newest data, even if there is no leader"))
    .addOption(
      new Option("--list", "list the snapshots here and on the servers' hosts").conflicts(["fetch", "stale", "output"]),
    )
    .addOption(new Option("--fetch", "download the snapshot NAME from HOST").conflicts("stale"))
    .addOption(jsonOption())
    .documented(
      [
        ["", "save a snapshot to backups/"],
        ["--list", "which snapshots there are, and whether they are intact"],
        ["--fetch host1 2026-11-28T030000Z.snap", "download a scheduled backup"],
      ],
      [
        [0, "saved or downloaded, and verified; with --list: all snapshots are intact"],
        [1, "not saved; with --list: a snapshot is damaged, or a host is unreachable"],
      ],
    )
    .does(async ({ terminal }, options: { fetch?: true }, [host, name], command) => {
      if (options.fetch && name === undefined) command.error("error: --fetch needs HOST and NAME");
      if (!options.fetch && host !== undefined) command.error("error: HOST and NAME need --fetch");
      const { backup } = await import("../commands/backup");
      return backup({ ...options, fetch: options.fetch && { host, name } }, terminal);
    });

  program
    .command("restore")
    .description("Replace the cluster's data by a snapshot, and make all agents work with it.")
    .argument("<FILE>", "the snapshot")
    .option("--auto-approve", "do not ask for approval")
    .option("--no-backup", "do not save the present data first")
    .option("--no-trial", "do not try the snapshot in a container of its own first")
    .addOption(jsonOption())
    .documented(
      [
        ["backups/consul/2026-11-28T030000Z.snap", "after your approval"],
        ["backups/consul/2026-11-28T030000Z.snap --auto-approve --json", "in a script"],
      ],
      [
        [0, "restored, and all agents work"],
        [1, "nothing was changed"],
        [2, "the data was changed, and the cluster is not healthy yet: run it again"],
      ],
    )
    .does(async ({ terminal }, options, [file]) => {
      const { restore } = await import("../commands/restore");
      return restore({ ...options, snapshotFile: file }, terminal);
    });
}
