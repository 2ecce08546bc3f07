import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { STOP_TIMEOUT_SECONDS } from "../../constructs/agent-container";
import { apiOf, consulApi, containerScripts, inAgent } from "../consul-api/consul-api";
import { inspectContainer } from "../docker/container";
import { docker, dockerCommand } from "../docker/docker";
import { unreachableHosts } from "../docker/hosts";
import { parallel } from "../parallel";
import { logLines } from "../process";
import { ProvisionerRunner } from "../terraform/provisioner-runner";
import { type Stack, stackOf } from "../terraform/synth";
import { SNAPSHOT_SCRIPT } from "./save";
import { type ServerProbe, serversOf } from "./servers";
import { stream } from "./stream";

const script = (name: string, ...behind: readonly string[]): string =>
  containerScripts(...behind) + readFileSync(join(__dirname, `${name}.sh`), "utf8");
const SCRIPTS = {
  authority: script("reclaim-management-token", "consul-api", "management-api"),
  restored: script("purge-stale-catalog", "consul-api", "management-api"),
  works: script("verify-agent", "consul-api"),
  trial: script("test-restore"),
} as const;

/** A snapshot of gigabytes, over a slow line, and its restoration. */
const RESTORE_SECONDS = 3600;
const TRIAL_SECONDS = 600;
/** For the servers to answer again, and for an agent to notice by itself what has changed. */
const SOON = 20;
/** Docker CLIs at once, each with an ssh. */
const AT_ONCE = 16;

/** What became of the agents after a restore. */
export interface Settled {
  /** Clients that were restarted, so that the servers give them certificates anew. */
  readonly restarted: readonly string[];
  /** What failed or was unreachable, and why. */
  readonly left: readonly string[];
}

/** Puts a snapshot in the place of a cluster's state, and makes the cluster work again with the secrets that it has. */
export class Restoration {
  constructor(
    private readonly cluster: Cluster,
    private readonly stacks: readonly Stack[],
    private readonly say: (line: string) => void,
  ) {}

  /**
   * Sees to it that the cluster takes the management token of its servers' secrets.
   * @throws when it does not
   */
  async claim(servers: readonly AgentDescription[], seconds = SOON): Promise<void> {
    if (!this.cluster.security) return;
    const refusals: string[] = [];
    for (const server of servers) {
      const refusal = await this.run(server, "authority", [seconds]);
      if (refusal === undefined) return;
      refusals.push(`${server.name}: ${refusal}`);
    }
    throw new Error(refusals.join("\n"));
  }

  /**
   * Restores it on a host, into a container that is removed again: a leader that cannot restore a snapshot ends in the attempt.
   * @param servers that answer, the leader first: it is tried elsewhere if it can be
   * @throws when it cannot be restored, or not be tried
   */
  async tryOut(servers: readonly ServerProbe[], file: string): Promise<void> {
    const { agent } = servers.at(-1) as ServerProbe;
    const { daemon } = agent.host;
    this.say(`restoring it for trial, in a container of its own on ${agent.host.name}`);
    const container = await inspectContainer(daemon, agent.container);
    // When memory runs out, it is this one's end.
    const options = ["--rm", "-i", "--network", "none", "--oom-score-adj", "1000", "--entrypoint", "sh"];
    const words = [
      "run",
      ...options,
      container?.Image ?? "",
      "-c",
      SCRIPTS.trial,
      "sh",
      this.cluster.datacenter,
      String(TRIAL_SECONDS),
    ];
    const { ok, error } = await stream(daemon, words, { from: file, seconds: TRIAL_SECONDS + 60 });
    if (!ok)
      throw new Error(
        `${file} could not be restored for trial, in a container of its own on ${agent.host.name}\n${error}`,
      );
  }

  /** @throws when the server says no; what the cluster has then is not known */
  async restore({ agent }: ServerProbe, file: string): Promise<void> {
    const place = apiOf(agent);
    const words = inAgent(place, SNAPSHOT_SCRIPT, ["-T", "-", "-m", String(RESTORE_SECONDS)], "-i");
    const { ok, output, error } = await stream(place.daemon, words, { from: file, seconds: RESTORE_SECONDS });
    if (!ok) throw new Error([error, output.trim()].filter(Boolean).join(": "));
  }

