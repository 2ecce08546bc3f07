import { BACKUPS_TOKEN } from "../../consul/acl-policies";
import { isLoopback } from "../../consul/address";
import { BACKUPS_ID, backupsContainer, imageId } from "../../consul/contract";
import type { AgentDescription, Draft } from "../model";
import type { Violation } from "../problem";
import { settingPath, valueAt } from "./paths";

/** Containers of scheduled backups need names and volumes of their own, and must reach their servers. */
export function backupsProblems(draft: Draft): Violation[] {
  if (!draft.file.backups) return [];
  const servers = draft.agents.filter(({ role }) => role === "server");
  return [
    ...servers.flatMap((server) => [...containerTaken(draft, server), ...volumeTaken(draft, server)]),
    ...unreached(draft, servers),
    ...ids(draft),
  ];
}

const onSameDaemon = ({ agents }: Draft, { host }: AgentDescription): AgentDescription[] =>
  agents.filter((other) => other.host.daemon.url === host.daemon.url);

function containerTaken(draft: Draft, server: AgentDescription): Violation[] {
  const name = backupsContainer(server.container);
  return onSameDaemon(draft, server)
    .filter(({ container }) => container === name)
    .map((other) => ({
      code: "duplicate-container",
      path: settingPath(draft, other, "container"),
      message: `"${name}" is the container of "${other.name}", and of the backups of "${server.name}" on the same host`,
      hint: "give the agent another `container:`",
    }));
}

const normalized = (path: string): string => path.replace(/\/+/g, "/").replace(/\/$/, "");

function volumeTaken(draft: Draft, server: AgentDescription): Violation[] {
  const { to } = draft.file.backups ?? {};
  const location = to ?? backupsContainer(server.container);
  return onSameDaemon(draft, server)
    .filter(({ data }) => normalized(data) === normalized(location))
    .map((other) => ({
      code: "duplicate-volume",
      path: to === undefined ? [...other.path, "data"] : ["backups", "to"],
      message: `"${location}" has the data of "${other.name}", and would also have the backups of "${server.name}"`,
      hint: to === undefined ? "give the agent another `data:`" : "choose another volume or folder for backups",
    }));
}

/** In a bridge network the containers of backups do not reach the loopback addresses of the servers. */
function unreached(draft: Draft, servers: readonly AgentDescription[]): Violation[] {
  return servers.flatMap((server): Violation[] => {
    if (server.endpoints.beside !== undefined) return [];
    const hidden = server.clientAddresses.every(isLoopback);
    return [
      {
        code: "invalid-value",
        path: hidden ? settingPath(draft, server, "client_addr") : settingPath(draft, server, "ports", "https"),
        message: `a container beside "${server.name}" takes the backups, and the server's API ${hidden ? "listens inside its own container only" : "has no HTTPS"}`,
        hint: hidden
          ? "remove `client_addr` (default 0.0.0.0), or remove `backups:`"
          : "remove `ports.https` (default 8501), or remove `backups:`",
      },
    ];
  });
}

function ids(draft: Draft): Violation[] {
  const { images, backups } = draft.file;
  const token = valueAt(draft.file, ["security", "tokens", BACKUPS_TOKEN]);
  const image = backups?.image === undefined ? -1 : images.findIndex((reference) => imageId(reference) === BACKUPS_ID);
  return [
    ...(token === undefined
      ? []
      : [
          {
            code: "invalid-name" as const,
            path: ["security", "tokens", BACKUPS_TOKEN],
            atKey: true,
            message: `"${BACKUPS_TOKEN}" is the name of the token that \`backups:\` uses`,
            hint: "choose another name",
          },
        ]),
    ...(image < 0
      ? []
      : [
          {
            code: "colliding-ids" as const,
            path: ["images", image],
            message: `"${images[image]}" and the backups' image would have the same Terraform id`,
            hint: "name it by its digest",
          },
        ]),
  ];
}
