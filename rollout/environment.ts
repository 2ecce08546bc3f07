/**
 * Variables that would make the docker CLI, or the ssh that it starts, do something else than the synthesized JSON
 * says. All others pass: credential helpers, ProxyCommands and ssh-agent need them.
 */
export const REDIRECTING: Readonly<Record<string, string>> = {
  DOCKER_HOST: "another daemon than the host's",
  DOCKER_CONTEXT: "another daemon than the host's",
  DOCKER_TLS: "TLS for a daemon that is reached without",
  DOCKER_TLS_VERIFY: "TLS for a daemon that is reached without, or no check of its certificate",
  DOCKER_CERT_PATH: "another folder of certificates than the host's",
  DOCKER_API_VERSION: "an API version that the daemon may not have",
  DOCKER_DEFAULT_PLATFORM: "an image for another platform than the host's, so that a test run of the image fails",
  DOCKER_CONTENT_TRUST: "a refusal to pull unsigned images, which the provider pulls",
  DOCKER_CUSTOM_HEADERS: "headers that a proxy in front of another daemon may route by",
  DOCKER_CLI_EXPERIMENTAL: "commands that differ between releases of the CLI",
  NODE_OPTIONS: "code that runs before this program's own",
};

/** The environment of the docker CLI: the operator's, without what would redirect it. */
export function dockerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !Object.hasOwn(REDIRECTING, name)));
}
