import { Option } from "commander";
import { allowableCodes } from "../../cluster/catalogue";
import { BUDGET_MB, OPERATIONS } from "../terraform/parallelism";
import { allowableCode, containerName, positiveInteger, STACK } from "./arguments";
import { rejectCdktfOptions } from "./cdktf-options";
import { type DocumentedCommand, jsonOption, repeated } from "./command";

const without = () => repeated("--without <HOST>", "skip a host, for example one that is unreachable; may be repeated");
const allow = () =>
  repeated(
    "--allow <CODE>",
    `allow a change that would be rejected: ${allowableCodes.join(", ")}; may be repeated`,
    allowableCode,
  );
const parallelism = () =>
  new Option(
    "--parallelism <N>",
    `stacks at the same time. Default: as many of the largest as fit into ${BUDGET_MB / 1000} GB of memory, one at least`,
  ).argParser(positiveInteger);
const terraformParallelism = () =>
  new Option(
    "--terraform-parallelism <N>",
    `operations at the same time in a stack. Default: ${OPERATIONS.least}, ` +
      `and ${OPERATIONS.perContainer} for each container of the largest stack`,
  ).argParser(positiveInteger);

const markdown = () =>
  new Option("--markdown", "print the result as Markdown, for a comment on a pull request").conflicts("json");

const events = () => jsonOption("print events as JSON, one a line, for programs; needs --auto-approve");

/** What the commands that plan and change nothing have alike. */
const comparing = (command: DocumentedCommand): DocumentedCommand =>
  command
    .addOption(without())
    .addOption(allow())
    .addOption(parallelism())
    .option("--detailed-exitcode", "end with exit code 2 if something would change")
    .addOption(jsonOption())
    .addOption(markdown());

/** A program that reads events cannot be asked. */
function needsApproval(
  options: { readonly json?: boolean; readonly autoApprove?: boolean; readonly plan?: string },
  command: DocumentedCommand,
) {
  if (options.json && !options.autoApprove && options.plan === undefined)
    command.error("error: option '--json' needs '--auto-approve'");
}

/** The commands that change a cluster, and show what they would change. */
export function addChanges(program: DocumentedCommand): void {
  program.commandsGroup("Change:");

  comparing(
    program
      .command("diff")
      .description("Show which containers a deploy would change, and why. It changes nothing.")
      .argument("[STACK...]", STACK),
  )
    .documented(
      [
        ["", "all stacks"],
        ["--detailed-exitcode --json", "in a pipeline"],
        ["--markdown", "for a comment on a pull request"],
        ["--without host7 'consul-*'", "skip a host of the stacks whose names begin with consul-"],
      ],
      [
        [0, "planned; with --detailed-exitcode: nothing would change"],
        [1, "a stack cannot be planned, a deploy would be rejected, or a host is unreachable"],
        [2, "with --detailed-exitcode: something would change"],
      ],
    )
    .does(async ({ terminal }, options, [stacks]) => {
      const { diff } = await import("../commands/diff");
      return diff({ ...options, stacks }, terminal);
    });

  comparing(
    program
      .command("plan")
      .description("Save plans of what diff shows, for a deploy that applies exactly these after their approval.")
      .argument("[STACK...]", STACK)
      .addOption(
        new Option("--out <FOLDER>", "the folder for the plans; it does not exist, or is empty").makeOptionMandatory(),
      ),
  )
    .documented(
      [
        ["--out plans", "all stacks; then: npm run deploy -- --plan plans"],
        ["--out plans --markdown --detailed-exitcode", "in a pipeline, with a comment on a pull request"],
      ],
      [
        [0, "the plans are saved; with --detailed-exitcode: nothing would change"],
        [1, "no plan is saved: a deploy would be rejected, or incomplete because a host is unreachable"],
        [2, "with --detailed-exitcode: the plans are saved, and something would change"],
      ],
    )
    .does(async ({ terminal }, options, [stacks]) => {
      const { plan } = await import("../commands/plan");
      return plan({ ...options, stacks }, terminal);
    });

  const deploy = program
    .command("deploy")
    .description(
      "Create or change the cluster: plan, show what would change and why, ask once, and apply exactly these plans.",
    )
    .argument("[STACK...]", STACK)
    .option("--auto-approve", "do not ask for approval")
    .addOption(
      new Option("--plan <FOLDER>", "apply the plans that `plan --out` has saved, and ask nothing").conflicts([
        "without",
        "allow",
      ]),
    )
    .addOption(without())
    .addOption(allow())
    .addOption(parallelism())
    .addOption(terraformParallelism())
    .addOption(events())
    .documented(
      [
        ["", "all stacks, after your approval"],
        ["--auto-approve", "in a pipeline"],
        ["--plan plans", "what npm run plan -- --out plans has saved, after its approval"],
        ["--auto-approve --json", "for a program that shows the deploy"],
        ["--without host7", "all hosts but one"],
        ["--allow line-deleted", "although an agent's line was deleted from the cluster file"],
      ],
      [
        [0, "deployed"],
        [1, "rejected before any change, not approved, a stack failed, or an unreachable host was skipped"],
        [
          130,
          "stopped in good order by Ctrl-C, before everything was deployed; 128 and the signal's number for any signal",
        ],
      ],
    )
    .does(async ({ terminal }, options, [stacks], command) => {
      needsApproval(options, command);
      if (options.plan !== undefined && stacks.length > 0)
        command.error("error: option '--plan' takes no stacks: the plans have them");
      const { deploy } = await import("../commands/deploy");
      return deploy({ ...options, stacks }, terminal);
    });
  rejectCdktfOptions(deploy);

  const destroy = program
    .command("destroy")
    .description("Remove the cluster's containers. Their data stays on its volumes.")
    .argument("[STACK...]", STACK)
    .option("--auto-approve", "do not ask for approval")
    .addOption(parallelism())
    .addOption(terraformParallelism())
    .addOption(events())
    .documented(
      [
        ["", "all stacks, after your approval"],
        ["--auto-approve consul-edge", "one stack, without asking"],
      ],
      [
        [0, "destroyed"],
        [1, "not approved, or a stack failed"],
      ],
    )
    .does(async ({ terminal }, options, [stacks], command) => {
      needsApproval(options, command);
      const { destroy } = await import("../commands/destroy");
      return destroy({ ...options, stacks }, terminal);
    });
  rejectCdktfOptions(destroy);

  program
    .command("adopt")
    .description("Take over a cluster that was started by hand, or whose Terraform state is lost, without an outage.")
    .addOption(
      new Option("--container <AGENT=NAME>", "the agent's container has this name; may be repeated")
        .argParser(containerName)
        .default(new Map(), "the agent's own name"),
    )
    .option("--dry-run", "show what would be done, and change nothing")
    .option("--undo", "restore the previous containers, with the data as it is now")
    .addOption(jsonOption())
    .documented(
      [
        ["--dry-run", "look first"],
        ["--container web1=consul_agent_1", "an agent whose container has another name than in the cluster file"],
        ["--undo", "go back to the previous containers"],
      ],
      [
        [0, "all running agents are adopted; with --dry-run: they can be; with --undo: the previous containers run"],
        [1, "something prevents it, and nothing was changed; or an agent could not be adopted"],
      ],
    )
    .does(async ({ terminal }, options) => (await import("../commands/adopt")).adopt(options, terminal));
}
