import { Option } from "commander";
import { logAge, logTail, regularExpression, seconds } from "./arguments";
import { type DocumentedCommand, jsonOption } from "./command";

/** The commands that look at a cluster. */
export function addInspection(program: DocumentedCommand): void {
  program.commandsGroup("Inspect:");

  program
    .command("status")
    .description("Show hosts, containers, members, voters, services, certificates and problems on one screen.")
    .addOption(new Option("--watch [SECONDS]", "refresh the screen until Ctrl-C").argParser(seconds).preset(2))
    .option("--all", "show all agents, however many there are")
    .addOption(
      new Option(
        "--timeout <SECONDS>",
        "after which a host counts as unreachable. Default: 3 s, and more while this machine is busy",
      ).argParser(seconds),
    )
    .addOption(jsonOption("print the result as JSON, for programs; with --watch, a line for each refresh"))
    .addOption(
      new Option(
        "--prometheus [FILE]",
        "print the result as metrics for Prometheus, or replace a file by them, for node_exporter",
      ).conflicts(["json", "watch", "all"]),
    )
    .documented(
      [
        ["", "the cluster as it is now"],
        ["--watch 5", "refresh every five seconds"],
        ["--json", "for programs"],
        ["--prometheus /var/lib/node_exporter/consul.prom", "for Prometheus, in a timer"],
      ],
      [
        [0, "healthy"],
        [1, "unhealthy"],
      ],
    )
    .does(async ({ terminal }, options) => (await import("../commands/status")).status(options, terminal));

  program
    .command("logs")
    .description("Follow the logs of agents.")
    .argument("[AGENT...]", "only these agents: names, or patterns with *")
    .addOption(new Option("--since <TIME>", "since 10m or 2h30m ago, or since 2026-11-25T09:00:00Z").argParser(logAge))
    .addOption(
      new Option("--tail <N>", "the last N lines of each agent, or all. Default: 20, or all with --since").argParser(
        logTail,
      ),
    )
    .addOption(new Option("--grep <REGEX>", "only lines that match").argParser(regularExpression))
    .option("--no-follow", "end after the present lines")
    .addOption(jsonOption("print each line as JSON, with its host, agent and time"))
    .documented(
      [
        ["", "all agents"],
        ["'web*' --since 10m --grep ERR", "errors of the last ten minutes, and new ones"],
        ["--no-follow --tail all --json consul-server1", "one agent's whole log, for programs"],
      ],
      [
        [0, "with --no-follow: printed"],
        [1, "no agent's log can be read"],
      ],
    )
    .does(async ({ terminal }, options, [agents]) => {
      const { logs } = await import("../commands/logs");
      return logs({ ...options, agents }, terminal);
    });

  program
    .command("diagram")
    .description("Draw the cluster from its file.")
    .addOption(new Option("--format <FORMAT>", "format of the picture").choices(["svg", "mermaid"]).default("svg"))
    .option("--output <FILE>", "write to a file. Default: standard output")
    .option("--live", "colour agents by their health")
    .addOption(jsonOption("print what the picture is made from, as JSON"))
    .documented(
      [
        ["--output cluster.svg", "a picture"],
        ["--format mermaid", "for Markdown pages"],
        ["--live --output cluster.svg", "with the health of each agent"],
      ],
      [
        [0, "drawn"],
        [1, "not drawn"],
      ],
    )
    .does(async ({ terminal }, options, _, command) => {
      if ("json" in options && command.getOptionValueSource("format") !== "default")
        command.error("error: option '--json' cannot be used with option '--format <FORMAT>'");
      return (await import("../commands/diagram")).diagram(options, terminal);
    });

  program
    .command("metrics")
    .description("Write what Prometheus, Alertmanager and Grafana need: where agents are, rules, a dashboard.")
    .option("--out <FOLDER>", "write to this folder. Default: metrics/<cluster>")
    .option(
      "--secrets <FOLDER>",
      "where Prometheus finds the token and the certificate. Default: /etc/prometheus/consul/<cluster>",
    )
    .option("--url <URL>", "where http_sd finds the files of agents", "http://127.0.0.1:8080")
    .option("--clients-ca", "also download the CA of client agents from the running cluster", false)
    .documented(
      [
        ["", "to metrics/<cluster>"],
        ["--out /etc/prometheus --clients-ca", "beside a Prometheus on this machine"],
      ],
      [
        [0, "written"],
        [1, "not written"],
      ],
    )
    .does(async ({ terminal }, options) => (await import("../commands/metrics")).metrics(options, terminal));

  program
    .command("doctor")
    .description("Report what is wrong with the cluster, on which host, and how to fix it.")
    .option("--fix", "fix what can be fixed, after the checks that a deploy makes")
    .addOption(jsonOption())
    .documented(
      [
        ["", "look only"],
        ["--fix", "fix what can be fixed"],
      ],
      [
        [0, "nothing is wrong (any more)"],
        [1, "something is wrong"],
      ],
    )
    .does(async ({ terminal }, options) => (await import("../commands/doctor")).doctor(options, terminal));
}
