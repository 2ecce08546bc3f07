import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { STOP_TIMEOUT_SECONDS } from "../../consul/contract";
import { SYSTEM_CLOCK } from "../../rollout/clock";
import { readJson } from "../../rollout/reconcile/management";
import { tryWithAgent, withAgent } from "../docker/agent";
import { inspectContainer } from "../docker/container";
import { docker } from "../docker/docker";
import { unreachableHosts } from "../docker/hosts";
import { parallel } from "../parallel";
import { RolloutRunner } from "../terraform/rollout-runner";
import { type Stack, stackOf } from "../terraform/synth";
import { reclaimManagementToken } from "./management-token";
import { snapshotArguments } from "./save";
import { type ServerProbe, serversOf } from "./servers";
import { purgeStaleCatalog } from "./stale-catalog";
import { stream } from "./stream";
import { rootIds, whyNotVerified } from "./verify-agent";

const TEST_RESTORE_SCRIPT = readFileSync(join(__dirname, "test-restore.sh"), "utf8");

/** Enough to send gigabytes over a slow line, and to restore them. */
const RESTORE_SECONDS = 3600;
const TEST_SECONDS = 600;
/** Time for the servers to answer again, and for an agent to notice a change by itself. */
const SETTLE_SECONDS = 20;
/** Docker CLIs in parallel, each with an ssh connection. */
const PARALLEL = 16;

/** The agents after a restore. */
export interface Settled {
  /** Client agents that were restarted, so that the servers reissue their certificates. */
  readonly restarted: readonly string[];
  /** What failed or was unreachable, and why. */
  readonly left: readonly string[];
}

/** Replaces a cluster's data by a snapshot, and makes the cluster healthy again with its present secrets. */
export class Restoration {
  constructor(
    private readonly cluster: Cluster,
    private readonly stacks: readonly Stack[],
    private readonly log: (line: string) => void,
  ) {}

  /**
   * Makes the cluster accept the management token of its servers' secrets.
   * @throws when no server can
   */
  async claim(servers: readonly AgentDescription[], seconds = SETTLE_SECONDS): Promise<void> {
    if (!this.cluster.security) return;
    const denials: string[] = [];
    for (const server of servers) {
      const denial = await tryWithAgent(server, (container) =>
        reclaimManagementToken(container, seconds, SYSTEM_CLOCK, this.logOf(server)),
      );
      if (denial === undefined) return;
      denials.push(`${server.name}: ${denial}`);
    }
    throw new Error(denials.join("\n"));
  }

  /**
   * Restores the snapshot in a short-lived container on a host, because a leader that cannot restore a snapshot crashes.
   * @param servers reachable ones, the leader first. The test runs on the last one's host
   * @throws when the snapshot cannot be restored, or the test cannot run
   */
  async testRestore(servers: readonly ServerProbe[], file: string): Promise<void> {
    const { agent } = servers.at(-1) as ServerProbe;
    const { daemon } = agent.host;
    this.log(`test restore, in a separate container on ${agent.host.name}`);
    const container = await inspectContainer(daemon, agent.container);
    // If memory runs out, the kernel ends this container first.
    const options = ["--rm", "-i", "--network", "none", "--oom-score-adj", "1000", "--entrypoint", "sh"];
    const words = [
      "run",
      ...options,
      container?.Image ?? "",
      "-c",
      TEST_RESTORE_SCRIPT,
      "sh",
      this.cluster.datacenter,
      String(TEST_SECONDS),
    ];
    const { ok, error } = await stream(daemon, words, { from: file, seconds: TEST_SECONDS + 60 });
    if (!ok)
      throw new Error(`${file}: the test restore failed, in a separate container on ${agent.host.name}\n${error}`);
  }

  /** @throws when the server fails; the state of the cluster's data is then unknown */
  async restore({ agent }: ServerProbe, file: string): Promise<void> {
    const args = snapshotArguments(agent, ["-T", "-", "-m", String(RESTORE_SECONDS)]);
    const { ok, output, error } = await stream(agent.host.daemon, args, { from: file, seconds: RESTORE_SECONDS });
    if (!ok) throw new Error([error, output.trim()].filter(Boolean).join(": "));
  }

