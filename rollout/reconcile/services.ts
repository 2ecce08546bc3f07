import { PATHS } from "../../consul/contract";
import { type Clock, Stopwatch } from "../clock";
import { type ConsulApi, ContainerUnreachable, read } from "../consul-api";
import type { Docker } from "../docker";
import { GRACE_SECONDS, SECOND } from "../limits";
import { allow, deny, type Log, type Outcome, unknown, Waiting } from "../outcome";
import { leader, peers } from "../queries";
import { SIGNAL_AGENT } from "../reload";
import type { ServicesRequest } from "../request";
import { formatAnswer, oneLine, replyTo } from "./changes";

/** What only the agent's container knows. */
export interface ServicesAgent {
  /** Whether a client agent was ready before: then it has seen the bootstrap. */
  wasReady(): Promise<boolean>;
}

/**
 * Scripts that run in the agent's container. The docker CLI may end in the middle of standard input: what has not the
 * right number of bytes is not used.
 */
export const SERVICES_SCRIPTS = {
  /**
   * `$1` is the file of declared services. `$2` is a copy of what the agent has loaded, written after a reload and when
   * the container starts. Prints whether the agent has loaded the file, and the file; nothing if there is none.
   */
  read: `[ -e "$1" ] || exit 0
if [ "$(cat "$1")" = "$(cat "$2" 2>/dev/null)" ]; then echo loaded; else echo written; fi
cat "$1"`,
  /**
   * Validates services of `$2` bytes beside a minimal configuration of the node `$1`. Consul has already accepted the
   * rest of the agent's own configuration, which has no effect on services.
   */
  validate: `trial=$(mktemp -d) || exit
trap 'rm -rf "$trial"' EXIT
printf '{"data_dir": "${PATHS.data}", "node_name": "%s", "bind_addr": "127.0.0.1", "advertise_addr": "127.0.0.1"}' \\
  "$1" >"$trial/agent.json" && cat >"$trial/services.json" || exit
[ "$(wc -c <"$trial/services.json")" -eq "$2" ] || exit
if reason=$(consul validate -quiet "$trial/agent.json" "$trial/services.json" 2>&1); then
  echo valid
else
  printf 'rejected: %s\\n' "$reason"
fi`,
  /**
   * Replaces the file `$1` by `$2` of `$4` bytes in one step, so that a reload never reads half a file. `$3` is the
   * copy of what the agent has loaded.
   */
  write: `if reason=$({ cat >"$2" && [ "$(wc -c <"$2")" -eq "$4" ] && rm -f "$3" && mv "$2" "$1"; } 2>&1); then
  echo written
else
  printf 'failed: %s\\n' "$reason"
fi`,
  /** `$1` is /proc. An agent that starts now reads the files anyway. */
  reload: `${SIGNAL_AGENT}
signal_agent "$1" HUP
exit 0`,
} as const;

const FILE_HINT = "change the services in the cluster file, and deploy again";
/** A file of Consul's that declares nothing. */
const NOTHING = "{}";

type Step = Omit<ServicesRequest, "step">;

/**
 * Delivers the services and checks that the cluster file declares on an agent, and waits until the agent and the
 * catalog have them. Consul validates them first. If the agent still rejects them, it gets its previous ones back.
 * @throws ContainerUnreachable
 */
export async function services(
  step: Step,
  docker: Docker,
  api: ConsulApi,
  agent: ServicesAgent,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const begun = new Stopwatch(clock);
  const failure = await deliver(step, new DeclaredFile(docker, step.target.container), api);
  return failure ?? registration(step, api, agent, begun, clock, log);
}

/** The file of declared services in an agent's container. Its methods throw ContainerUnreachable. */
class DeclaredFile {
  constructor(
    private readonly docker: Docker,
    private readonly container: string,
  ) {}

  /** Undefined if there is none. */
  async read(): Promise<{ readonly isLoaded: boolean; readonly text: string } | undefined> {
    const output = await this.run("read", [PATHS.declaredServices, PATHS.acceptedServices]);
    if (output === "") return undefined;
    const end = output.indexOf("\n");
    return { isLoaded: output.slice(0, end) === "loaded", text: output.slice(end + 1) };
  }

  /** Consul's rejection; undefined if it accepts the text. */
  async rejection(text: string, node: string): Promise<string | undefined> {
    const output = await this.run("validate", [node, `${Buffer.byteLength(text)}`], text);
    const rejection = /^rejected: (?:.*Config validation failed: )?(.*)/s.exec(output)?.[1];
    if (rejection !== undefined) return oneLine(rejection) || "without a reason";
    if (output !== "valid\n") throw new ContainerUnreachable("the validation of its services broke off");
    return undefined;
  }

  /** Why the text cannot be written; undefined if it was. */
  async write(text: string): Promise<string | undefined> {
    const { declaredServices, newDeclaredServices, acceptedServices } = PATHS;
    const bytes = `${Buffer.byteLength(text)}`;
    const output = await this.run("write", [declaredServices, newDeclaredServices, acceptedServices, bytes], text);
    return output === "written\n" ? undefined : oneLine(`${declaredServices}: ${output}`);
  }

