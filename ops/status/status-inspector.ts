import type { Cluster, HostDescription } from "../../cluster/model";
import { stackNames } from "../../cluster/resolve/stacks";
import { adaptiveTimeoutSeconds } from "../docker/hosts";
import { type Inspection, inspect, type KnownResources } from "../inspect/inspection";
import type { Timeouts } from "../inspect/probe";
import { parallel } from "../parallel";
import { readStateByBackend } from "../terraform/state";

/** Terraform processes at once, where the state is not a file of this machine. */
const STATES_AT_ONCE = 8;
/** How long a state is taken for what it is while nothing is wrong. */
const STATE_SECONDS = 30;

/** What was found at one time. */
export interface StatusInspection extends Inspection {
  readonly at: Date;
  /** Why nothing is compared with the state, if so. */
  readonly stateUnread?: string;
}

export interface SurveyOptions {
  /** Seconds after which a host counts as one that does not answer. Default three, or more while this machine is busy. */
  readonly timeout?: number;
  /** Is told of each host that does not answer, at once. */
  readonly onSilent?: (host: HostDescription, why: string) => void;
}

/** Looks at a cluster, again and again if need be. Writes nothing to what is synthesized: a deploy may be under way. */
export class StatusInspector {
  private known?: { readonly resources: KnownResources; readonly until: number };

  constructor(private readonly cluster: Cluster) {}

  async survey({ timeout, onSilent }: SurveyOptions = {}): Promise<StatusInspection> {
    const daemon = timeout ?? (await adaptiveTimeoutSeconds());
    // Of an agent that answers slowly more is known than that its host is gone.
    const patience: Timeouts = { daemon, answer: 2 * daemon, question: Math.ceil((2 * daemon) / 3) };
    const remembered = this.remembered(patience.answer);
    const examination = await inspect(this.cluster, remembered, { patience, onSilent });
    // What is wrong may be what has just been deployed.
    if (examination.findings.length > 0) this.known = undefined;
    const resources = await remembered;
    return { at: new Date(), ...examination, ...(typeof resources === "string" && { stateUnread: resources }) };
  }

  private async remembered(seconds: number): Promise<KnownResources> {
    if (this.known && this.known.until > Date.now()) return this.known.resources;
    const { name, hosts, backend } = this.cluster;
    const signal = AbortSignal.timeout(seconds * 1000);
    try {
      const states = await parallel(stackNames(name, hosts), STATES_AT_ONCE, (stack) =>
        readStateByBackend(backend, stack, signal),
      );
      const resources = states.flatMap((state) => state.resources);
      this.known = { resources, until: Date.now() + STATE_SECONDS * 1000 };
      return resources;
    } catch (error) {
      return signal.aborted ? `it was not read within ${seconds} s` : (error as Error).message;
    }
  }
}
