import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DeployEvent } from "../../../ops/deploy/events";
import type { PlannedStack } from "../../../ops/deploy/planned-stacks";
import { Progress } from "../../../ops/deploy/progress";
import { type ApplyLine, applyLine } from "../../../ops/terraform/apply-lines";

/** What a deploy of the article's agents would change: all containers, their steps, and the cluster's. */
const AGENTS = ["consul-client1", "consul-server1", "consul-server2", "consul-server3"];
const replaced = (type: string, name: string) =>
  ({ address: `${type}.${name}`, type, name, action: "replace", reasons: [] }) as const;
export const PLANNED: PlannedStack = {
  stack: "consul",
  without: [],
  unchanged: 0,
  outputsOnly: false,
  changes: [
    ...AGENTS.map((name) => replaced("docker_container", name)),
    ...AGENTS.flatMap((name) => [replaced("terraform_data", name), replaced("terraform_data", `${name}_services`)]),
    replaced("terraform_data", "consul_quorum"),
  ],
};

/**
 * What `terraform apply -json` printed on the test bed: `rolling` replaced the article's four agents; in `failing` the
 * second server got a flag that Consul does not have.
 */
export function recorded(name: "rolling" | "failing"): { readonly time: number; readonly line: ApplyLine }[] {
  const text = readFileSync(join(__dirname, "recorded", `${name}.jsonl`), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => ({ time: Date.parse(JSON.parse(line)["@timestamp"]), line: applyLine(line) }));
}

/** A deploy that is watched. */
export class Watched {
  readonly events: DeployEvent[] = [];
  now = 0;
  readonly progress: Progress;

  constructor(planned: readonly PlannedStack[] = [PLANNED]) {
    this.progress = new Progress(
      planned,
      (event) => this.events.push(event),
      () => this.now,
    );
  }

  /** Replays a recorded deploy, up to the first line that contains a text. */
  replay(name: "rolling" | "failing", until?: string): this {
    for (const { time, line } of recorded(name)) {
      this.now = time;
      this.progress.take("consul", line);
      if (until !== undefined && line.text.includes(until)) break;
    }
    return this;
  }

  /** The phases of an agent, in their order. */
  phases(agent: string): string[] {
    const phases = this.events.flatMap((event) =>
      event.event === "agent" && event.agent === agent ? [event.phase] : [],
    );
    return phases.filter((phase, index) => phase !== phases[index - 1]);
  }
}
