import { dirname, join } from "node:path";
import { TerraformStack } from "cdktf";
import { addCustomSynthesis } from "cdktf/lib/synthesize/synthesizer";
import type { Construct } from "constructs";

/** The construct of an id directly in a stack, which has at most one of it. @param create makes it if it is not there */
export function onlyInStack<Type extends Construct>(
  scope: Construct,
  id: string,
  create: (stack: TerraformStack) => Type,
): Type {
  const stack = TerraformStack.of(scope);
  return (stack.node.tryFindChild(id) as Type | undefined) ?? create(stack);
}

/** Does some work whenever a construct's stack is synthesized. @param work gets the folder of the stack's JSON */
export function whenSynthesized(construct: Construct, work: (folder: string) => void): void {
  addCustomSynthesis(construct, {
    onSynthesize: ({ manifest, outdir }) => {
      const { synthesizedStackPath } = manifest.forStack(TerraformStack.of(construct));
      work(join(outdir, dirname(synthesizedStackPath)));
    },
  });
}
