import { allowableCodes } from "../../cluster/catalogue";
import { describeProblem } from "../../cluster/problem";
import { chosenCluster, command, progress } from "../command";
import { parseArguments } from "../deploy/arguments";
import { blockedText, preflight } from "../deploy/preflight";
import { refusedSecrets } from "../secrets/check";
import { cdktf } from "../terraform/cdktf";

const USAGE = `usage: npm run deploy [-- OPTIONS] [STACK...]
  STACK                       those stacks alone; a name, or a pattern with *
  --auto-approve              do not ask
  --without HOST              leave a host alone, for instance one that does not answer; more than once
  --accept CODE               what the file may not mean otherwise: ${allowableCodes.join(", ")}; more than once
  --parallelism N             stacks at once
  --terraform-parallelism N   operations at once in a stack
Other options go to cdktf deploy.`;

/** Linux takes no longer variable. */
const MAX_VARIABLE = 128 * 1024;

/** For each `terraform apply`, what it is about; of the addresses, each stack takes its own. */
function targeting(targets: readonly string[]): NodeJS.ProcessEnv {
  const given = process.env.TF_CLI_ARGS_apply;
  const words = [...(given ? [given] : []), ...targets.map((address) => `'-target=${address}'`)].join(" ");
  if (words.length > MAX_VARIABLE - 100)
    throw new Error("too much to name beside what is left out; put hosts into groups of at most 25");
  return { TF_CLI_ARGS_apply: words };
}

const refused = (why: readonly string[]): Error => new Error(`refused; nothing was touched\n${why.join("\n")}`);

command("deploy", USAGE, async () => {
  const args = parseArguments("deploy", process.argv.slice(2));
  const { cluster } = chosenCluster();
  const unfit = refusedSecrets(cluster);
  if (unfit.length > 0) throw refused(unfit);
  const seen = await preflight(cluster, args);
  const { targets } = seen;
  const { stacks: left, hosts, blocked, missed } = seen.around;
  const refusals = [
    ...seen.problems.map((problem) => describeProblem(problem)),
    ...(blocked.size > 0 ? [blockedText("deploy", seen)] : []),
  ];
  if (refusals.length > 0) throw refused(refusals);

  for (const [stack, names] of left) progress(`left alone: stack ${stack}, with ${names.join(", ")}`);
  for (const [stack, names] of hosts) progress(`left alone in stack ${stack}: ${names.join(", ")}`);
  const stacks = seen.stacks.filter(({ name }) => !left.has(name));
  if (stacks.length === 0)
    throw new Error(
      ["nothing is left to deploy", ...missed.map((host) => `${host} does not answer: ${seen.dead.get(host)}`)].join(
        "\n",
      ),
    );

  const env = targets.size > 0 ? targeting(stacks.flatMap(({ name }) => targets.get(name) ?? [])) : {};
  const status = await cdktf({ command: "deploy", stacks, args, cloud: cluster.backend?.cloud !== undefined, env });
  if (missed.length === 0) return status;
  for (const host of missed) progress(`not deployed: host "${host}" does not answer: ${seen.dead.get(host)}`);
  return status || 1;
});
