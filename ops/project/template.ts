import { randomUUID } from "node:crypto";
import { stringify } from "yaml";
import { DEFAULTS } from "../../cluster/resolve/defaults";
import manifest from "../../package.json";
import { withCdkTerrain } from "./cdk-terrain";

/** A host and its address. */
export interface NamedAddress {
  readonly name: string;
  readonly address: string;
}

/** What a new project is asked for. */
export interface ProjectSettings {
  /** The cluster's name. */
  readonly name: string;
  /** Hosts that get a server each. */
  readonly servers: readonly NamedAddress[];
  /** Hosts that get a client agent each. */
  readonly clients: readonly NamedAddress[];
  /** How the operator reaches a host's Docker daemon, with `{address}` for its address. */
  readonly daemon: string;
  /** The folder for secrets, Terraform states and backups, relative to the project. */
  readonly privateFolder: string;
  /** Whether CDK Terrain is in the place of CDKTF. */
  readonly cdktn: boolean;
}

/** The commands that are npm scripts of this repository. They are those of a project too. */
const COMMANDS = Object.entries(manifest.scripts)
  .filter(([name, script]) => script.endsWith(` ops/main.ts ${name}`))
  .map(([name]) => name);

/** Runs main.ts. */
const TSX = "^4.23.0";

export const CLUSTER_FILE = "cluster.yaml";

const FILES = {
  [CLUSTER_FILE]: clusterFile,
  "main.ts": () => MAIN,
  "cdktf.json": () =>
    json({
      language: "typescript",
      // CDKTF 0.21 calls util.isArray, of which Node 22 and later would warn at each synth.
      app: "node --disable-warning=DEP0044 --import tsx main.ts",
      projectId: randomUUID(),
      sendCrashReports: "false",
      context: { cluster: CLUSTER_FILE },
    }),
  "package.json": (settings: ProjectSettings) => json(packageJson(settings)),
  "tsconfig.json": () =>
    json({
      compilerOptions: { target: "ES2022", module: "NodeNext", strict: true, skipLibCheck: true, noEmit: true },
      include: ["*.ts"],
    }),
  ".gitignore": () => IGNORED,
} as const;

/** What to type in a new project's folder. */
export const FIRST_COMMANDS = [
  "npm install",
  "npm run secrets -- init   # tokens, certificates and keys",
  "npm run diff              # what a deploy would do",
  "npm run deploy",
] as const;

type FileName = keyof typeof FILES;

export const FILE_NAMES = Object.keys(FILES) as readonly FileName[];

/** The files of a new project, by their names. */
export const projectFiles = (settings: ProjectSettings): Readonly<Record<FileName, string>> =>
  Object.fromEntries(FILE_NAMES.map((name) => [name, FILES[name](settings)])) as Record<FileName, string>;

function clusterFile({ name, privateFolder, servers, clients, daemon }: ProjectSettings): string {
  const names = (hosts: readonly NamedAddress[]) => hosts.map((host) => host.name);
  const schema = `node_modules/${manifest.name}/dist/cluster/cluster.schema.json`;
  const hosts = [...servers, ...clients];
  return [
    `# yaml-language-server: $schema=${schema}`,
    stringify({ name }).trim(),
    `private_folder: ${privateFolder} # secrets, Terraform states and backups: keep copies of them`,
    `image: ${DEFAULTS.image} # every container's, until you change it here`,
    "ignore: [image-by-tag] # the warning that a registry can move this tag; remove it when the image has a digest",
    stringify({ daemon }).trim(),
    stringify({ hosts: Object.fromEntries(hosts.map((host) => [host.name, host.address])) }).trim(),
    stringify({ servers: names(servers) }).trim(),
    ...(clients.length > 0 ? [stringify({ clients: names(clients) }).trim()] : []),
    "",
  ].join("\n");
}

const MAIN = `import { synthesizeApp } from "${manifest.name}";

// Constructs of your own: synthesizeApp((cluster) => { ... }).
synthesizeApp();
`;

function packageJson({ name, cdktn }: ProjectSettings): object {
  const { peerDependencies, devDependencies, version, engines } = manifest;
  const withCdktf = {
    name: `${name}-cluster`,
    private: true,
    engines,
    scripts: {
      synth: "cdktf synth",
      ...Object.fromEntries(COMMANDS.map((command) => [command, `${manifest.name} ${command}`])),
      typecheck: "tsc",
    },
    dependencies: { ...peerDependencies, [manifest.name]: `^${version}` },
    devDependencies: {
      "@types/node": devDependencies["@types/node"],
      "cdktf-cli": devDependencies["cdktf-cli"],
      tsx: TSX,
      typescript: devDependencies.typescript,
    },
  };
  return cdktn ? withCdkTerrain(withCdktf) : withCdktf;
}

/** Secrets and snapshots do not belong into a repository, and Terraform's states belong into a backend. */
const IGNORED = `node_modules/
cdktf.out/
cdktf.log
*.tfstate
*.tfstate.*
.terraform/
/secrets/
/backups/
/logs/
/.pipeline
/plan.md
/plans/
/plans.tar
`;

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
