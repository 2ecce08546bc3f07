import { DockerInTurn } from "../../rollout/docker-in-turn";
import type { Meanwhile, Outcome } from "../../rollout/outcome";
import { TerraformRun } from "../../rollout/parallelism";
import type { AskedServer } from "../../rollout/pre-stop-server";
import type { Processes } from "../../rollout/processes";
import { Queue, type SharedFolder } from "../../rollout/queue";
import type { Ask, StopTools } from "../../rollout/stop-check";
import { folder } from "../cluster-files";
import type { FakeDocker } from "./docker-fake";
import type { SimulatedCluster } from "./simulation";

const PROCESSES: Processes = { commandLine: () => "", isAlive: () => true, startOf: () => "" };

export const target = (container: string) => ({ daemon: "ssh://root@10.0.0.1", container });

/** Nothing else decides about a stop. */
export const ALONE: Meanwhile = { ended: () => undefined, isUndecided: () => false };

/** What requests about the first of three servers have in common. */
export const STOP_OF_SERVER = {
  target: target("s1"),
  role: "server",
  owner: "s1",
  node: "s1",
  servers: [target("s2"), target("s3")],
  limit: 3,
  seconds: 60,
} as const;

/** A queue's folder in memory. */
export function memoryFolder(): SharedFolder & { readonly files: Set<string> } {
  const files = new Set<string>();
  return {
    files,
    list: async () => [...files],
    create: async (name) => void files.add(name),
    remove: async (name) => void files.delete(name),
  };
}

/** Asks agents of a simulated cluster, each once. @param own the first, if it is the agent itself */
export function asking(cluster: SimulatedCluster, names: readonly string[], own?: string): Ask {
  return async (decide) => {
    let outcome: Outcome = { kind: "unknown", reason: "there is no agent to ask" };
    for (const name of names) {
      const asked: AskedServer = {
        api: cluster.api(name),
        isOwn: name === own,
        connects: cluster.connects,
      };
      outcome = await decide(asked);
      if (outcome.kind !== "unknown") break;
    }
    return outcome;
  };
}

/** What a stop needs of where it runs, in one run of Terraform, and what a test sees of it. */
export function stopTools(cluster: SimulatedCluster, docker: FakeDocker, env: NodeJS.ProcessEnv = {}) {
  const log: string[] = [];
  const queue = memoryFolder();
  const servers = memoryFolder();
  const beginnings = memoryFolder();
  const run = new TerraformRun(100, { TF_DATA_DIR: folder(), ...env }, PROCESSES, 1);
  const tools: StopTools = {
    docker,
    dockerInTurn: new DockerInTurn(docker, new Queue(beginnings, PROCESSES, 1), cluster.simulation.clock),
    ask: asking(cluster, ["s1", "s2", "s3"], "s1"),
    run,
    queue: new Queue(queue, PROCESSES, 1),
    servers: new Queue(servers, PROCESSES, 1),
    clock: cluster.simulation.clock,
    log: (line) => log.push(line),
  };
  return { tools, log, run, queue, servers, beginnings };
}
