/** What the docker CLI answered. */
export interface DockerResult {
  readonly ok: boolean;
  /** What it printed. */
  readonly output: string;
  /** Why it failed: what it complained of, its exit code, or that it gave no answer in time. */
  readonly error: string;
  /** What it printed to its standard error, though it succeeded: a container's own, for `docker container logs`. */
  readonly errorOutput?: string;
}

export interface DockerOptions {
  /** Standard input. @default none */
  readonly input?: string | Buffer;
  /** Seconds until it is given up: a daemon may hang. @default 60 */
  readonly seconds?: number;
}

/** A host's Docker daemon, by the docker CLI. */
export interface Docker {
  /** @param args without those that reach the daemon: `["container", "inspect", "consul-server1"]` */
  run(args: readonly string[], options?: DockerOptions): Promise<DockerResult>;
}
