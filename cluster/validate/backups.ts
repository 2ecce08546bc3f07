import { BACKUPS_TOKEN } from "../../consul/acl-policies";
import { isLoopback } from "../../consul/address";
import { BACKUPS_ID, backupsContainer, imageId } from "../../consul/contract";
import type { AgentDescription, Draft } from "../model";
import type { Violation } from "../problem";
import { settingPath, valueAt } from "./paths";

/** Whether the containers that save have names and places of their own, and reach their servers. */
export function backupsProblems(draft: Draft): Violation[] {
  if (!draft.file.backups) return [];
  const servers = draft.agents.filter(({ role }) => role === "server");
  return [
    ...servers.flatMap((server) => [...containerTaken(draft, server), ...placeTaken(draft, server)]),
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

const plainPath = (place: string): string => place.replace(/\/+/g, "/").replace(/\/$/, "");

function placeTaken(draft: Draft, server: AgentDescription): Violation[] {
  const { to } = draft.file.backups ?? {};
  const place = to ?? backupsContainer(server.container);
  return onSameDaemon(draft, server)
    .filter(({ data }) => plainPath(data) === plainPath(place))
    .map((other) => ({
      code: "duplicate-volume",
      path: to === undefined ? [...other.path, "data"] : ["backups", "to"],
      message: `"${place}" has the data of "${other.name}", and would have the backups of "${server.name}"`,
      hint: to === undefined ? "give the agent another `data:`" : "keep backups elsewhere",
    }));
}

/** In a bridge network they are other containers than the servers, whose loopback they do not reach. */
function unreached(draft: Draft, servers: readonly AgentDescription[]): Violation[] {
  return servers.flatMap((server): Violation[] => {
    if (server.endpoints.beside !== undefined) return [];
    const hidden = server.clientAddresses.every(isLoopback);
    return [
      {
        code: "invalid-value",
        path: hidden ? settingPath(draft, server, "client_addr") : settingPath(draft, server, "ports", "https"),
        message: `the backups of "${server.name}" are made from a container beside it, and its API ${hidden ? "listens inside its own alone" : "has no HTTPS"}`,
        hint: hidden
          ? "leave `client_addr` out (0.0.0.0), or remove `backups:`"
          : "leave `ports.https` out (8501), or remove `backups:`",
      },
    ];
  });
}

function ids(draft: Draft): Violation[] {
  const { images, backups } = draft.file;
  const token = valueAt(draft.file, ["security", "tokens", BACKUPS_TOKEN]);
  const image = backups?.image === undefined ? -1 : images.findIndex((one) => imageId(one) === BACKUPS_ID);
  return [
    ...(token === undefined
      ? []
      : [
          {
            code: "invalid-name" as const,
            path: ["security", "tokens", BACKUPS_TOKEN],
            atKey: true,
            message: `"${BACKUPS_TOKEN}" is the token of the backups that \`backups:\` makes`,
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
