import { isLoopback } from "../address";
import { stackName } from "../ids";
import type { Problem } from "../problem";
import type { Draft } from "../resolve";
import { settingPath, unique, valueAt } from "./places";

/** What works, and should be known: who else reaches the cluster, and how large a stack is. */
export const exposureProblems = (draft: Draft): Problem[] => [...exposure(draft), ...stackSizes(draft)];

function exposure(draft: Draft): Problem[] {
  const plain = draft.hosts
    .filter(({ daemon }) => daemon.kind === "plain")
    .map(({ name, daemon }): Problem => {
      const own = [valueAt(draft.file, ["hosts", name, "daemon"]) === undefined ? "daemon" : "hosts", name, "daemon"];
      return {
        code: "plain-tcp",
        path: own[0] === "hosts" ? own : ["daemon"],
        message: `host "${name}": whoever reaches ${daemon.url} has root on that host`,
        mend: "use ssh:// or tcp:// with TLS, or silence this with `accept: [plain-tcp]`",
      };
    });
  const open =
    draft.file.network === "bridge"
      ? []
      : draft.agents.filter(({ settings }) => settings.client?.split(/\s+/).some((address) => !isLoopback(address)));
  const openHttp = open.map(
    (agent): Problem => ({
      code: "open-http",
      path: settingPath(draft, agent, "client"),
      message: "without ACLs, whoever reaches the HTTP API can read and change everything",
      mend: "leave `client` out (127.0.0.1), or silence this with `accept: [open-http]`",
    }),
  );
  return [...plain, ...unique(openHttp)];
}

/** Terraform runs one provider process a host: 12 MB, and 0.2 s of CPU a plan (measured). */
const HOSTS_PER_STACK = 25;

function stackSizes(draft: Draft): Problem[] {
  return stackNames(draft).flatMap((stack) => {
    const count = draft.hosts.filter(({ group }) => stackName(draft.file.name, group) === stack).length;
    if (count <= HOSTS_PER_STACK) return [];
    return [
      {
        code: "big-group" as const,
        path: ["hosts"],
        message: `stack "${stack}" has ${count} hosts, and every plan asks all of them`,
        mend: `give hosts a \`group:\`, at most ${HOSTS_PER_STACK} to each`,
      },
    ];
  });
}

export const stackNames = ({ file, hosts }: Draft): string[] => [...new Set([file.name, ...hosts.map(({ group }) => stackName(file.name, group))])];
