import type { Cluster, HostDescription } from "../../cluster/model";
import { stackNames } from "../../cluster/resolve/stacks";
import { RefusedVariables } from "../../cluster/terraform-variables";
import { adaptiveTimeoutSeconds } from "../docker/hosts";
import { type Inspection, inspect, type KnownResources } from "../inspect/inspection";
import type { Timeouts } from "../inspect/probe";
import { parallel } from "../parallel";
import { SecretsFolder } from "../secrets/folder";
import { type CertificateExpiry, expiries } from "../secrets/inventory";
import { readStateByBackend } from "../terraform/state";

/** Terraform processes in parallel, where the Terraform state is not a local file. */
const PARALLEL_STATES = 8;
/** How long a Terraform state is cached while the cluster is healthy. */
const CACHE_SECONDS = 30;

/** An inspection at one time. */
export interface StatusInspection extends Inspection {
  readonly at: Date;
  /** Why the Terraform state could not be read. */
  readonly stateUnread?: string;
  /** When certificates of the secrets folder expire; none where the folder is not. */
  readonly certificates: readonly CertificateExpiry[];
}

export interface StatusInspectionOptions {
  /** Seconds after which a host counts as unreachable. Default 3, or more while this machine is busy. */
  readonly timeout?: number;
  /** Called for each unreachable host, as soon as it is known. */
  readonly onUnreachable?: (host: HostDescription, why: string) => void;
}

/** Inspects a cluster, once or repeatedly. It does not write to the synthesized stacks, because a deploy may be in progress. */
export class StatusInspector {
  private cache?: { readonly resources: KnownResources; readonly until: number };

  constructor(private readonly cluster: Cluster) {}

  async inspect({ timeout, onUnreachable }: StatusInspectionOptions = {}): Promise<StatusInspection> {
    const daemon = timeout ?? (await adaptiveTimeoutSeconds());
    // A slow agent tells more than an unreachable host, so its limits are longer.
    const timeouts: Timeouts = { daemon, answer: 2 * daemon, request: Math.ceil((2 * daemon) / 3) };
    const reading = this.readResources(timeouts.answer);
    const inspection = await inspect(this.cluster, reading, { timeouts, onUnreachable });
    // A problem may come from a deploy that the cached state does not have.
    if (inspection.problems.length > 0) this.cache = undefined;
    const resources = await reading;
    const stateUnread = typeof resources === "string" ? resources : undefined;
    const { security } = this.cluster;
    const certificates = security ? expiries(this.cluster, new SecretsFolder(security.secrets)) : [];
    return { at: new Date(), ...inspection, stateUnread, certificates };
  }

  private async readResources(seconds: number): Promise<KnownResources> {
    if (this.cache && this.cache.until > Date.now()) return this.cache.resources;
    const { name, hosts, backend } = this.cluster;
    const signal = AbortSignal.timeout(seconds * 1000);
    try {
      const states = await parallel(stackNames(name, hosts), PARALLEL_STATES, (stack) =>
        readStateByBackend(backend, stack, signal),
      );
      const resources = states.flatMap((state) => state.resources);
      this.cache = { resources, until: Date.now() + CACHE_SECONDS * 1000 };
      return resources;
    } catch (error) {
      if (error instanceof RefusedVariables) throw error;
      return signal.aborted ? `it was not read within ${seconds} s` : (error as Error).message;
    }
  }
}
