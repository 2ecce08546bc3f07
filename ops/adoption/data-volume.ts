import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Daemon } from "../../cluster/model";
import { ADOPTION_LABEL } from "../../consul/contract";
import type { DockerCli } from "../../rollout/docker-cli";
import { docker } from "../docker/docker";
import { exitCodeOf } from "../process";

const SCRIPT = readFileSync(join(__dirname, "data-volume.sh"), "utf8");
type Task = "inspect" | "begin" | "fill" | "pack" | "invalidate";
/** An agent's data is at most a few GiB. */
const COPY_SECONDS = 3600;

/** The volume or folder of a host for an agent's data. Each task in it runs in a short-lived container, from an image that the host has. */
export class DataVolume {
  private readonly docker: DockerCli;

  constructor(
    daemon: Daemon,
    /** The volume's name, or the folder on the host. */
    private readonly data: string,
    private readonly image: string,
  ) {
    this.docker = docker(daemon);
  }

  /** Whether it has data that counts. */
  async inspect(): Promise<"empty" | "data"> {
    const exists = this.data.startsWith("/")
      ? undefined
      : await this.docker.run(["volume", "inspect", this.data], { seconds: 15 });
    if (exists && !exists.ok && /no such volume/i.test(exists.error)) return "empty";
    // Unlike `-v`, `--mount` does not create a missing folder.
    const inspected = await this.docker.run(
      this.task("inspect", ["--mount", `type=${exists ? "volume" : "bind"},source=${this.data},target=/volume`]),
    );
    if (!inspected.ok && /source path does not exist/i.test(inspected.error)) return "empty";
    if (!inspected.ok) throw new Error(inspected.error);
    return inspected.output.trim() === "data" ? "data" : "empty";
  }

  /** Makes room for a copy. Until the copy is complete, the content is invalid. */
  async makeRoom(): Promise<void> {
    await this.docker.run(["container", "prune", "--force", "--filter", `label=${ADOPTION_LABEL}`]);
    await this.must("begin");
  }

  /**
   * Copies a stopped container's data into it, after `makeRoom`. The data then belongs to the user of the new container's agent.
   * @throws with the reason when the copy fails
   */
  fillFrom(container: string, folder: string): Promise<void> {
    return this.pipe(["cp", `${container}:${folder}/.`, "-"], this.task("fill"));
  }

  /**
   * Copies the data back into a stopped container, whose own data is older: a server must keep every entry that it has acknowledged. Afterwards, the
   * content is invalid.
   * @throws with the reason when the copy fails
   */
  async copyBackTo(container: string, folder: string): Promise<void> {
    await this.pipe(this.task("pack"), ["cp", "-a", "-", `${container}:${folder}`]);
    await this.must("invalidate");
  }

  /** Arguments of the docker CLI that run a task of the script with the volume mounted. */
  private task(task: Task, mount: readonly string[] = ["-v", `${this.data}:/volume`]): string[] {
    return [
      "run",
      "-i",
      "--rm",
      `--label=${ADOPTION_LABEL}`,
      "--network=none",
      "--entrypoint=sh",
      ...mount,
      this.image,
      "-c",
      SCRIPT,
      "data-volume.sh",
      task,
    ];
  }

  private async must(task: Task): Promise<void> {
    const { ok, error } = await this.docker.run(this.task(task), { seconds: COPY_SECONDS });
    if (!ok) throw new Error(`${this.data}: ${error}`);
  }

  /** Pipes one docker command into another. The input ends only after the first has succeeded, because a part must not pass for the whole. */
  private async pipe(from: readonly string[], into: readonly string[]): Promise<void> {
    const reader = this.docker.start(from, ["ignore", "pipe", "pipe"]);
    const writer = this.docker.start(into, ["pipe", "ignore", "pipe"]);
    // A writer that has ended reports the reason itself.
    writer.stdin?.on("error", () => reader.kill());
    reader.stdout?.pipe(writer.stdin as NodeJS.WritableStream, { end: false });
    const read = failureOf(reader).then((failure) => {
      if (failure === undefined) writer.stdin?.end();
      else writer.kill();
      return failure;
    });
    const [failure, other] = await Promise.all([read, failureOf(writer)]);
    if (failure ?? other) throw new Error(`${this.data}: ${failure ?? other}`);
  }
}

/** Why a process failed; undefined when it did not. */
async function failureOf(child: ChildProcess): Promise<string | undefined> {
  let error = "";
  child.stderr?.on("data", (text) => {
    error += text;
  });
  const exitCode = await exitCodeOf(child);
  return exitCode === 0 ? undefined : error.trim() || `exit code ${exitCode}`;
}
