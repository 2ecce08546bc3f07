import type { ProblemCode } from "../../cluster/catalogue";
import { describeProblem } from "../../cluster/problem";
import { chosenCluster } from "../chosen-cluster";
import { blockedText, type Preflight, preflight } from "../deploy/preflight";
import { locationLines } from "../project/locations";
import { refusedSecrets } from "../secrets/check";
import type { Terminal } from "../terminal/terminal";
import { cdktf } from "../terraform/cdktf";
import type { DestroyOptions } from "./destroy";

export interface DeployOptions extends DestroyOptions {
  /** Hosts to skip: names, or patterns with `*`. */
  readonly without: readonly string[];
  readonly allow: readonly ProblemCode[];
}

export async function deploy(options: DeployOptions, terminal: Terminal): Promise<number> {
  const { log } = terminal;
  const { cluster } = chosenCluster(terminal.print);
  const badSecrets = refusedSecrets(cluster, log);
  if (badSecrets.length > 0) throw rejected(badSecrets);
  const found = await preflight(cluster, options, log);
  const { skippedStacks, skippedHosts, blockedStacks } = found.exclusions;
  const reasons = found.problems.map(describeProblem);
  if (blockedStacks.size > 0) reasons.push(blockedText("deploy", found));
  if (reasons.length > 0) throw rejected(reasons);

  for (const [stack, hosts] of skippedStacks) log(`skipped: stack ${stack}, with ${hosts.join(", ")}`);
  for (const [stack, hosts] of skippedHosts) log(`skipped in stack ${stack}: ${hosts.join(", ")}`);
  const unreachable = found.exclusions.unreachableHosts.map(
    (host) => `host "${host}" is unreachable: ${found.unreachable.get(host)}`,
  );
  const stacks = found.stacks.filter(({ name }) => !skippedStacks.has(name));
  if (stacks.length === 0) throw new Error(["every stack is skipped", ...unreachable].join("\n"));

  const { targets } = found;
  const env = targets.size > 0 ? targetVariable(stacks.flatMap(({ name }) => targets.get(name) ?? [])) : {};
  const exitCode = await cdktf({
    ...options,
    command: "deploy",
    stacks,
    cloud: cluster.backend?.cloud !== undefined,
    env,
  });
  for (const reason of unreachable) log(`not deployed: ${reason}`);
  if (exitCode === 0 && isFirst(found)) {
    log("The first deploy is done. Keep copies of these, but not in the repository:");
    locationLines(cluster).forEach(log);
  }
  return exitCode === 0 && unreachable.length > 0 ? 1 : exitCode;
}

/** Whether nothing of the cluster was deployed before. */
const isFirst = ({ states }: Preflight): boolean =>
  [...states.values()].every(({ resources }) => resources.length === 0);

const rejected = (reasons: readonly string[]): Error =>
  new Error(`rejected; nothing was changed\n${reasons.join("\n")}`);

/** Linux accepts no longer variable. */
const MAX_VARIABLE = 128 * 1024;

/** The targets of each `terraform apply`. Every stack gets all addresses, and Terraform takes those that are its own. */
function targetVariable(addresses: readonly string[]): NodeJS.ProcessEnv {
  const given = process.env.TF_CLI_ARGS_apply;
  const targets = addresses.map((address) => `'-target=${address}'`);
  const value = (given ? [given, ...targets] : targets).join(" ");
  if (value.length > MAX_VARIABLE - 100)
    throw new Error("there are too many resources beside the skipped hosts; put hosts into groups of at most 25");
  return { TF_CLI_ARGS_apply: value };
}
