/** A line that `terraform apply -json` prints, as far as it is read here. */
export type ApplyLine = {
  /** What Terraform would print for people. */
  readonly text: string;
} & (
  | { readonly kind: "operation"; readonly phase: Phase; readonly resource: Resource; readonly action: string }
  | { readonly kind: "provisioner"; readonly phase: Phase; readonly resource: Resource }
  /** A line that a provisioner's program prints. */
  | { readonly kind: "output"; readonly resource: Resource; readonly line: string }
  | { readonly kind: "error"; readonly address: string | undefined }
  | { readonly kind: "other" }
);

type Phase = "start" | "complete" | "errored";

export interface Resource {
  readonly address: string;
  readonly type: string;
  /** Terraform's name: an agent's, for its container and its readiness check. */
  readonly name: string;
}

/** The format, as Terraform since 0.15.3 and OpenTofu write it ("ui": "1.x"). */
interface RawLine {
  readonly "@message": string;
  readonly type?: string;
  readonly hook?: {
    readonly resource: { readonly addr: string; readonly resource_type: string; readonly resource_name: string };
    readonly action?: string;
    readonly output?: string;
  };
  readonly diagnostic?: {
    readonly severity: string;
    readonly summary: string;
    readonly detail: string;
    readonly address?: string;
  };
}

/** Terraform announces the program that a provisioner starts. */
const ANNOUNCEMENT = /^Executing: \[/;
const HOOK = /^(apply|provision)_(start|complete|errored)$/;

/** Values of the configuration, which `-json` adds to an error, are not read: they could be secret. */
export function applyLine(line: string): ApplyLine {
  const raw = parsed(line);
  if (!raw) return { kind: "other", text: line };
  const { type = "", hook, diagnostic } = raw;
  const text = raw["@message"];
  if (diagnostic) {
    const { severity, summary, detail, address } = diagnostic;
    const told = [summary, detail].filter((part) => part !== "").join("\n");
    return severity === "error"
      ? { kind: "error", text: told, address }
      : { kind: "other", text: `${severity}: ${told}` };
  }
  if (!hook) return { kind: "other", text };
  const { addr: address, resource_type, resource_name: name } = hook.resource;
  const resource = { address, type: resource_type, name };
  if (type === "provision_progress") {
    const output = hook.output ?? "";
    return ANNOUNCEMENT.test(output) ? { kind: "other", text } : { kind: "output", text, resource, line: output };
  }
  const [, what, phase] = HOOK.exec(type) ?? [];
  if (what === "provision") return { kind: "provisioner", text, resource, phase: phase as Phase };
  if (what === "apply") return { kind: "operation", text, resource, phase: phase as Phase, action: hook.action ?? "" };
  return { kind: "other", text };
}

/** Undefined for a line in no format: of a program that starts Terraform, or of Terraform before it reads its options. */
function parsed(line: string): RawLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "@message" in value ? (value as RawLine) : undefined;
  } catch {
    return undefined;
  }
}
