import { family } from "../../consul/address";
import { comparedToLists, KNOWN_CONSUL } from "../known-consul";
import type { AgentDescription, Draft } from "../model";
import type { Violation } from "../problem";
import { DEFAULTS } from "../resolve/defaults";
import { settingPath, unique } from "./paths";

/** Images of Consul that agents cannot run in as the product starts them, by their names without a registry. */
const UNSUITABLE: readonly (readonly [name: RegExp, why: string])[] = [
  [/^(library\/)?consul(?=[:@]|$)/, "Docker Hub's image `consul` ended with Consul 1.15, and gets no fixes"],
  [
    /(^|\/)bitnami(legacy|secure)?\/consul(?=[:@]|$)/,
    "Bitnami's image has another user, entrypoint and data folder than the official one",
  ],
  [
    /(^|\/)chainguard\/consul(?=[:@]|$)/,
    "Chainguard's image has neither a shell nor curl, which the health check needs",
  ],
  [/(^|\/)consul-(k8s|k8s-control-plane|dataplane|template|esm|replicate|ecs)(?=[:@]|$)/, "it is not Consul's agent"],
  [/(^|\/)(progrium|gliderlabs|voxxit)\/consul(?=[:@]|$)/, "this image has been abandoned for years"],
  [/(^|\/)hashicorp\/consul(-enterprise)?:[^@]*-ubi\b/, "the UBI variant has no curl, which the health check needs"],
];

/** Warnings of images that cannot work. What is in an image of one's own is unknown here. */
export const imageProblems = (draft: Draft): Violation[] =>
  unique(draft.agents.flatMap((agent) => [...unsuitable(draft, agent), ...beforeIpv6(draft, agent)]));

/** Docker Hub's names, without its host. */
const onDockerHub = (image: string): string =>
  image.replace(/^(docker\.io|index\.docker\.io|registry-1\.docker\.io)\//, "");

function unsuitable(draft: Draft, agent: AgentDescription): Violation[] {
  const image = onDockerHub(agent.image);
  const [, why] = UNSUITABLE.find(([name]) => name.test(image)) ?? [];
  if (why === undefined) return [];
  return [
    {
      code: "unsuitable-image",
      path: settingPath(draft, agent, "image"),
      message: `${agent.image}: ${why}`,
      hint: `use ${DEFAULTS.image}, or silence this with \`ignore: [unsuitable-image]\``,
    },
  ];
}

/** hashicorp/consul#11847: before 1.22, a client agent took the colons of a server's address for a port. */
function beforeIpv6(draft: Draft, agent: AgentDescription): Violation[] {
  const { role, stage, image, host } = agent;
  const getsCertificate = role === "client" && (stage === "outgoing" || stage === "strict");
  if (!getsCertificate || family(host.address) !== 6 || comparedToLists(image) !== "older") return [];
  return [
    {
      code: "unsuitable-image",
      path: settingPath(draft, agent, "image"),
      message: `${image}: before ${KNOWN_CONSUL}, a client agent never gets its certificate from servers with IPv6 addresses`,
      hint: `use ${DEFAULTS.image}, or silence this with \`ignore: [unsuitable-image]\``,
    },
  ];
}
