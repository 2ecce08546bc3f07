import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "./command";
import { type Progress, timed } from "./progress";
import {
  CACHE_FOLDER,
  CONSUL_VERSIONS,
  CURRENT_ALERTMANAGER,
  CURRENT_ENGINE,
  CURRENT_PROMETHEUS,
  PROVIDER_VERSION,
} from "./world";

/** A program built from a Go module. */
interface GoProgram {
  /** Folder below go/ that holds its go.mod and go.sum. */
  readonly folder: string;
  /** The package that its main function is in. */
  readonly mainPackage: string;
  /** File name of the program. */
  readonly file: string;
  /** Linker flags of its upstream releases. @default none */
  readonly linkerFlags?: string;
  /** Build tags of its upstream releases. @default none */
  readonly tags?: readonly string[];
  /** Compiler flags for the packages of a pattern. @default none */
  readonly compilerFlags?: string;
  /**
   * A file that upstream's own build generates in the module, which a published module therefore lacks. It is empty
   * here. @default none
   */
  readonly generated?: { readonly module: string; readonly file: string };
}

const PROVIDER: GoProgram = {
  folder: "terraform-provider-docker",
  mainPackage: "github.com/terraform-providers/terraform-provider-docker",
  file: `terraform-provider-docker_v${PROVIDER_VERSION}`,
};
const TERRAFORM: GoProgram = {
  folder: "terraform",
  mainPackage: "github.com/hashicorp/terraform",
  file: "terraform",
  linkerFlags: "-X github.com/hashicorp/terraform/version.dev=no",
};
const OPENTOFU: GoProgram = {
  folder: "opentofu",
  mainPackage: "github.com/opentofu/opentofu/cmd/tofu",
  file: "tofu",
  linkerFlags: "-X github.com/opentofu/opentofu/version.dev=no",
};
/**
 * A current Docker Engine. Its module has no go.mod, so Go would compile it as Go 1.16, while upstream compiles it as a
 * newer one. In Go 1.16 all rounds of a loop share their variable: an image list of the containerd image store then
 * lists one image twice and another one not at all.
 */
const DOCKERD: GoProgram = {
  folder: `dockerd-${CURRENT_ENGINE}`,
  mainPackage: "github.com/docker/docker/cmd/dockerd",
  file: "dockerd",
  linkerFlags: `-X github.com/docker/docker/dockerversion.Version=${CURRENT_ENGINE}`,
  tags: ["exclude_graphdriver_btrfs", "exclude_graphdriver_devicemapper", "exclude_graphdriver_zfs", "no_systemd"],
  compilerFlags: "github.com/docker/docker/...=-lang=go1.24",
};
/** What a daemon starts for each published port. It has to be of the daemon's own version. */
const DOCKER_PROXY: GoProgram = {
  ...DOCKERD,
  mainPackage: "github.com/docker/docker/cmd/docker-proxy",
  file: "docker-proxy",
};
const versionFlag = (version: string): string => `-X github.com/prometheus/common/version.Version=${version}`;
const PROMETHEUS: GoProgram = {
  folder: "prometheus",
  mainPackage: "github.com/prometheus/prometheus/cmd/prometheus",
  file: "prometheus",
  linkerFlags: versionFlag(CURRENT_PROMETHEUS),
  // All service discovery but files and HTTP would need the SDKs of every cloud.
  tags: ["remove_all_sd"],
};
const PROMTOOL: GoProgram = {
  ...PROMETHEUS,
  mainPackage: "github.com/prometheus/prometheus/cmd/promtool",
  file: "promtool",
};
/** It embeds its user interface, which its module does not have. */
const ALERTMANAGER: GoProgram = {
  folder: "alertmanager",
  mainPackage: "github.com/prometheus/alertmanager/cmd/alertmanager",
  file: "alertmanager",
  linkerFlags: versionFlag(CURRENT_ALERTMANAGER),
  generated: { module: "github.com/prometheus/alertmanager", file: "ui/app/dist/index.html" },
};
const AMTOOL: GoProgram = {
  ...ALERTMANAGER,
  mainPackage: "github.com/prometheus/alertmanager/cmd/amtool",
  file: "amtool",
};

const MONITORING = { prometheus: PROMETHEUS, promtool: PROMTOOL, alertmanager: ALERTMANAGER, amtool: AMTOOL };
export type MonitoringProgram = keyof typeof MONITORING;

/** Paths of the programs that an `up` needs. */
export interface Binaries {
  /** The consul program of each version. */
  readonly consul: ReadonlyMap<string, string>;
  /** Folder for Terraform's `filesystem_mirror`, with the Docker provider under both registries' names. */
  readonly providerMirror: string;
  /** The terraform program, or undefined where PATH has one. */
  readonly terraform: string | undefined;
}

