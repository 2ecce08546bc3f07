import { Option } from "commander";
import { period } from "./arguments";
import { type DocumentedCommand, jsonOption, repeated } from "./command";

const SUCCESS = [0, "done"] as const;
const FAILED = [1, "not done"] as const;
const ISSUE_FIRST = [1, "not done, or certificates have to be issued elsewhere first"] as const;

const ca = () => new Option("--ca <FILE>", "your own CA");
const caKey = () => new Option("--ca-key <FILE>", "its key: certificates are then issued here");
const certificates = () =>
  new Option(
    "--certificates <FOLDER>",
    "certificates that were issued elsewhere: <agent>.pem and <agent>-key.pem, and operator",
  );
const load = () => import("../commands/secrets");

/** `secrets`, whose subcommands create, check and move a cluster's secrets. */
export function addSecrets(program: DocumentedCommand): void {
  program.commandsGroup("Secrets:");
  const secrets = program
    .command("secrets")
    .description("Create, check, rotate and transport the secrets of a cluster.")
    .usage("COMMAND [options]")
    .helpCommand("help [COMMAND]", "show the help of a command");

  secrets
    .command("init")
    .description("Create what the cluster lacks. Existing secrets stay as they are.")
    .addOption(ca())
    .addOption(caKey())
    .addOption(certificates())
    .addOption(jsonOption())
    .documented(
      [
        ["", "a CA, certificates, the gossip key and tokens"],
        ["--ca ca.pem --ca-key ca-key.pem", "issued by your own CA"],
        ["--ca ca.pem --certificates issued/", "your CA's key stays elsewhere"],
      ],
      [SUCCESS, ISSUE_FIRST],
    )
    .does(async ({ terminal }, options) => (await load()).init(options, terminal));

  secrets
    .command("check")
    .description("Report what is wrong with the secrets, or soon will be.")
    .option("--detailed-exitcode", "end with exit code 2 if there are warnings, such as a certificate that is due")
    .addOption(jsonOption())
    .documented(
      [
        ["", "before a deploy"],
        ["--detailed-exitcode", "every day, in a pipeline"],
      ],
      [
        [0, "no errors; with --detailed-exitcode: no warnings either"],
        [1, "errors"],
        [2, "with --detailed-exitcode: warnings"],
      ],
    )
    .does(async ({ terminal }, options) => (await load()).check(options, terminal));

  secrets
    .command("show")
    .description("List the secrets, or print one.")
    .argument("[NAME]", "a token's name, or gossip: print that secret")
    .addOption(jsonOption())
    .documented(
      [
        ["", "which secrets there are, and until when certificates are valid"],
        ["management", "the management token"],
      ],
      [SUCCESS, FAILED],
    )
    .does(async ({ terminal }, options, [name]) => (await load()).show({ ...options, name }, terminal));

  secrets
    .command("recover")
    .description(
      "Read lost or damaged secrets back from the agents' containers. A new CA replaces one whose key is lost.",
    )
    .addOption(ca())
    .addOption(caKey())
    .addOption(
      repeated("--without <HOST>", "leave out the containers of this host, which is unreachable; may be repeated"),
    )
    .addOption(jsonOption())
    .documented(
      [
        ["", "the folder is lost, or files in it are"],
        ["--ca ca.pem --ca-key ca-key.pem", "the CA's key is stored elsewhere too, or the CA is your own"],
        ["--without consul-client3", "a host is down"],
      ],
      [SUCCESS, ISSUE_FIRST],
    )
    .does(async ({ terminal }, options) => (await load()).recover(options, terminal));

  const rotate = secrets
    .command("rotate")
    .description(
      "Replace secrets by new ones, or with --due certificates and CAs that expire soon. A deploy delivers them.",
    )
    .usage("COMMAND | --due PERIOD [options]")
    .helpCommand("help [COMMAND]", "show the help of a command")
    .allowExcessArguments()
    .addOption(new Option("--due <PERIOD>", "renew what expires within this time, such as 30d").argParser(period))
    .addOption(jsonOption())
    .documented(
      [["--due 30d --json", "every night, before npm run deploy -- --auto-approve"]],
      [
        [0, "renewed, or nothing is due, or a deploy has to deliver a new CA first"],
        [1, "not done, or certificates have to be issued elsewhere"],
      ],
    )
    .does(async ({ terminal }, options, _, command) => {
      if (options.due === undefined) command.refuseWithoutSubcommand();
      return (await load()).renew(options, terminal);
    });
  rotate
    .command("gossip")
    .description("Create a new gossip key.")
    .addOption(jsonOption())
    .documented([["", "then deploy"]], [SUCCESS, FAILED])
    .does(async ({ terminal }, options) => (await load()).rotateGossip(options, terminal));
  rotate
    .command("ca")
    .description("Create a new CA beside the old one.")
    .addOption(ca())
    .addOption(caKey())
    .addOption(jsonOption())
    .documented([["", "then deploy, rotate certificates, deploy, revoke, and deploy"]], [SUCCESS, FAILED])
    .does(async ({ terminal }, options) => (await load()).rotateCa(options, terminal));
  rotate
    .command("certificates")
    .description("Reissue certificates.")
    .argument("[AGENT...]", "only these: names of agents, or operator, or patterns with *")
    .addOption(certificates())
    .addOption(jsonOption())
    .documented(
      [
        ["", "all certificates, then deploy"],
        ["web1 --certificates issued/", "a certificate that was issued elsewhere"],
      ],
      [SUCCESS, ISSUE_FIRST],
    )
    .does(async ({ terminal }, options, [names]) => (await load()).rotateCertificates({ ...options, names }, terminal));
  rotate
    .command("tokens")
    .description("Create new tokens beside the old ones.")
    .argument("[NAME...]", "only these: names of tokens, or patterns with *")
    .addOption(jsonOption())
    .documented(
      [
        ["", "all tokens, then deploy, revoke, and deploy"],
        ["dns", "one token"],
      ],
      [SUCCESS, FAILED],
    )
    .does(async ({ terminal }, options, [names]) => (await load()).rotateTokens({ ...options, names }, terminal));

  secrets
    .command("revoke")
    .description("Remove what rotations replaced. The next deploy revokes it in the cluster.")
    .addOption(jsonOption())
    .documented([["", "once no program uses the old secrets any more"]], [SUCCESS, FAILED])
    .does(async ({ terminal }, options) => (await load()).revoke(options, terminal));

  secrets
    .command("export")
    .description("Print all secrets as one line, for the secret store of a pipeline.")
    .option("--without-ca-key", "leave out the CA's key")
    .documented([["--without-ca-key", "for a pipeline that only deploys"]], [SUCCESS, [1, "the secrets have errors"]])
    .does(async ({ terminal }, options) => (await load()).exportLine(options, terminal));

  secrets
    .command("import")
    .description("Put exported secrets into a temporary folder. They are read from the variable CONSUL_SECRETS.")
    .option("--from <FOLDER>", "read them from a mounted folder instead")
    .addOption(jsonOption())
    .documented(
      [
        ["", "from CONSUL_SECRETS"],
        ["--from /run/secrets/consul", "from a mounted folder"],
      ],
      [SUCCESS, FAILED],
    )
    .does(async ({ terminal }, options) => (await load()).importSecrets(options, terminal));

  secrets
    .command("clean")
    .description("Remove what an import created.")
    .addOption(jsonOption())
    .documented([["", "after the deploy, whether it succeeded or not"]], [SUCCESS, FAILED])
    .does(async ({ terminal }, options) => (await load()).clean(options, terminal));
}
