import { isLoopback } from "../../consul/address";
import { stackName } from "../../consul/contract";
import type { Draft } from "../model";
import type { Violation } from "../problem";
import { stackNames } from "../resolve/stacks";
import { settingPath, unique, valueAt } from "./paths";

/** Warnings: who can reach the cluster without authentication, and how large a stack is. */
export const exposureProblems = (draft: Draft): Violation[] => [
  ...exposure(draft),
  ...openPublished(draft),
  ...stackSizes(draft),
];

function exposure(draft: Draft): Violation[] {
  const plain = draft.hosts
    .filter(({ daemon }) => daemon.kind === "plain")
    .map(({ name, daemon }): Violation => {
      const own = [valueAt(draft.file, ["hosts", name, "daemon"]) === undefined ? "daemon" : "hosts", name, "daemon"];
      return {
        code: "plain-tcp",
        path: own[0] === "hosts" ? own : ["daemon"],
        message: `host "${name}": every client that reaches ${daemon.url} has root access to the host`,
        hint: "use ssh:// or tcp:// with TLS, or silence this with `ignore: [plain-tcp]`",
      };
    });
  const open =
    draft.file.network === "bridge" || draft.stage === "strict"
      ? []
      : draft.agents.filter(({ clientAddresses }) => clientAddresses.some((address) => !isLoopback(address)));
  const openHttp = open.map(
    (agent): Violation => ({
      code: "open-http",
      path: settingPath(draft, agent, "client_addr"),
      message: "without ACLs, every client that reaches the HTTP API can read and change everything",
      hint: "remove `client_addr` (default 127.0.0.1), or silence this with `ignore: [open-http]`",
    }),
  );
  return [...plain, ...unique(openHttp)];
}

/** Ports of the API. Without ACLs, none of them authenticates its clients. */
const API_PORTS = ["http", "https", "grpc"] as const;

function openPublished(draft: Draft): Violation[] {
  if (draft.file.network !== "bridge" || draft.stage === "strict") return [];
  return unique(
    draft.agents.flatMap((agent) => {
      const key = API_PORTS.find((port) => agent.publish[port] !== undefined);
      if (key === undefined || isLoopback(agent.host.address)) return [];
      return [
        {
          code: "open-http" as const,
          path: settingPath(draft, agent, "publish", key),
          message: `without ACLs, every client that reaches ${agent.host.address} can read and change everything`,
          hint: "publish at a host of address 127.0.0.1, or silence this with `ignore: [open-http]`",
        },
      ];
    }),
  );
}

/** Terraform runs one provider process for each host: 12 MB, and 0.2 s of CPU for a plan (measured). */
const HOSTS_PER_STACK = 25;

function stackSizes(draft: Draft): Violation[] {
  return stackNames(draft.file.name, draft.hosts).flatMap((stack) => {
    const count = draft.hosts.filter(({ group }) => stackName(draft.file.name, group) === stack).length;
    if (count <= HOSTS_PER_STACK) return [];
    return [
      {
        code: "big-group" as const,
        path: ["hosts"],
        message: `stack "${stack}" has ${count} hosts, and every plan connects to all of them`,
        hint: `give hosts a \`group:\`, at most ${HOSTS_PER_STACK} hosts in each`,
      },
    ];
  });
}
