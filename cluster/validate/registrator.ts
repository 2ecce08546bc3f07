import { addressInSubnet, family } from "../../consul/address";
import { registratorId } from "../../consul/contract";
import type { RegistratorSettings } from "../file/schema";
import type { AgentDescription, Draft } from "../model";
import type { Violation } from "../problem";
import { DEFAULTS } from "../resolve/defaults";
import { ownRegistrator, registratorPath, registratorSettings } from "../resolve/registrator";
import { flagProblems } from "./consul-settings";
import { byTag, unique } from "./paths";

/** Whether each host's registrator has an agent to speak to, and settings that go together. */
export function registratorProblems(draft: Draft): Violation[] {
  return unique(
    draft.hosts.flatMap((host) => {
      const settings = registratorSettings(draft.file, host.name);
      if (!settings) return [];
      const there = draft.agents.filter((agent) => agent.host.name === host.name);
      if (there.length === 0)
        return ownRegistrator(draft.file, host.name) === undefined ? [] : [alone(draft, host.name)];
      return [
        ...unreached(draft, host.name),
        ...settingsProblems(draft, host.name, settings),
        ...there.flatMap((agent) => [...containerTaken(draft, agent, settings), ...addressTaken(draft, agent)]),
      ];
    }),
  );
}

/** Registrator's flags that the file has a key for. */
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

function alone({ file }: Draft, host: string): Violation {
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
        "in a bridge network a secured agent's plain HTTP is for its own container alone, and registrator is in another",
      hint: "use `network: host`, or leave `registrator` out",
    },
  ];
}

function settingsProblems(
  { file, security }: Draft,
  host: string,
  { image, ip, cleanup, deregister }: RegistratorSettings,
): Violation[] {
  const at = (key: keyof RegistratorSettings) => registratorPath(file, host, key);
  const problems = placesOfFlags(file, host).flatMap(({ path, flags }) => flagProblems(flags, path, OWNED_FLAGS));
  if (ip !== undefined && !family(ip)) {
    problems.push({
      code: "invalid-address",
      path: at("ip"),
      message: `${ip} is no IP address`,
      hint: "use the address at which others reach this host's services",
    });
  }
  if (cleanup && deregister === "on-success") {
    problems.push({
      code: "invalid-value",
      path: at("cleanup"),
      message:
        "cleanup would remove at the next resync what `deregister: on-success` leaves: the services of containers that failed",
      hint: "leave one of them out",
    });
  }
  return image !== undefined && security ? [...problems, ...byTag(image, at("image"))] : problems;
}

/** The cluster's flags and the host's own are added to each other. */
function placesOfFlags(file: Draft["file"], host: string) {
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

/** In a bridge network, addresses are made of names. */
function addressTaken({ file }: Draft, { name, path, host }: AgentDescription): Violation[] {
  const address = addressInSubnet(file.subnet, name);
  if (file.network !== "bridge" || address !== addressInSubnet(file.subnet, registratorId(host.name))) return [];
  return [
    {
      code: "colliding-ids",
      path: [...path, "name"],
      message: `"${name}" and registrator would both have ${address} in the bridge network, which is made of their names`,
      hint: "give the agent another `name:`; `container:`, `node:` and `hostname:` may stay",
    },
  ];
}
