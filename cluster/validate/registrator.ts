import { addressInSubnet, family } from "../../consul/address";
import { registratorId } from "../../consul/contract";
import type { RegistratorSettings } from "../file/schema";
import type { AgentDescription, Draft } from "../model";
import type { Violation } from "../problem";
import { DEFAULTS } from "../resolve/defaults";
import { ownRegistrator, registratorPath, registratorSettings } from "../resolve/registrator";
import { ownedFlags } from "./consul-settings";
import { byTag, unique } from "./paths";

/** Each host's registrator needs an agent, and settings that do not contradict each other. */
export function registratorProblems(draft: Draft): Violation[] {
  return unique(
    draft.hosts.flatMap((host) => {
      const settings = registratorSettings(draft.file, host.name);
      if (!settings) return [];
      const there = draft.agents.filter((agent) => agent.host.name === host.name);
      if (there.length === 0)
        return ownRegistrator(draft.file, host.name) === undefined ? [] : [withoutAgent(draft, host.name)];
      return [
        ...unreached(draft, host.name),
        ...settingsProblems(draft, host.name, settings),
        ...there.flatMap((agent) => [...containerTaken(draft, agent, settings), ...addressTaken(draft, agent)]),
      ];
    }),
  );
}

/** Registrator's flags that have a key of their own in the file. */
const OWNED_FLAGS: Readonly<Record<string, string>> = {
  "-cleanup": "cleanup",
  "-deregister": "deregister",
  "-internal": "internal",
  "-ip": "ip",
  "-resync": "resync",
  "-retry-attempts": "retry_attempts",
  "-retry-interval": "retry_interval",
  "-tags": "tags",
};

function withoutAgent({ file }: Draft, host: string): Violation {
  return {
    code: "invalid-value",
    path: registratorPath(file, host),
    message: `no agent is on host "${host}", and registrator registers services with the agent of its own host`,
    hint: "put an agent on it, or remove `registrator` there",
  };
}

function unreached({ file, stage }: Draft, host: string): Violation[] {
  if (file.network !== "bridge" || stage !== "strict") return [];
  return [
    {
      code: "invalid-value",
      path: registratorPath(file, host),
      message:
        "at stage strict, in a bridge network, an agent's plain HTTP listens inside its container only, and registrator is in another container",
      hint: "use `network: host`, or remove `registrator`",
    },
  ];
}

function settingsProblems(
  { file, security }: Draft,
  host: string,
  { image, ip, cleanup, deregister }: RegistratorSettings,
): Violation[] {
  const at = (key: keyof RegistratorSettings) => registratorPath(file, host, key);
  const problems = flagsOf(file, host).flatMap(({ path, flags }) => ownedFlags(flags, path, OWNED_FLAGS));
  if (ip !== undefined && !family(ip)) {
    problems.push({
      code: "invalid-address",
      path: at("ip"),
      message: `${ip} is not an IP address`,
      hint: "use the address at which clients reach the services of this host",
    });
  }
  if (cleanup && deregister === "on-success") {
    problems.push({
      code: "invalid-value",
      path: at("cleanup"),
      message: "`cleanup` would deregister the services of failed containers, which `deregister: on-success` keeps",
      hint: "remove one of them",
    });
  }
  return image !== undefined && security ? [...problems, ...byTag(image, at("image"))] : problems;
}

/** The cluster's flags and the host's own are added to each other. */
function flagsOf(file: Draft["file"], host: string) {
  const own = ownRegistrator(file, host);
  return [
    { path: ["registrator", "flags"], entry: file.registrator },
    { path: ["hosts", host, "registrator", "flags"], entry: own },
  ].map(({ path, entry }) => ({ path, flags: typeof entry === "object" ? entry.flags : undefined }));
}

function containerTaken(
  { file }: Draft,
  { name, container, host }: AgentDescription,
  settings: RegistratorSettings,
): Violation[] {
  if (container !== (settings.container ?? DEFAULTS.registrator.container)) return [];
  return [
    {
      code: "duplicate-container",
      path: registratorPath(file, host.name, "container"),
      message: `"${container}" is the container of "${name}" and of registrator on host "${host.name}"`,
      hint: "give one of them another `container:`",
    },
  ];
}

/** In a bridge network, addresses are derived from names. */
function addressTaken({ file }: Draft, { name, path, host }: AgentDescription): Violation[] {
  const address = addressInSubnet(file.subnet, name);
  if (file.network !== "bridge" || address !== addressInSubnet(file.subnet, registratorId(host.name))) return [];
  return [
    {
      code: "colliding-ids",
      path: [...path, "name"],
      message: `"${name}" and registrator would both have ${address} in the bridge network, because addresses are derived from names`,
      hint: "give the agent another `name:`; `container:`, `node:` and `hostname:` can stay the same",
    },
  ];
}
