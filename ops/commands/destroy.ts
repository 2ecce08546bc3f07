import { stackNames } from "../../cluster/resolve/stacks";
import { chosenCluster, command, progress } from "../command";
import { parseArguments, select } from "../deploy/arguments";
import { cdktf } from "../terraform/cdktf";
import { synthesize } from "../terraform/synth";

const USAGE = `usage: npm run destroy [-- OPTIONS] [STACK...]
  STACK                       those stacks alone; a name, or a pattern with *
  --auto-approve              do not ask
  --parallelism N             stacks at once
  --terraform-parallelism N   operations at once in a stack
Other options go to cdktf destroy. Data stays on its volumes.`;

command("destroy", USAGE, async () => {
  const args = parseArguments("destroy", process.argv.slice(2));
  const { cluster } = chosenCluster();
  const names = select("stack", stackNames(cluster.name, cluster.hosts), args.stacks);
  const stacks = (await synthesize()).filter(({ name }) => names.includes(name));
  progress(`taking down ${names.join(", ")}; data stays on its volumes`);
  // The cluster would refuse to lose its quorum. Whoever says destroy means it.
  const env = { CONSUL_ALLOW_QUORUM_LOSS: "yes" };
  return cdktf({ command: "destroy", stacks, args, cloud: cluster.backend?.cloud !== undefined, env });
});
