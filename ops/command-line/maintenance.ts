import { Argument, Option } from "commander";
import { imageVersion, seconds } from "./arguments";
import { type DocumentedCommand, jsonOption } from "./command";

/** A host that reboots may check its disks. */
const WAIT_SECONDS = 900;

/** The commands for a host's and a cluster's routine. */
export function addMaintenance(program: DocumentedCommand): void {
  program.commandsGroup("Maintain:");

  program
    .command("maintain")
    .description("Take a host out of use for a reboot or an upgrade of its kernel or Docker, and back into use.")
    .argument("<HOST>", "the host, by its name in the cluster file")
    .argument("[COMMAND...]", "after --: take the host out of use, run this here, and put the host back into use")
    .option("--begin", "check that the cluster can spare the host, and take it out of use")
    .addOption(
      new Option("--end", "wait until the host's agents are ready, and put it back into use").conflicts("begin"),
    )
    .addOption(
      new Option("--reboot", "COMMAND reboots the host: wait until its agents were started again").conflicts([
        "begin",
        "end",
      ]),
    )
    .addOption(
      new Option("--wait <SECONDS>", "how long to wait for a host that is down")
        .argParser(seconds)
        .default(WAIT_SECONDS, `${WAIT_SECONDS} s`),
    )
    .addOption(jsonOption())
    .documented(
      [
        ["host1 --begin", "before the host goes down"],
        ["host1 --end", "when it is up again"],
        ["host1 --reboot -- ssh host1 sudo shutdown -r +1", "both, around a reboot"],
        ["host1 -- ssh host1 sudo apt-get -y install docker-ce", "both, around an upgrade of Docker"],
      ],
      [
        [0, "the host is in maintenance; with --end or a COMMAND: it is back in use"],
        [1, "the cluster cannot spare the host, or its agents are not ready; run it again to go on"],
        ["N", "COMMAND ended with N, and the host stays in maintenance"],
      ],
    )
    .does(async ({ terminal }, options, [host, words], command) => {
      const { begin, end } = options;
      const isAround = words.length > 0;
      if (isAround && (begin || end)) command.error("error: a COMMAND cannot be used with --begin or --end");
      if (!isAround && !begin && !end) command.error("error: --begin, --end or a COMMAND after -- is needed");
      if (!isAround && options.reboot) command.error("error: option '--reboot' needs a COMMAND after --");
      const { maintain } = await import("../commands/maintain");
      return maintain({ ...options, host, command: words }, terminal);
    });

  program
    .command("upgrade")
    .description("Go to another version of Consul: a snapshot, the cluster file's image, one client agent, the rest.")
    .addArgument(
      new Argument("<VERSION>", "such as 1.22.7; with @sha256:... if the file pins images").argParser(imageVersion),
    )
    .option("--dry-run", "check, show the steps, and change nothing")
    .option("--auto-approve", "do not ask for approval of the deploys")
    .addOption(jsonOption())
    .documented(
      [
        ["1.22.7 --dry-run", "look first"],
        ["1.22.7", "step by step; each deploy asks for your approval"],
        ["1.22.7 --auto-approve", "without asking"],
      ],
      [
        [0, "all agents run the version; with --dry-run: they can be upgraded to it"],
        [1, "rejected before any change, or a step failed; run it again to go on"],
      ],
    )
    .does(async ({ terminal }, options, [to]) => {
      const { upgrade } = await import("../commands/upgrade");
      return upgrade({ ...options, to }, terminal);
    });
}