  /**
   * Everything that has to be done about a state of another time, or of another cluster. Done again it changes nothing.
   * @throws when it cannot be done
   */
  async settle({ agent: server }: ServerProbe): Promise<Settled> {
    const servers = [server, ...serversOf(this.cluster).filter((other) => other !== server)];
    await this.claim(servers);
    const { readyTimeout } = this.cluster;
    this.must(await this.run(server, "restored", [readyTimeout]));
    // Tokens and autopilot's settings are of the snapshot's time.
    const { folder } = this.stacks.find(({ name }) => name === this.cluster.name) as Stack;
    this.must(await new ProvisionerRunner(folder, this.say).runFinalSteps());

    const agents = this.cluster.agents.filter(({ decommission }) => !decommission);
    const unreachable = await unreachableHosts([...new Set(agents.map(({ host }) => host))]);
    const reachable = agents.filter(({ host }) => !unreachable.has(host.name));
    // Where the folder has others than they were last given, only these are made now.
    if (this.cluster.security)
      await parallel(reachable, AT_ONCE, async ({ name }) =>
        this.must(await this.questions(name).deliverSecrets(name)),
      );
    const roots = await this.roots(server);
    this.say("waiting until every agent gets through to the servers with its token");
    const refusals = await parallel(reachable, AT_ONCE, (agent) => this.whyNotWorking(agent, roots, SOON));
    const cut = reachable.filter(({ role }, index) => role === "client" && refusals[index] !== undefined);
    const failed = reachable.flatMap(({ role, name }, index) =>
      role === "server" && refusals[index] !== undefined ? [`${name}: ${refusals[index]}`] : [],
    );
    const again = await parallel(cut, this.cluster.maxParallelClients, async (client) => {
      const why = (await this.restart(client)) ?? (await this.whyNotWorking(client, roots, readyTimeout));
      return why === undefined ? [] : [`${client.name}: ${why}`];
    });
    const left = agents.flatMap(({ name, host }) =>
      unreachable.has(host.name) ? [`${name}: its host is unreachable: ${unreachable.get(host.name)}`] : [],
    );
    return { restarted: cut.map(({ name }) => name), left: [...failed, ...again.flat(), ...left] };
  }

  /** IDs of the roots of the Connect CA, by which clients have their certificates; none where they have none. */
  private async roots(server: AgentDescription): Promise<string> {
    if ((this.cluster.security?.stage ?? "permissive") === "permissive") return "";
    const { ok, output } = await consulApi(apiOf(server), ["-f", "/v1/connect/ca/roots"]);
    const { Roots = [] } = ok ? (JSON.parse(output) as { Roots?: { ID: string }[] }) : {};
    return Roots.map(({ ID }) => ID)
      .sort()
      .join(" ");
  }

  private whyNotWorking(agent: AgentDescription, roots: string, seconds: number): Promise<string | undefined> {
    return this.run(agent, "works", [seconds, agent.role === "client" ? roots : ""], () => undefined);
  }

  /** In its turn, as a deploy would stop it, so that the servers sign it a certificate as to a new agent. */
  private async restart({ name, node, container, host }: AgentDescription): Promise<string | undefined> {
    this.say(`${name}: restarting, so that it has a certificate by the CA that the servers have now`);
    const questions = this.questions(name);
    const refusal = await questions.checkBeforeStop(name, { container, node });
    if (refusal) return refusal;
    const { ok, error } = await docker(
      host.daemon,
      ["restart", "-t", String(STOP_TIMEOUT_SECONDS), container],
      2 * STOP_TIMEOUT_SECONDS,
    );
    return ok ? questions.waitUntilReady(name) : error;
  }

  /** @returns why it failed; undefined when it did not */
  private run(
    agent: AgentDescription,
    name: "authority" | "restored" | "works",
    args: readonly (string | number)[],
    say = (line: string) => this.say(`${agent.name}: ${line}`),
  ): Promise<string | undefined> {
    const place = apiOf(agent);
    const [program, words, options] = dockerCommand(place.daemon, inAgent(place, SCRIPTS[name], args.map(String)), [
      "ignore",
      "pipe",
      "pipe",
    ]);
    return logLines(spawn(program, words, options), say);
  }

  private questions(agent: string): ProvisionerRunner {
    return new ProvisionerRunner(stackOf(this.stacks, agent).folder, this.say);
  }

  private must(refusal: string | undefined): void {
    if (refusal !== undefined) throw new Error(refusal);
  }
}
