import { METRICS_TOKEN } from "../../consul/acl-policies";
import { isLoopback } from "../../consul/address";
import type { AgentDescription, Draft } from "../model";
import type { Violation } from "../problem";
import { metricsOf } from "../resolve/metrics";
import { settingPath, unique, valueAt } from "./paths";

/** Metrics need a token's name, and a port that a program on another machine reaches. */
export function metricsProblems(draft: Draft): Violation[] {
  if (!metricsOf(draft.file)) return [];
  return [...taken(draft), ...unique(draft.agents.flatMap((agent) => unreached(draft, agent)))];
}

const taken = ({ file }: Draft): Violation[] =>
  (["tokens", "policies"] as const)
    .map((section) => ["security", section, METRICS_TOKEN])
    .filter((path) => valueAt(file, path) !== undefined)
    .map((path) => ({
      code: "invalid-name",
      path,
      atKey: true,
      message: `"${METRICS_TOKEN}" is the name that \`metrics:\` uses`,
      hint: "choose another name",
    }));

const SILENCE = "or silence this with `ignore: [unreachable-metrics]`";

/** HTTPS opens by itself. Plain HTTP, which asks for no certificate, is opened by the operator alone. */
function unreached(draft: Draft, agent: AgentDescription): Violation[] {
  const scheme = agent.ports.https > 0 ? "https" : "http";
  const found = (setting: string[], message: string, hint: string): Violation[] => [
    {
      code: "unreachable-metrics",
      path: settingPath(draft, agent, ...setting),
      message: `${message}, so other machines cannot scrape the metrics`,
      hint: `${hint}, ${SILENCE}`,
    },
  ];
  if (draft.file.network === "bridge") {
    if (agent.publish[scheme] !== undefined) return [];
    return found(["publish"], `its port of ${scheme} is not published`, `set \`publish: { ${scheme}: PORT }\``);
  }
  if (scheme === "https" || agent.clientAddresses.some((address) => !isLoopback(address))) return [];
  if (agent.stage === "strict") return found(["ports", "https"], "HTTPS is off", "remove `ports.https`");
  return found(["client_addr"], "plain HTTP listens on loopback only", 'set `client_addr: "127.0.0.1 {address}"`');
}
