import type { ParsedClusterFile, RegistratorEntry, RegistratorSettings } from "../file/schema";
import type { AgentDescription, Daemon, HostDescription, Log, RegistratorDescription } from "../model";
import type { KeyPath } from "../problem";
import { socketOf } from "./daemon";
import { DEFAULTS } from "./defaults";

type File = Pick<ParsedClusterFile, "hosts" | "registrator">;

/** A host's own entry for registrator, if it has one. */
export const ownRegistrator = ({ hosts }: File, host: string): RegistratorEntry | undefined => {
  const entry = hosts[host];
  return typeof entry === "object" ? entry.registrator : undefined;
};

/** The path of a setting of a host's registrator: in the host's mapping, or at the top of the file. */
export function registratorPath(file: File, host: string, key?: keyof RegistratorSettings): KeyPath {
  const own = ownRegistrator(file, host);
  const has = (entry: RegistratorEntry) => key !== undefined && typeof entry === "object" && entry[key] !== undefined;
  const path =
    own !== undefined && (has(own) || !has(file.registrator)) ? ["hosts", host, "registrator"] : ["registrator"];
  return key === undefined ? path : [...path, key];
}

/** A host's settings of registrator: its own, merged into the cluster's. Undefined if registrator is off there. */
export function registratorSettings(file: File, host: string): RegistratorSettings | undefined {
  const own = ownRegistrator(file, host);
  if ((own ?? file.registrator) === "off") return undefined;
  const ofCluster = mappingOf(file.registrator);
  const ofHost = mappingOf(own);
  return { ...ofCluster, ...ofHost, flags: [...(ofCluster.flags ?? []), ...(ofHost.flags ?? [])] };
}

const mappingOf = (entry: RegistratorEntry | undefined): RegistratorSettings =>
  typeof entry === "object" ? entry : {};

/** Registrator's settings, with every default applied. */
export interface ResolvedRegistrator {
  readonly image: string;
  readonly container: string;
  /** The address that services are registered with. Undefined if registrator registers containers' own addresses. */
  readonly ip?: string;
  readonly internal: boolean;
  readonly resync: number;
  readonly cleanup: boolean;
  readonly deregister: "always" | "on-success";
  readonly retryAttempts: number;
  /** Undefined leaves it to registrator. */
  readonly retryInterval?: number;
  readonly tags: readonly string[];
  readonly socket: string;
  readonly flags: readonly string[];
  readonly log: Log;
  /** How long a deploy waits until registrator has its token, in seconds. */
  readonly readyTimeout: number;
}

/** Applies every default of registrator's settings, for cluster files and programs alike. */
export function resolveRegistrator(
  settings: RegistratorSettings & { readonly log?: Log; readonly readyTimeout?: number },
  host: { readonly address: string; readonly daemon: Daemon },
): ResolvedRegistrator {
  const { image, container, internal, resync, deregister, retryAttempts } = DEFAULTS.registrator;
  const isInternal = settings.internal ?? internal;
  const whenToDeregister = settings.deregister ?? deregister;
  return {
    image: settings.image ?? image,
    container: settings.container ?? container,
    ip: settings.ip ?? (isInternal ? undefined : host.address),
    internal: isInternal,
    resync: settings.resync ?? resync,
    // -cleanup would remove the services of failed containers, which `on-success` keeps.
    cleanup: settings.cleanup ?? whenToDeregister === "always",
    deregister: whenToDeregister,
    retryAttempts: settings.retry_attempts ?? retryAttempts,
    retryInterval: settings.retry_interval,
    tags: settings.tags ?? [],
    socket: settings.socket ?? socketOf(host.daemon),
    flags: settings.flags ?? [],
    log: settings.log ?? DEFAULTS.log,
    readyTimeout: settings.readyTimeout ?? DEFAULTS.readyTimeout,
  };
}

/** Whether any host runs registrator. Then the cluster has a token for it. */
export const usesRegistrator = (file: File): boolean =>
  Object.keys(file.hosts).some((host) => registratorSettings(file, host) !== undefined);

/**
 * One registrator for each host with an agent that is not decommissioned. It uses a client agent if the host has one,
 * to spare the server, and otherwise the first agent by name.
 * @param agents in the order of their names
 */
export function registratorsOf(
  file: File,
  hosts: readonly HostDescription[],
  agents: readonly AgentDescription[],
): RegistratorDescription[] {
  return hosts.flatMap((host) => {
    const settings = registratorSettings(file, host.name);
    if (!settings) return [];
    const there = agents.filter((agent) => agent.host.name === host.name && !agent.decommission);
    const agent = there.find(({ role }) => role === "client") ?? there[0];
    return agent ? [{ host, agent: agent.name, fileSettings: settings }] : [];
  });
}
