import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Construct } from "constructs";
import { stepId } from "../consul/contract";
import type { Upload } from "./container-options";
import { replaceFile } from "./replace-file";
import { onlyInStack, whenSynthesized } from "./stack";

const FOLDER = join(__dirname, "../container");
/** By their names. */
const scripts = new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name))]));
const hashes = new Map([...scripts].map(([name, text]) => [name, createHash("sha256").update(text).digest("hex")]));

/**
 * The scripts of a stack's containers, beside its JSON, from where Terraform uploads them. In the JSON and in the
 * Terraform state, each container would have their text.
 */
export class ContainerScripts extends Construct {
  private static readonly ID = stepId("container_scripts");

  static of(scope: Construct): ContainerScripts {
    return onlyInStack(scope, ContainerScripts.ID, (stack) => new ContainerScripts(stack, ContainerScripts.ID));
  }

  private readonly used = new Set<string>();

  private constructor(scope: Construct, id: string) {
    super(scope, id);
    whenSynthesized(this, (folder) => {
      for (const name of this.used) replaceFile(join(folder, name), scripts.get(name) ?? "");
    });
  }

  /**
   * @param file where the container has the script
   * @param name of a file of container/. A change of its content replaces the container, by its hash
   */
  upload(file: string, name: string): Upload {
    this.used.add(name);
    return { file, source: `\${path.module}/${name}`, sourceHash: hashes.get(name) };
  }
}

/** The file of container/ with a hash. */
export const scriptOf = (hash: string): string | undefined => [...hashes].find(([, known]) => known === hash)?.[0];
