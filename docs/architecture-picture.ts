import { arrow, box, label, picture, place, WIDTH } from "./picture-parts";

const HOSTS = [
  { name: "node1", role: "server" },
  { name: "node2", role: "server" },
  { name: "web1", role: "client" },
] as const;
const HOST_WIDTH = 120;
const HOST_TOP = 226;

/** The operator's machine, the hosts, and where the Terraform state, the secrets and the data are. */
export const architecturePicture = (): string =>
  picture(
    "The operator's machine has the cluster file, the generator, Terraform, the Terraform state and the secrets. Terraform reaches the Docker daemon of each host, by ssh or TLS. Each host has an agent with its data on a volume. Agents talk to each other by gossip and RPC.",
    WIDTH,
    454,
    [
      place({ x: 12, y: 12, width: WIDTH - 24, height: 152 }, "The operator's machine, or a pipeline"),
      box("thing", { x: 24, y: 42, width: 106, height: 44 }, ["cluster file", "in a repository"]),
      arrow([130, 64], [167, 64]),
      box("thing", { x: 167, y: 42, width: 106, height: 44 }, ["generator", "checks it"]),
      arrow([273, 64], [310, 64]),
      box("thing", { x: 310, y: 42, width: 106, height: 44 }, ["Terraform", "runs the JSON"]),
      box("store", { x: 24, y: 108, width: 106, height: 44 }, ["secrets", "keep a copy"]),
      box("store", { x: 156, y: 108, width: 128, height: 44 }, ["Terraform state", "file or backend"]),
      `<path class="line" d="M350 104V130"/>`,
      arrow([350, 130], [284, 130]),
      arrow([350, 104], [350, 86]),
      `<path class="line" d="M130 120H143V97H330"/>`,
      arrow([330, 97], [330, 86]),
      `<path class="line" d="M368 86V${HOST_TOP - 24}M72 ${HOST_TOP - 24}H368"/>`,
      label("the Docker API and docker exec, by ssh or TLS", 24, 186, ""),
      ...HOSTS.flatMap(({ name, role }, index) => {
        const x = 12 + index * (HOST_WIDTH + 28);
        const middle = x + HOST_WIDTH / 2;
        return [
          arrow([middle, HOST_TOP - 24], [middle, HOST_TOP]),
          place({ x, y: HOST_TOP, width: HOST_WIDTH, height: 168 }, name),
          box("thing", { x: x + 10, y: HOST_TOP + 28, width: HOST_WIDTH - 20, height: 32 }, ["Docker"]),
          box(role, { x: x + 10, y: HOST_TOP + 74, width: HOST_WIDTH - 20, height: 32 }, [role]),
          arrow([middle, HOST_TOP + 106], [middle, HOST_TOP + 122]),
          box("store", { x: x + 10, y: HOST_TOP + 122, width: HOST_WIDTH - 20, height: 34 }, ["data volume"]),
        ];
      }),
      arrow([122, HOST_TOP + 90], [170, HOST_TOP + 90], true),
      arrow([270, HOST_TOP + 90], [318, HOST_TOP + 90], true),
      label("between agents: gossip 8301, encrypted;", WIDTH / 2, 418),
      label("RPC 8300, with certificates of the cluster's CA", WIDTH / 2, 435),
    ],
  );
