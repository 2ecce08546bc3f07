import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "../process";
import { inUse, reserveCheckout } from "./checkout-lock";

/** A stack as it was synthesized. */
export interface Stack {
  readonly name: string;
  /** Where Terraform runs for it: cdktf.out/stacks/<name>. */
  readonly folder: string;
  /** Stacks that are deployed before it. */
  readonly dependencies: readonly string[];
  readonly json: StackJson;
}

/** The part of a stack's Terraform JSON that is read here. */
export interface StackJson {
  readonly provider?: { readonly docker?: readonly { readonly alias?: string }[] };
  readonly resource?: Readonly<Record<string, Readonly<Record<string, ResourceJson>>>>;
  readonly data?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** A user's own. */
  readonly variable?: Readonly<Record<string, { readonly sensitive?: boolean }>>;
}

export interface ResourceJson {
  /** `docker.consul-server1_host` */
  readonly provider?: string;
  readonly depends_on?: readonly string[];
  /** Of a container: its name. */
  readonly name?: string;
  /** Of a network. */
  readonly ipam_config?: readonly { readonly subnet?: string }[];
  /** 0 for the container of a decommissioned agent. */
  readonly count?: number;
}

/** CDKTF's list of the synthesized stacks. */
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

/** Not in a stack's folder, which a plan may be copied from. */
const LOCK = join(OUTPUT, ".in-use");

/**
 * Writes the Terraform JSON to cdktf.out by the project's own program. `cdktf synth` does the same in four times the time.
 * Until this process ends, no other command of the checkout does that.
 * @throws with the program's errors, if it fails, and while another command uses cdktf.out
 */
export async function synthesize(): Promise<Stack[]> {
  const holder = reserveCheckout(LOCK);
  if (holder) throw inUse(holder);
  return writeJson();
}

/** The same, for a command that changes nothing: while another command uses cdktf.out, what that has synthesized. */
export async function synthesizeBesideOthers(): Promise<Stack[]> {
  if (!reserveCheckout(LOCK)) return writeJson();
  for (let attempts = 0; ; attempts++) {
    try {
      return synthesized();
    } catch (error) {
      // The other command is writing it.
      if (attempts === 100) throw error;
      await new Promise((resume) => setTimeout(resume, 100));
    }
  }
}

async function writeJson(): Promise<Stack[]> {
  const { app } = JSON.parse(readFileSync("cdktf.json", "utf8")) as { app: string };
  const env = { ...process.env, CDKTF_OUTDIR: OUTPUT };
  const { exitCode, error } = await run("sh", ["-c", app], { env });
  if (exitCode !== 0) throw new Error(error.trim() || `${app} ends with exit code ${exitCode}`);
  return synthesized();
}

function synthesized(): Stack[] {
  const { stacks } = JSON.parse(readFileSync(join(OUTPUT, "manifest.json"), "utf8")) as Manifest;
  return Object.entries(stacks).map(([name, { synthesizedStackPath, workingDirectory, dependencies }]) => ({
    name,
    folder: resolve(OUTPUT, workingDirectory),
    dependencies,
    json: JSON.parse(readFileSync(join(OUTPUT, synthesizedStackPath), "utf8")),
  }));
}
