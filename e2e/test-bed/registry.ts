import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Binaries } from "./binaries";
import { run } from "./command";
import { DockerHost } from "./docker-host";
import { send, waitForEnd } from "./processes";
import { type Progress, timed } from "./progress";
import { type RegistryImage, registryImages, registryImagesKey } from "./registry-images";
import { CACHE_FOLDER, OPEN_REGISTRY, PRIVATE_REGISTRY, REGISTRY, RUN_FOLDER } from "./world";

/** The login of the registry with a password. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const FOLDER = path.join(RUN_FOLDER, "registry");
const STORAGE = path.join(FOLDER, "storage");
const PASSWORD_FILE = path.join(FOLDER, "password");
const HTPASSWD_FILE = path.join(FOLDER, "htpasswd");
const USERNAME = "operator";
const START_TIMEOUT_MS = 20_000;
const IMAGE_TYPE = "application/vnd.docker.distribution.manifest.v2+json";
const LIST_TYPE = "application/vnd.docker.distribution.manifest.list.v2+json";

/**
 * Two registries on one machine, with the same images: an open one, which is the daemons' mirror, and one with a
 * password.
 */
export class Registry {
  /** The registries' addresses in image references. */
  readonly addresses = { open: OPEN_REGISTRY, private: PRIVATE_REGISTRY } as const;
  /** The machine they run on; its daemon is up only while the images are published. */
  readonly machine = new DockerHost(REGISTRY, { remote: false });

  /** Login of the registry with a password. */
  get credentials(): Credentials {
    return { username: USERNAME, password: fs.readFileSync(PASSWORD_FILE, "utf8") };
  }

  /** Fills the registry, if possible from the cache, and starts it. */
  async ensureUp(binaries: Binaries, progress: Progress): Promise<void> {
    const images = registryImages(binaries);
    const published = path.join(CACHE_FOLDER, `registry-${registryImagesKey(binaries)}`);
    if (!fs.existsSync(published)) {
      await timed(progress, `publishing ${images.map((image) => image.reference).join(", ")}`, () =>
        this.publish(images, published),
      );
    }
    if (!fs.existsSync(STORAGE)) {
      // A copy, since images that tests push must not outlive the test bed.
      fs.mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
      fs.rmSync(`${STORAGE}.unfinished`, { recursive: true, force: true });
      await run("cp", ["-a", "--reflink=auto", published, `${STORAGE}.unfinished`]);
      fs.renameSync(`${STORAGE}.unfinished`, STORAGE);
    }
    await ensurePassword();
    await this.start();
  }

  /** The digest of an image in the registry, e.g. of `hashicorp/consul:1.22.7`: `sha256:...`. */
  digest(reference: string): string {
    const [, name, tag] = /^(.+):([^:/]+)$/.exec(reference) ?? [];
    const link = path.join(
      STORAGE,
      "docker/registry/v2/repositories",
      name ?? reference,
      "_manifests/tags",
      tag ?? "latest",
      "current/link",
    );
    if (!fs.existsSync(link)) throw new Error(`the test bed's registry has no image ${reference}`);
    return fs.readFileSync(link, "utf8").trim();
  }

  /**
   * Publishes a list of platforms, as Docker Hub has it for each of its images.
   * @param name of the repository: `hashicorp/consul`
   * @param tags for each architecture, the tag of its image
   * @returns the list's digest
   */
  async publishList(name: string, tags: Readonly<Record<string, string>>): Promise<string> {
    const manifests = Object.entries(tags).map(([architecture, tag]) => {
      const digest = this.digest(`${name}:${tag}`);
      const hash = digest.replace("sha256:", "");
      const blob = path.join(STORAGE, "docker/registry/v2/blobs/sha256", hash.slice(0, 2), hash, "data");
      return { mediaType: IMAGE_TYPE, size: fs.statSync(blob).size, digest, platform: { os: "linux", architecture } };
    });
    const list = JSON.stringify({ schemaVersion: 2, mediaType: LIST_TYPE, manifests });
    const digest = `sha256:${createHash("sha256").update(list).digest("hex")}`;
    const url = `http://${OPEN_REGISTRY}/v2/${name}/manifests/${digest}`;
    const upload = ["-fsS", "-X", "PUT", "-H", `Content-Type: ${LIST_TYPE}`, "--data-binary", "@-", url];
    await this.machine.run("curl", upload, { input: list });
    return digest;
  }

