import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Daemon } from "../../cluster/model";
import { ADOPTION_LABEL } from "../../consul/contract";
import { docker, dockerCommand } from "../docker/docker";
import { exitCodeOf } from "../process";

const SCRIPT = readFileSync(join(__dirname, "data-volume.sh"), "utf8");
type Task = "look" | "begin" | "fill" | "pack" | "spoil";
/** An agent's data is at most a few GiB. */
const COPY_SECONDS = 3600;

/**
 * Where an agent's data is to be: a volume or a folder of a host. What happens there happens in a container of an image that the host has, which runs
 * for that alone.
 */
export class DataVolume {
  constructor(
    private readonly daemon: Daemon,
    /** A volume's name, or a folder of the host. */
    private readonly data: string,
    private readonly image: string,
  ) {}

  /** What is there: nothing that counts, or an agent's data. */
  async look(): Promise<"empty" | "data"> {
    const exists = this.data.startsWith("/")
      ? undefined
      : await docker(this.daemon, ["volume", "inspect", this.data], 15);
    if (exists && !exists.ok && /no such volume/i.test(exists.error)) return "empty";
    // Unlike `-v`, a mount makes no folder that is not there.
    const looked = await docker(
      this.daemon,
      this.task("look", ["--mount", `type=${exists ? "volume" : "bind"},source=${this.data},target=/place`]),
      60,
    );
    if (!looked.ok && /source path does not exist/i.test(looked.error)) return "empty";
    if (!looked.ok) throw new Error(looked.error);
    return looked.output.trim() === "data" ? "data" : "empty";
  }

  /** Makes room for a copy. Until all of it is here, what is here is unusable. */
  async makeRoom(): Promise<void> {
    await docker(this.daemon, ["container", "prune", "--force", "--filter", `label=${ADOPTION_LABEL}`], 60);
    await this.must("begin");
  }

  /**
   * Copies a stopped container's data here, owned by the user that the new container's agent runs as. After `makeRoom`.
   * @throws when it cannot, with the reason
   */
  fillFrom(container: string, folder: string): Promise<void> {
    return this.pipe(["cp", `${container}:${folder}/.`, "-"], this.task("fill"));
  }

  /**
   * Copies what is here back into a stopped container, whose own data is older: a server must not forget what it has acknowledged. Afterwards, what is
   * here is unusable.
   * @throws when it cannot, with the reason
   */
  async giveBackTo(container: string, folder: string): Promise<void> {
    await this.pipe(this.task("pack"), ["cp", "-a", "-", `${container}:${folder}`]);
    await this.must("spoil");
  }

  /** The docker CLI's arguments that run a part of the script where this place is mounted. */
  private task(task: Task, mounted: readonly string[] = ["-v", `${this.data}:/place`]): string[] {
    return [
      "run",
      "-i",
      "--rm",
      `--label=${ADOPTION_LABEL}`,
      "--network=none",
      "--entrypoint=sh",
      ...mounted,
      this.image,
      "-c",
      SCRIPT,
      "data-volume.sh",
      task,
    ];
  }

  private async must(task: Task): Promise<void> {
    const { ok, error } = await docker(this.daemon, this.task(task), COPY_SECONDS);
    if (!ok) throw new Error(`${this.data}: ${error}`);
  }

  /** One docker command's output is the other's input, which ends only when the first has succeeded: a part of it must not pass for the whole. */
  private async pipe(from: readonly string[], into: readonly string[]): Promise<void> {
    const reader = spawn(...dockerCommand(this.daemon, from, ["ignore", "pipe", "pipe"]));
    const writer = spawn(...dockerCommand(this.daemon, into, ["pipe", "ignore", "pipe"]));
    // A writer that is gone says why itself.
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
