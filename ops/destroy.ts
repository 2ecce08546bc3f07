import { parseArguments, select } from "./arguments";
import { chosenCluster, command, progress } from "./command";
import { cdktf } from "./terraform/cdktf";
import { synthesize } from "./terraform/synth";

command("destroy", async () => {
  const args = parseArguments("destroy", process.argv.slice(2));
  const { cluster } = chosenCluster();
  const all = await synthesize();
  const names = select(
    "stack",
    all.map(({ name }) => name),
    args.stacks,
  );
  progress(`taking down ${names.join(", ")}; data stays on its volumes`);
  // The cluster would refuse to lose its quorum. Whoever says destroy means it.
  const env = { CONSUL_ALLOW_QUORUM_LOSS: "yes" };
  const stacks = all.filter(({ name }) => names.includes(name));
  return cdktf({ command: "destroy", stacks, args, cloud: cluster.backend?.cloud !== undefined, env });
});
