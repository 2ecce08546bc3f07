/** A Docker image's name. As in Docker, a name without a registry is on Docker Hub. */
export class ImageReference {
  private constructor(
    /** The registry's host, with its port: `docker.io` for Docker Hub. */
    readonly registry: string,
    /** The path in the registry: `library/nginx` for nginx. */
    readonly repository: string,
    /** The image's version: `:tag`, `@digest`, both, or nothing. */
    readonly version: string,
  ) {}

  /** Reads `[registry/]name[:tag][@digest]`. */
  static parse(reference: string): ImageReference {
    const slash = reference.indexOf("/");
    const first = slash < 0 ? "" : reference.slice(0, slash);
    // The rule of distribution's reference package: a first part with a dot or a port, or localhost, is a registry.
    const registry = /[.:]/.test(first) || first === "localhost" ? first : DOCKER_HUB;
    const rest = registry === first ? reference.slice(slash + 1) : reference;
    const [, repository = "", version = ""] = /^([^:@]+)(.*)$/.exec(rest) ?? [];
    return new ImageReference(
      registry,
      registry === DOCKER_HUB && !repository.includes("/") ? `library/${repository}` : repository,
      version,
    );
  }

  /** The same image through a mirror of Docker Hub. Images of other registries do not change. */
  through(mirror: string | undefined): ImageReference {
    return mirror === undefined || this.registry !== DOCKER_HUB
      ? this
      : new ImageReference(mirror, this.repository, this.version);
  }

  /** Images of Docker Hub in their short form, as `docker images` shows them. */
  toString(): string {
    const repository =
      this.registry === DOCKER_HUB ? this.repository.replace(/^library\//, "") : `${this.registry}/${this.repository}`;
    return repository + this.version;
  }
}

const DOCKER_HUB = "docker.io";
