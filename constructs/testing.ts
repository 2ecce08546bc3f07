import { Testing as Cdktf, type TerraformStack } from "cdktf";
import { scriptOf } from "./container-scripts";

/** Arguments of a resource, a provider or an output, by Terraform's names. */
export type SynthesizedBlock = Readonly<Record<string, unknown>>;

/** A stack's JSON, as a test reads it. */
export interface SynthesizedStack {
  /** Resources by type and Terraform id: `resource.docker_container["server1"]`. */
  readonly resource: Readonly<Record<string, Readonly<Record<string, SynthesizedBlock>>>>;
  /** Outputs by id. */
  readonly output: Readonly<Record<string, SynthesizedBlock>>;
  /** Providers by type. */
  readonly provider: Readonly<Record<string, readonly SynthesizedBlock[]>>;
  /** Terraform's own settings: required versions and the backend. */
  readonly terraform: SynthesizedBlock;
}

/** What unit tests of a stack need, beside CDKTF's own Testing. */
export const Testing = {
  /**
   * Synthesizes a stack, and returns its JSON in a form for snapshots: without CDKTF's metadata, with `<project>` for the
   * folder that the test runs in, and with the name in place of an uploaded script's hash: `<health.sh>`.
   * @throws Error for what a synth rejects
   */
  synth(stack: TerraformStack): SynthesizedStack {
    const json = JSON.parse(Cdktf.synth(stack, true), (_, value: unknown) => readable(value));
    return { resource: {}, output: {}, ...json };
  },
};

function readable(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const script = scriptOf(value);
  return script === undefined ? value.replaceAll(process.cwd(), "<project>") : `<${script}>`;
}