  async markLoaded(): Promise<void> {
    await this.exec(["cp", PATHS.declaredServices, PATHS.acceptedServices]);
  }

  async signalReload(): Promise<void> {
    await this.run("reload", ["/proc"]);
  }

  private run(script: keyof typeof SERVICES_SCRIPTS, args: readonly string[], input?: string): Promise<string> {
    return this.exec(["/bin/sh", "-c", SERVICES_SCRIPTS[script], "sh", ...args], input);
  }

  private async exec(command: readonly string[], input?: string): Promise<string> {
    const { ok, output, error } = await this.docker.run(["exec", "-i", this.container, ...command], { input });
    if (!ok) throw new ContainerUnreachable(error);
    return output;
  }
}

/** Writes the declared services and reloads the agent, if it has not loaded them already. @returns undefined if it has */
async function deliver({ node, declared }: Step, file: DeclaredFile, api: ConsulApi): Promise<Outcome | undefined> {
  const former = await file.read();
  if (!former && declared === NOTHING) return allow("services: none");
  if (former?.isLoaded && former.text === declared) return undefined;
  const rejection = await file.rejection(declared, node);
  if (rejection !== undefined)
    return deny(`its services are not delivered, because Consul rejects them: ${rejection}`, FILE_HINT);
  const failure = await file.write(declared);
  if (failure !== undefined)
    return deny(`its services cannot be written: ${failure}`, "look at its volume and its host");
  const reloaded = await reload(file, api);
  if (reloaded.kind === "allow") {
    await file.markLoaded();
    return undefined;
  }
  // An agent that starts with services that it rejects ends.
  const unrestored = await file.write(former?.text ?? NOTHING);
  await reload(file, api);
  if (reloaded.kind === "unknown") return reloaded;
  const kept =
    unrestored === undefined ? "keeps the previous ones" : `its previous ones cannot be written, ${unrestored}`;
  return deny(`its agent rejects its services, and ${kept}: ${reloaded.reason}`, FILE_HINT);
}

/**
 * Makes the agent read its files. Without a leader it cannot resolve a token, so a signal reloads it, and a signal has
 * no response.
 */
async function reload(file: DeclaredFile, api: ConsulApi): Promise<Outcome> {
  if ((await leader(api)) === undefined) {
    await file.signalReload();
    return allow("signaled");
  }
  const answer = await replyTo(api, { method: "PUT", path: "/v1/agent/reload" });
  if (answer.status === 200) return allow("reloaded");
  return answer.status === 0 ? unknown(formatAnswer(answer)) : deny(formatAnswer(answer), FILE_HINT);
}

/** Waits until the agent and the catalog have what is declared. */
async function registration(
  { node, role, declared, seconds }: Step,
  api: ConsulApi,
  agent: ServicesAgent,
  begun: Stopwatch,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const wanted = declaredIds(declared);
  const isNeverReady = async (): Promise<boolean> =>
    role === "client" ? !(await agent.wasReady()) : (await peers(api))?.length === 0;
  const waiting = new Waiting(node, clock, log);
  for (; !begun.reached(seconds); await clock.sleep(SECOND)) {
    const missing = await missingIds(wanted, node, api);
    if (missing === undefined) {
      waiting.for("has its services; waiting for the agent's answer");
      if (begun.reached(GRACE_SECONDS) && (await isNeverReady()))
        return allow("has its services; check skipped: the other servers are not deployed yet");
    } else if (missing.length === 0) {
      return allow(`services: ${[...wanted.services, ...wanted.checks].join(" ") || "none"}`);
    } else {
      waiting.for(`waiting until the catalog has ${missing.join(" ")}`);
    }
  }
  return deny(`not all of its services are there after ${seconds} s: ${waiting.reason}`, "read its container's log");
}

interface Ids {
  readonly services: readonly string[];
  readonly checks: readonly string[];
}

interface Declared {
  readonly id?: string;
  readonly name: string;
}

function declaredIds(declared: string): Ids {
  const { services = [], checks = [] }: { services?: readonly Declared[]; checks?: readonly Declared[] } =
    JSON.parse(declared);
  const idOf = ({ id, name }: Declared): string => id ?? name;
  return { services: services.map(idOf), checks: checks.map(idOf) };
}

type ById = Readonly<Record<string, unknown>>;
interface NodeServices {
  readonly Services?: readonly { readonly ID: string }[] | null;
}

/** What the agent or the catalog does not have yet; undefined if one of them gives no answer. */
async function missingIds(wanted: Ids, node: string, api: ConsulApi): Promise<readonly string[] | undefined> {
  const services = await read<ById>(api, "/v1/agent/services");
  const checks = await read<ById>(api, "/v1/agent/checks");
  // The catalog has no entry for a node that is new.
  const catalog = await read<NodeServices | null>(api, `/v1/catalog/node-services/${node}`);
  if (!services || !checks || catalog === undefined) return undefined;
  const inCatalog = new Set(catalog?.Services?.map(({ ID }) => ID));
  return [
    ...wanted.services.filter((id) => !Object.hasOwn(services, id) || !inCatalog.has(id)),
    ...wanted.checks.filter((id) => !Object.hasOwn(checks, id)),
  ];
}