/** Builds the programs that the cache lacks, one after the other: each of these builds uses all of a small machine. */
export async function ensureBinaries(progress: Progress): Promise<Binaries> {
  const consul = new Map<string, string>();
  for (const version of CONSUL_VERSIONS) consul.set(version, await ensureProgram(consulProgram(version), progress));
  const providerMirror = ensureMirror(await ensureProgram(PROVIDER, progress));
  for (const program of [DOCKERD, DOCKER_PROXY]) await ensureProgram(program, progress);
  const terraform = isOnPath("terraform") ? undefined : await ensureProgram(TERRAFORM, progress);
  return { consul, providerMirror, terraform };
}

/** Builds OpenTofu if the cache does not have it, and returns the program's path. */
export function ensureOpenTofu(progress: Progress): Promise<string> {
  return ensureProgram(OPENTOFU, progress);
}

/** Builds a program of the current Prometheus or Alertmanager if the cache does not have it. */
export const ensureMonitoring = (name: MonitoringProgram, progress: Progress): Promise<string> =>
  ensureProgram(MONITORING[name], progress);

/** The folder with the dockerd and docker-proxy of the current Docker Engine, which an `up` builds. */
export function currentEngineFolder(): string {
  return path.dirname(programPath(DOCKERD));
}

/** The folder with the source of a Consul version. */
export function consulSource(version: string): Promise<string> {
  return moduleSource(consulProgram(version), `github.com/hashicorp/consul@v${version}`);
}

/** Where Go has the source of a module that a program is built from: read-only, and checked by its go.sum. */
async function moduleSource(program: GoProgram, module: string): Promise<string> {
  const found = await run("go", ["mod", "download", "-json", module], {
    cwd: moduleFolder(program),
    timeoutMs: 300_000,
  });
  return (JSON.parse(found.stdout) as { Dir: string }).Dir;
}

function consulProgram(version: string): GoProgram {
  return { folder: `consul-${version}`, mainPackage: "github.com/hashicorp/consul", file: "consul" };
}

function moduleFolder(program: GoProgram): string {
  return path.join(__dirname, "go", program.folder);
}

function buildFlags({ linkerFlags, tags, compilerFlags }: GoProgram): string[] {
  const flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", `-ldflags=-s -w ${linkerFlags ?? ""}`.trim()];
  if (tags) flags.push(`-tags=${tags.join(",")}`);
  if (compilerFlags) flags.push(`-gcflags=${compilerFlags}`);
  return flags;
}

/** Where the cache has a program. The folder's name depends on all inputs of the build. */
function programPath(program: GoProgram): string {
  const recipe = ["go.mod", "go.sum"].map((file) => fs.readFileSync(path.join(moduleFolder(program), file)));
  const key = createHash("sha256")
    .update(Buffer.concat(recipe))
    .update(buildFlags(program).join(" "))
    .update(program.generated?.file ?? "")
    .digest("hex")
    .slice(0, 12);
  return path.join(CACHE_FOLDER, "binaries", `${program.folder}-${key}`, program.file);
}

async function ensureProgram(program: GoProgram, progress: Progress): Promise<string> {
  const file = programPath(program);
  if (fs.existsSync(file)) return file;

  // Built under another name: an interrupted build must not look complete.
  const unfinished = `${file}.unfinished`;
  const flags = [...buildFlags(program), ...(await replacement(program, path.dirname(file)))];
  await timed(progress, `building ${path.basename(program.mainPackage)} of ${program.folder} (minutes, once)`, () =>
    run("go", ["build", ...flags, "-o", unfinished, program.mainPackage], {
      cwd: moduleFolder(program),
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" },
      timeoutMs: 3_600_000,
    }),
  );
  fs.renameSync(unfinished, file);
  return file;
}

/**
 * The flag that replaces a module that lacks a generated file by a copy that has it, because Go lets nobody add files to
 * its module cache.
 */
async function replacement(program: GoProgram, folder: string): Promise<string[]> {
  const { generated } = program;
  if (!generated) return [];
  const copy = path.join(folder, "source");
  fs.rmSync(copy, { recursive: true, force: true });
  fs.cpSync(await moduleSource(program, generated.module), copy, { recursive: true });
  const file = path.join(copy, generated.file);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, "");
  const goMod = path.join(folder, "go.mod");
  for (const each of ["go.mod", "go.sum"])
    fs.copyFileSync(path.join(moduleFolder(program), each), path.join(folder, each));
  fs.appendFileSync(goMod, `\nreplace ${generated.module} => ${copy}\n`);
  return [`-modfile=${goMod}`];
}

function ensureMirror(provider: string): string {
  const mirror = path.join(path.dirname(provider), "mirror");
  const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;
  for (const registry of ["registry.terraform.io", "registry.opentofu.org"]) {
    const folder = path.join(mirror, registry, "kreuzwerker", "docker", PROVIDER_VERSION, platform);
    const target = path.join(folder, path.basename(provider));
    if (fs.existsSync(target)) continue;
    fs.mkdirSync(folder, { recursive: true });
    fs.linkSync(provider, target);
  }
  return mirror;
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "")
    .split(":")
    .some((folder) => folder !== "" && fs.existsSync(path.join(folder, program)));
}
