import { isLoopback } from "../../consul/address";
import { type ConsulConfig, isMapping, readsFilesOfItsOwn } from "../../consul/config";
import type { Service } from "../file/schema";
import type { AgentDescription, Draft } from "../model";
import type { Violation } from "../problem";
import { hasCertificate } from "../resolve/agents";
import { settingPath, unique } from "./paths";

/** Warnings of listeners that nobody can use, or that everybody can. */
export const listenerProblems = (draft: Draft): Violation[] =>
  unique(
    draft.agents.flatMap((agent) => [
      ...httpsWithoutCertificate(draft, agent),
      ...openGrpc(draft, agent),
      ...proxyWithoutGrpc(draft, agent),
    ]),
  );

const SILENCE = "or silence this with `ignore:";

/** A certificate may be of the file's configuration, or of a file that only the agent reads. */
const hasOwnCertificate = ({ config, flags }: AgentDescription): boolean =>
  readsFilesOfItsOwn(flags) || certificateIn(config);

const certificateIn = (config: ConsulConfig): boolean =>
  Object.entries(config).some(
    ([key, value]) => /^(cert_file|auto_encrypt|auto_config)$/i.test(key) || (isMapping(value) && certificateIn(value)),
  );

function httpsWithoutCertificate(draft: Draft, agent: AgentDescription): Violation[] {
  const { ports, role, stage } = agent;
  if (ports.https <= 0 || hasCertificate(role, stage) || hasOwnCertificate(agent)) return [];
  return [
    {
      code: "unworkable-setting",
      path: settingPath(draft, agent, "ports", "https"),
      message: `"${agent.name}" has no certificate, so every TLS handshake at port ${ports.https} fails`,
      hint: `turn security on (\`security: on\`), remove \`https\`, ${SILENCE} [unworkable-setting]\``,
    },
  ];
}

/** Plain gRPC listens at all client addresses, unlike plain HTTP. */
function openGrpc(draft: Draft, agent: AgentDescription): Violation[] {
  const { ports, stage, clientAddresses } = agent;
  if (stage !== "strict" || ports.grpc <= 0 || clientAddresses.every(isLoopback)) return [];
  const published = agent.publish.grpc !== undefined;
  if (draft.file.network === "bridge" && !published) return [];
  return [
    {
      code: "open-grpc",
      path: settingPath(draft, agent, "ports", "grpc"),
      message: `gRPC without TLS listens at ${clientAddresses.join(" ")}: whoever is on the network can read tokens`,
      hint: `remove \`client_addr\` (default 127.0.0.1, where Envoy of the same host finds it), ${SILENCE} [open-grpc]\``,
    },
  ];
}

/** Envoy gets its configuration by gRPC. At stage strict, gRPC with TLS demands a certificate that Envoy does not have. */
function proxyWithoutGrpc(draft: Draft, agent: AgentDescription): Violation[] {
  const { ports, stage } = agent;
  if (ports.grpc > 0 || (ports.grpc_tls > 0 && stage !== "strict")) return [];
  const ofCluster = draft.file.services?.length ?? 0;
  return agent.services.flatMap((service, index): Violation[] => {
    if (!hasSidecar(service)) return [];
    const path = index < ofCluster ? ["services", index] : [...agent.path, "services", index - ofCluster];
    return [
      {
        code: "unworkable-setting",
        path: [...path, "connect"],
        atKey: true,
        message: `"${service.name}" has a sidecar proxy, and Envoy cannot get its configuration from "${agent.name}": plain gRPC is off`,
        hint: `set \`ports: { grpc: 8502 }\`, ${SILENCE} [unworkable-setting]\``,
      },
    ];
  });
}

const hasSidecar = ({ connect }: Service): boolean =>
  connect !== undefined && Object.keys(connect).some((key) => key.toLowerCase() === "sidecar_service");