  /**
   * Adapts the cluster to data of another time, or of another cluster. A repetition changes nothing.
   * @throws when a step fails
   */
  async settle({ agent: server }: ServerProbe): Promise<Settled> {
    const servers = [server, ...serversOf(this.cluster).filter((other) => other !== server)];
    await this.claim(servers);
    const { readyTimeout } = this.cluster;
    this.must(
      await tryWithAgent(server, ({ api }) => purgeStaleCatalog(api, readyTimeout, SYSTEM_CLOCK, this.logOf(server))),
    );
    // The snapshot has older tokens and autopilot settings.
    const { folder } = this.stacks.find(({ name }) => name === this.cluster.name) as Stack;
    this.must(await new RolloutRunner(folder, this.log).runFinalSteps());

    const agents = this.cluster.agents.filter(({ decommission }) => !decommission);
    const unreachable = await unreachableHosts([...new Set(agents.map(({ host }) => host))]);
    const reachable = agents.filter(({ host }) => !unreachable.has(host.name));
    // If the secrets folder has newer secrets than were delivered, only the newer tokens exist now.
    if (this.cluster.security)
      await parallel(reachable, PARALLEL, async ({ name }) =>
        this.must(await this.provisioners(name).deliverSecrets(name)),
      );
    const roots = await this.roots(server);
    this.log("waiting until the servers accept every agent's token");
    const denials = await parallel(reachable, PARALLEL, (agent) => this.whyNotVerified(agent, roots, SETTLE_SECONDS));
    const failedClients = reachable.filter(({ role }, index) => role === "client" && denials[index] !== undefined);
    const failed = reachable.flatMap(({ role, name }, index) =>
      role === "server" && denials[index] !== undefined ? [`${name}: ${denials[index]}`] : [],
    );
    const again = await parallel(failedClients, this.cluster.maxParallelClients, async (client) => {
      const why = (await this.restart(client)) ?? (await this.whyNotVerified(client, roots, readyTimeout));
      return why === undefined ? [] : [`${client.name}: ${why}`];
    });
    const left = agents.flatMap(({ name, host }) =>
      unreachable.has(host.name) ? [`${name}: its host is unreachable: ${unreachable.get(host.name)}`] : [],
    );
    return { restarted: failedClients.map(({ name }) => name), left: [...failed, ...again.flat(), ...left] };
  }

  /**
   * IDs of the roots of the Connect CA, which issues client agents' certificates; empty without such certificates.
   * @throws when the server does not tell them
   */
  private async roots(server: AgentDescription): Promise<string> {
    if (this.cluster.stage === "off" || this.cluster.stage === "permissive") return "";
    return withAgent(server, async ({ api }) => rootIds(await readJson(api, "/v1/connect/ca/roots", "agent")));
  }

  private whyNotVerified(agent: AgentDescription, roots: string, seconds: number): Promise<string | undefined> {
    const wanted = agent.role === "client" ? roots : "";
    return tryWithAgent(agent, (container) => whyNotVerified(container, wanted, seconds, SYSTEM_CLOCK));
  }

  /** Restarts a client agent with a deploy's pre-stop check and rollout slot, so that the servers issue its certificate as for a new agent. */
  private async restart({ name, node, container, host }: AgentDescription): Promise<string | undefined> {
    this.log(`${name}: restarting, so that it gets a certificate from the servers' present CA`);
    const provisioners = this.provisioners(name);
    const denial = await provisioners.checkBeforeStop(name, { container, node });
    if (denial) return denial;
    const { ok, error } = await docker(host.daemon).run(["restart", "-t", String(STOP_TIMEOUT_SECONDS), container], {
      seconds: 2 * STOP_TIMEOUT_SECONDS,
    });
    return ok ? provisioners.waitUntilReady(name) : error;
  }

  private logOf({ name }: AgentDescription): (line: string) => void {
    return (line) => this.log(`${name}: ${line}`);
  }

  private provisioners(agent: string): RolloutRunner {
    return new RolloutRunner(stackOf(this.stacks, agent).folder, this.log);
  }

  private must(denial: string | undefined): void {
    if (denial !== undefined) throw new Error(denial);
  }
}
