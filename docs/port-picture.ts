import { DEFAULTS } from "../cluster/resolve/defaults";
import { DEFAULT_PORTS, SERVER_GRPC_TLS } from "../consul/ports";
import { arrow, box, label, picture, place, WIDTH } from "./picture-parts";

/** Who connects to a server of a secured cluster, at which port, and what that takes. */
const ROWS: readonly { readonly who: string; readonly port: string; readonly takes: string }[] = [
  { who: "deploys", port: "22 or 2376", takes: "an ssh key, or a certificate" },
  { who: "all agents", port: String(DEFAULT_PORTS.serf_lan), takes: "the gossip key" },
  { who: "all agents", port: String(DEFAULT_PORTS.server), takes: "a certificate of the CA" },
  { who: "programs", port: String(DEFAULTS.httpsPort), takes: "a certificate, and a token" },
  { who: "peers", port: String(SERVER_GRPC_TLS), takes: "TLS, and the peering's secret" },
  { who: "resolvers", port: String(DEFAULT_PORTS.dns), takes: "nothing" },
  { who: "this host", port: String(DEFAULT_PORTS.http), takes: "a token" },
];
const TOP = 74;
const ROW = 44;

/** The ports of a server, with what a connection takes. */
export function portPicture(): string {
  const height = TOP + ROWS.length * ROW + 40;
  return picture(
    `Connections to a server: ${ROWS.map(({ who, port, takes }) => `${who}, port ${port}: ${takes}`).join("; ")}.`,
    WIDTH,
    height,
    [
      label("Connections to a server, and what each takes", 14, 30, "strong"),
      place({ x: 322, y: 46, width: 106, height: height - 84 }, "a server"),
      ...ROWS.flatMap(({ who, port, takes }, index) => {
        const y = TOP + index * ROW;
        return [
          box("thing", { x: 12, y, width: 104, height: 30 }, [who]),
          arrow([116, y + 15], [334, y + 15]),
          label(takes, 224, y + 9),
          box("store", { x: 334, y, width: 82, height: 30 }, [port]),
        ];
      }),
      label("By default, 8501, 8503 and 8600 are on loopback.", WIDTH / 2, height - 16),
    ],
  );
}
