import { eventually } from "./consul";
import type { LiveCluster } from "./live-cluster";
import { commandLine } from "./test-bed/processes";

/** The rollout's program on the operator's machine, and the docker CLIs by which it asks agents. */
export const PROGRAM = /^node \S*rollout\.cjs /;
export const DOCKER_CLI = /^docker .*\bexec -i /;
const OF_ROLLOUT = /rollout\.cjs|^docker |^ssh /;
/** What the program starts in containers. */
const IN_CONTAINERS = /(^|\s)nc\s|IFS= read -r host/;

/** Expects that no process of the rollout is left, neither on the operator's machine nor in a container. */
export function expectNothingLeft(cluster: LiveCluster): Promise<void> {
  return eventually(async () => {
    expect(cluster.testBed.operator.machine.processes(OF_ROLLOUT).map(commandLine)).toEqual([]);
    for (const name of cluster.agentNames) {
      const { stdout } = await cluster.docker(name, "top", name, "-o", "pid,args");
      const left = stdout.split("\n").filter((line) => IN_CONTAINERS.test(line));
      expect({ name, left }).toEqual({ name, left: [] });
    }
  });
}
