import { declaredVolume, PATHS } from "../consul/contract";
import { parsed } from "./consul-api";
import type { Docker } from "./docker";
import { allow, type Denial, deny, type Outcome } from "./outcome";
import { consulVersion, type Version, versionRule, versionText } from "./version-rule";

export interface Replacement {
  /** The container that runs: its name, and its image's id. */
  readonly container: string;
  readonly image: string;
  readonly next: {
    /** The image's id. */
    readonly image: string;
    /** The agent's whole configuration. Undefined if it is not validated. */
    readonly config?: Readonly<Record<string, unknown>>;
    /** The network that the container joins. */
    readonly network: string;
  };
  /** Whether the operator consents to any version: CONSUL_ALLOW_DOWNGRADE. */
  readonly allowsDowngrade: boolean;
}

/**
 * What a container of the next image runs. `$1` is a file for the configuration, which comes on standard input; `$2` is
 * the folder of the services and checks that were delivered to the agent. It prints the version, then Consul's
 * rejection, or each of the folder's files on a line, and at its end that it has come there.
 */
export const TRIAL_SCRIPT = `consul version || exit
cat >"$1" || exit
[ -s "$1" ] || exit 0
rejection=$(consul validate -quiet "$1" "$2" 2>&1) || {
  printf 'rejected: %s\\n' "$rejection"
  exit 0
}
for file in "$2"/*.json; do
  [ ! -e "$file" ] || printf 'declared: %s\\n' "$(tr -d '\\n' <"$file")"
done
echo accepted`;

/** The extension tells Consul the format. */
const CONFIG_FILE = "/tmp/agent.json";
const VERSIONS_HINT = "check the image; or consent to any version with CONSUL_ALLOW_DOWNGRADE=yes";

/**
 * Tries what will replace a running container, before that is stopped: the next image runs, the data of the running
 * version may be given to its version, and its Consul accepts the next configuration. What cannot be tried is denied.
 */
export async function tryNextContainer(replacement: Replacement, docker: Docker): Promise<Outcome> {
  const { container, next, allowsDowngrade } = replacement;
  const network = await trialNetwork(replacement, docker);
  if (typeof network === "object") return network;
  const run = ["run", "--rm", "-i", "--network", network, "-v", `${declaredVolume(container)}:${PATHS.declared}:ro`];
  const script = ["--entrypoint", "/bin/sh", next.image, "-c", TRIAL_SCRIPT, "sh", CONFIG_FILE, PATHS.declared];
  const trial = await docker.run([...run, ...script], { input: next.config ? JSON.stringify(next.config) : "" });
  if (!trial.ok)
    return deny(`its next image cannot be tried on its host: ${trial.error}`, "check that the image is one of Consul");
  const to = consulVersion(trial.output);
  if (!allowsDowngrade) {
    if (!to) return deny("its next image prints no version of Consul", VERSIONS_HINT);
    const rule = await fromRunningVersion(replacement, to, docker);
    if (rule?.kind === "deny") return rule;
  }
  const name = to ? `Consul ${versionText(to)}` : "Consul";
  if (next.config === undefined) return allow(`${name} runs`);
  return validated(next.config, trial.output, name) ?? allow(`${name} accepts its next configuration`);
}

/**
 * The next container's network, where templates of addresses mean what they will mean to it. If the running container is
 * in that network already, the trial has its address: another one could be that of an agent which is stopped just now,
 * and which could then not start.
 */
async function trialNetwork({ container, next }: Replacement, docker: Docker): Promise<string | Denial> {
  if (next.network === "host") return next.network;
  const inspect = await docker.run(["container", "inspect", "-f", "{{json .NetworkSettings.Networks}}", container]);
  const networks = inspect.ok ? parsed<Readonly<Record<string, unknown>> | null>(inspect.output) : undefined;
  if (networks === undefined)
    return deny(
      `its networks are unknown: ${inspect.error || "its daemon does not tell them"}`,
      "look at its host's Docker daemon, and deploy again",
    );
  return Object.hasOwn(networks ?? {}, next.network) ? `container:${container}` : next.network;
}

/** The rule about versions; undefined if the image stays the same. */
async function fromRunningVersion(
  { container, image, next }: Replacement,
  to: Version,
  docker: Docker,
): Promise<Outcome | undefined> {
  if (image === next.image) return undefined;
  const running = await docker.run(["exec", container, "consul", "version"]);
  const from = running.ok ? consulVersion(running.output) : undefined;
  if (from) return versionRule(from, to);
  const reason = running.ok ? "it prints none" : running.error;
  return deny(`the version that has written its data is unknown: ${reason}`, VERSIONS_HINT);
}

/** Why the configuration was not accepted; undefined if it was. */
function validated(config: Readonly<Record<string, unknown>>, output: string, name: string): Denial | undefined {
  const [, rejection] = /^rejected: ([\s\S]*)/m.exec(output) ?? [];
  if (rejection !== undefined) {
    // Warnings come first.
    const reason = rejection
      .replace(/^[\s\S]*Config validation failed: /, "")
      .replace(/\s+/g, " ")
      .trim();
    return deny(
      `${name} rejects its next configuration: ${reason || "without a reason"}`,
      "change it, and deploy again",
    );
  }
  const lines = output.split("\n");
  if (!lines.includes("accepted"))
    return deny(`${name} was not seen to accept its next configuration: the trial broke off`, "deploy again");
  // Consul's `validate` does not see that an agent which may not run what its checks run does not start
  // (agent.addCheck, hashicorp/consul).
  if (config.enable_local_script_checks !== false) return undefined;
  const declared = lines.filter((line) => line.startsWith("declared: ")).map((line) => parsed(line.slice(10)));
  if (declared.includes(undefined))
    return deny("its declared services cannot be read, which may have script checks", "deploy again");
  if (!declared.some(hasScriptCheck)) return undefined;
  return deny(
    `${name} rejects its next configuration: it has script checks`,
    "remove them with a deploy of their own, then disable script checks",
  );
}

function hasScriptCheck(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if ("args" in value && "interval" in value) return true;
  return Object.values(value).some(hasScriptCheck);
}
