import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Construct } from "constructs";
import { stepId } from "../consul/contract";
import type { Upload } from "./container-options";
import { replaceFile } from "./replace-file";
import { onlyInStack, whenSynthesized } from "./stack";

const FOLDER = join(__dirname, "../container");

/** A file of container/. */
class Script {
  readonly text: Buffer;
  readonly hash: string;

  constructor(name: string) {
    this.text = readFileSync(join(FOLDER, name));
    this.hash = createHash("sha256").update(this.text).digest("hex");
  }
}

/**
 * The scripts of a stack's containers, beside its JSON, from where Terraform uploads them. In the JSON and in the
 * Terraform state, each container would have their text.
 */
export class ContainerScripts extends Construct {
  private static readonly ID = stepId("container_scripts");

  static of(scope: Construct): ContainerScripts {
    return onlyInStack(scope, ContainerScripts.ID, (stack) => new ContainerScripts(stack, ContainerScripts.ID));
  }

  /** By their names. */
  private readonly used = new Map<string, Script>();

  private constructor(scope: Construct, id: string) {
    super(scope, id);
    whenSynthesized(this, (folder) => {
      for (const [name, { text }] of this.used) replaceFile(join(folder, name), text);
    });
  }

  /**
   * @param file where the container has the script
   * @param name of a file of container/. A change of its content replaces the container, by its hash
   */
  upload(file: string, name: string): Upload {
    const script = this.used.get(name) ?? new Script(name);
    this.used.set(name, script);
    return { file, source: `\${path.module}/${name}`, sourceHash: script.hash };
  }
}

/** The file of container/ with a hash. */
export const scriptOf = (hash: string): string | undefined =>
  /^[0-9a-f]{64}$/.test(hash) ? readdirSync(FOLDER).find((name) => new Script(name).hash === hash) : undefined;