  /** Starts both registries, unless they run. */
  async start(): Promise<void> {
    await this.machine.powerOn();
    await Promise.all([this.serve(OPEN_REGISTRY, STORAGE), this.serve(PRIVATE_REGISTRY, STORAGE, HTPASSWD_FILE)]);
  }

  /** Stops both registries: pulls fail from now on. */
  async stop(): Promise<void> {
    const servers = this.machine.processes(serverOf(""));
    for (const pid of servers) send(pid, "SIGKILL");
    await waitForEnd(servers, 10_000);
  }

  /** True while both registries run. */
  get isUp(): boolean {
    return [OPEN_REGISTRY, PRIVATE_REGISTRY].every((address) => this.machine.processes(serverOf(address)).length > 0);
  }

  private async serve(address: string, storage: string, htpasswd?: string): Promise<void> {
    if (this.machine.processes(serverOf(address)).length > 0) return;
    const config = path.join(this.machine.folder, `${address}.json`);
    // YAML is a superset of JSON, and the registry reads YAML.
    const settings = {
      version: "0.1",
      log: { level: "warn", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
      http: { addr: address },
      ...(htpasswd ? { auth: { htpasswd: { realm: "test-bed", path: htpasswd } } } : {}),
    };
    fs.writeFileSync(config, JSON.stringify(settings));
    await this.machine.startDaemon("registry.log", "docker-registry", "serve", config);
    const ask = () =>
      this.machine.run("curl", ["--silent", "--max-time", "1", `http://${address}/v2/`], { check: false });
    const deadline = Date.now() + START_TIMEOUT_MS;
    while ((await ask()).exitCode !== 0) {
      if (Date.now() > deadline)
        throw new Error(`the registry at ${address} does not start, see ${this.machine.folder}/registry.log`);
    }
  }

  /**
   * A daemon on the registry's machine imports the images and pushes them, so that they are stored as in any registry.
   */
  private async publish(images: readonly RegistryImage[], published: string): Promise<void> {
    const unfinished = `${published}.unfinished`;
    const workshop = path.join(this.machine.folder, "workshop");
    try {
      await this.machine.powerOff();
      for (const remains of [unfinished, workshop]) {
        fs.rmSync(remains, { recursive: true, force: true });
        fs.mkdirSync(remains, { recursive: true });
      }
      await this.machine.powerOn();
      await this.serve(OPEN_REGISTRY, unfinished);
      await this.machine.startDaemonIfDown();
      for (const image of images) {
        const root = fs.mkdtempSync(path.join(workshop, "root-"));
        fs.chmodSync(root, 0o755);
        await image.layOut(root);
        const archive = `${root}.tar`;
        await run("tar", ["--create", "--numeric-owner", "--file", archive, "--directory", root, "."]);
        const reference = `${OPEN_REGISTRY}/${image.reference}`;
        await this.machine.docker(
          "import",
          ...image.changes.flatMap((change) => ["--change", change]),
          archive,
          reference,
        );
        await this.machine.docker("push", "--quiet", reference);
        fs.rmSync(root, { recursive: true });
        fs.rmSync(archive);
      }
      await this.machine.powerOff();
      fs.renameSync(unfinished, published);
    } finally {
      await this.machine.powerOff();
      fs.rmSync(workshop, { recursive: true, force: true });
      fs.rmSync(path.join(this.machine.folder, "data"), { recursive: true, force: true });
    }
  }
}

async function ensurePassword(): Promise<void> {
  if (fs.existsSync(HTPASSWD_FILE)) return;
  const password = randomBytes(12).toString("hex");
  fs.writeFileSync(PASSWORD_FILE, password, { mode: 0o600 });
  const entry = await run("htpasswd", ["-niB", USERNAME], { input: password });
  fs.writeFileSync(HTPASSWD_FILE, entry.stdout);
}

function serverOf(address: string): RegExp {
  return new RegExp(`^docker-registry serve .*/${address || ".*"}\\.json$`);
}
