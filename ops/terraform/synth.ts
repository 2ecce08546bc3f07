import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** A stack as it was synthesized. */
export interface Stack {
  readonly name: string;
  /** Where Terraform runs for it: cdktf.out/stacks/<name>. */
  readonly folder: string;
  /** Stacks that are deployed before it. */
  readonly dependencies: readonly string[];
  readonly json: StackJson;
}

/** What is read here of a stack's Terraform JSON. */
export interface StackJson {
  readonly provider?: { readonly docker?: readonly { readonly alias?: string }[] };
  readonly resource?: Readonly<Record<string, Readonly<Record<string, ResourceJson>>>>;
}

export interface ResourceJson {
  /** `docker.consul-server1_host` */
  readonly provider?: string;
  readonly depends_on?: readonly string[];
}

/** CDKTF's list of what was synthesized. */
export interface Manifest {
  readonly stacks: Readonly<
    Record<
      string,
      {
        readonly synthesizedStackPath: string;
        readonly workingDirectory: string;
        readonly dependencies: readonly string[];
      }
    >
  >;
}

export const OUTPUT = "cdktf.out";

/** The stack that an agent of the file is in. */
export const stackOf = (stacks: readonly Stack[], agent: string): Stack =>
  stacks.find(({ json }) => json.resource?.docker_container?.[agent]) as Stack;

/**
 * Writes the Terraform JSON to cdktf.out by the project's own program, as `cdktf synth` does, in a quarter of its time.
 * @throws with what the program said, when it fails
 */
export async function synthesize(): Promise<Stack[]> {
  const { app } = JSON.parse(readFileSync("cdktf.json", "utf8")) as { app: string };
  await new Promise<void>((done, refuse) => {
    const env = { ...process.env, CDKTF_OUTDIR: OUTPUT };
    execFile("sh", ["-c", app], { env, maxBuffer: 64 * 1024 * 1024 }, (failure, _, stderr) =>
      failure ? refuse(new Error(stderr.trim() || failure.message)) : done(),
    );
  });
  const { stacks } = JSON.parse(readFileSync(join(OUTPUT, "manifest.json"), "utf8")) as Manifest;
  return Object.entries(stacks).map(([name, { synthesizedStackPath, workingDirectory, dependencies }]) => ({
    name,
    folder: resolve(OUTPUT, workingDirectory),
    dependencies,
    json: JSON.parse(readFileSync(join(OUTPUT, synthesizedStackPath), "utf8")),
  }));
}
