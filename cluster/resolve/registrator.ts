import type { ParsedClusterFile, RegistratorEntry, RegistratorSettings } from "../file/schema";
import type { AgentDescription, HostDescription } from "../model";
import type { KeyPath } from "../problem";

/** A host's registrator, which registers the host's containers as services with one of the host's agents. */
export interface RegistratorDescription {
  readonly host: HostDescription;
  /** The agent's name. */
  readonly agent: string;
  readonly settings: RegistratorSettings;
}

/** The container's name, as in everybody's notes (gliderlabs.github.io/registrator/latest/user/quickstart). */
export const DEFAULT_CONTAINER = "registrator";

type File = Pick<ParsedClusterFile, "hosts" | "registrator">;

/** What a host's own line says of registrator, if anything. */
export const ownRegistrator = ({ hosts }: File, host: string): RegistratorEntry | undefined => {
  const entry = hosts[host];
  return typeof entry === "object" ? entry.registrator : undefined;
};

/** Where a setting of a host's registrator is written, or would be: with the host, or for the whole cluster. */
export function registratorPath(file: File, host: string, key?: keyof RegistratorSettings): KeyPath {
  const own = ownRegistrator(file, host);
  const says = (entry: RegistratorEntry) => key !== undefined && typeof entry === "object" && entry[key] !== undefined;
  const place =
    own !== undefined && (says(own) || !says(file.registrator)) ? ["hosts", host, "registrator"] : ["registrator"];
  return key === undefined ? place : [...place, key];
}

/** A host's settings of registrator: the cluster's, and its own, which have the last word. Undefined where it is off. */
export function registratorSettings(file: File, host: string): RegistratorSettings | undefined {
  const own = ownRegistrator(file, host);
  if ((own ?? file.registrator) === "off") return undefined;
  const [common, ofHost] = [file.registrator, own].map((entry) => (typeof entry === "object" ? entry : {})) as [
    RegistratorSettings,
    RegistratorSettings,
  ];
  return { ...common, ...ofHost, flags: [...(common.flags ?? []), ...(ofHost.flags ?? [])] };
}

/** Whether any host's registrator is on: then there is a token for it. */
export const usesRegistrator = (file: File): boolean =>
  Object.keys(file.hosts).some((host) => registratorSettings(file, host) !== undefined);

/**
 * One registrator to each host that has an agent which stays, however many it has: with a client before a server, which has enough to do; else with the
 * first by name.
 * @param agents in the order of their names
 */
export function registratorsOf(
  file: File,
  hosts: readonly HostDescription[],
  agents: readonly AgentDescription[],
): RegistratorDescription[] {
  return hosts.flatMap((host) => {
    const settings = registratorSettings(file, host.name);
    const there = agents.filter((agent) => agent.host.name === host.name && !agent.decommission);
    const agent = there.find(({ role }) => role === "client") ?? there[0];
    return settings && agent ? [{ host, agent: agent.name, settings }] : [];
  });
}
