import { Option } from "commander";
import { PIPELINES } from "../project/pipeline";
import { namedAddress } from "./arguments";
import { type DocumentedCommand, repeated } from "./command";

/** The command that makes a project. */
export function addProject(program: DocumentedCommand): void {
  program.commandsGroup("Begin:");

  program
    .command("init")
    .forEverybody()
    .description("Make a project: a cluster file of your own, with this package as a dependency.")
    .argument("[FOLDER]", "where; it is created if it does not exist. Default: this folder", ".")
    .option("--name <NAME>", "the cluster's name", "consul")
    .addOption(
      repeated("--server <NAME=ADDRESS>", "a host that gets a server; may be given several times", namedAddress),
    )
    .addOption(
      repeated("--client <NAME=ADDRESS>", "a host that gets a client agent; may be given several times", namedAddress),
    )
    .option("--daemon <URL>", "how a host's Docker daemon is reached; {address} is its address", "ssh://root@{address}")
    .option("--cdktn", "use CDK Terrain (cdktn), the community's fork of CDKTF; it needs Node 22", false)
    .addOption(
      new Option(
        "--pipeline <CI>",
        "also write a pipeline for this CI; in a folder that has a project, write nothing else",
      ).choices(PIPELINES),
    )
    .documented(
      [
        ["my-cluster", "ask at this terminal"],
        [
          "my-cluster --server consul-server1=10.0.0.11 --server consul-server2=10.0.0.12 --server consul-server3=10.0.0.13",
          "in a script",
        ],
        ["--pipeline github", "add a pipeline to the project in this folder"],
      ],
      [
        [0, "made"],
        [1, "nothing was written"],
      ],
    )
    .does(async ({ terminal }, options, [folder]) => {
      const { init } = await import("../commands/init");
      return init({ ...options, folder }, terminal);
    });
}
