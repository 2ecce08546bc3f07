import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Lazy, type LocalExecProvisioner } from "cdktf";
import { Construct } from "constructs";
import { stepId } from "../consul/contract";
import { REQUEST_VARIABLE, type StepRequest } from "../rollout/request";
import { unescaped } from "./escape";
import { LocalOperations } from "./local-operations";
import { replaceFile } from "./replace-file";
import { requestText } from "./request-text";
import { rolloutBundle } from "./rollout-bundle";
import { onlyInStack, whenSynthesized } from "./stack";

/** The program's name beside a stack's JSON. It does not depend on the content: a plan that was saved finds it too. */
const FILE = "rollout.cjs";

/**
 * Variables by which the environment of whoever runs Terraform would change the program: code that is loaded before it,
 * and logs of each request with its token.
 */
const CLEARED = ["NODE_OPTIONS", "NODE_DEBUG", "NODE_V8_COVERAGE"] as const;

/** Linux takes this for an environment variable with its name and the NUL at its end (MAX_ARG_STRLEN). */
const MAX_VARIABLE_BYTES = 128 * 1024;

/** The rollout's program, beside a stack's JSON. */
export class RolloutProgram extends Construct {
  private static readonly ID = stepId("rollout");

  static of(scope: Construct): RolloutProgram {
    return onlyInStack(scope, RolloutProgram.ID, (stack) => new RolloutProgram(stack, RolloutProgram.ID));
  }

  private constructor(scope: Construct, id: string) {
    super(scope, id);
    LocalOperations.require(this);
    // Not CDKTF's own asset, which removes the file before it writes it: a deploy may be starting it at that moment.
    whenSynthesized(this, (folder) => replaceFile(join(folder, FILE), readFileSync(rolloutBundle())));
  }

  /**
   * A provisioner that makes a request. Terraform itself starts the program: if a shell did, it would outlive a Terraform
   * that is killed.
   * @param label a few words for Terraform's log: `readiness consul-server1`
   * @param request a function if the request is complete only when the stack is synthesized
   * @throws Error for a request that is too large: Terraform could not start the program, in the middle of a deploy
   */
  provisioner(label: string, request: StepRequest | (() => StepRequest)): LocalExecProvisioner {
    const text =
      typeof request === "function"
        ? Lazy.stringValue({ produce: () => this.checkedText(label, request()) })
        : this.checkedText(label, request);
    return {
      type: "local-exec",
      interpreter: ["node", `\${path.module}/${FILE}`],
      command: label,
      environment: {
        [REQUEST_VARIABLE]: text,
        ...Object.fromEntries(CLEARED.map((name) => [name, ""])),
      },
    };
  }

  private checkedText(label: string, request: StepRequest): string {
    const text = requestText(request);
    const size = Buffer.byteLength(`${REQUEST_VARIABLE}=${unescaped(text)}`) + 1;
    if (size > MAX_VARIABLE_BYTES)
      throw new Error(
        `${this.node.path}: the request "${label}" has ${size} bytes, and a deploy can pass on ${MAX_VARIABLE_BYTES}`,
      );
    return text;
  }
}
