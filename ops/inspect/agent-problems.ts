import type { AgentDescription } from "../../cluster/model";
import { reasonText } from "../../rollout/container-report";
import { ALIVE } from "../../rollout/queries";
import { sharesData } from "../adoption/unmanaged";
import type { Container } from "../docker/container";
import { sha256 } from "../sha256";
import type { StateResource } from "../terraform/state";
import { certificateProblem } from "./certificate-problem";
import { type HealthProblem, type HealthProblemProps, healthProblem } from "./health-problem";
import { type InspectedAgent, notReady } from "./inspected-agent";
import { isOurs } from "./ownership";
import type { AgentProbe } from "./probe";

/**
 * The problems of one agent, by what was found on its host.
 * @param stateEmpty whose containers the Terraform state has none of
 */
export function agentProblems(inspected: InspectedAgent, stateEmpty?: "cluster" | "stack"): HealthProblem[] {
  const { agent, resource, stateUnread, container, view, report = { lines: [] } } = inspected;
  const at = { host: agent.host.name, agent: agent.name };
  const logs = `docker logs ${agent.container}`;
  if (!container) {
    const message = resource
      ? `the Terraform state has its container ${agent.container}, and its host does not`
      : `it has no container ${agent.container}`;
    return [healthProblem({ ...at, code: "container-missing", message, hint: "npm run deploy" })];
  }
  if (!stateUnread && resource?.attributes.id !== container.Id) {
    return [healthProblem({ ...at, ...unrecorded(inspected, container, stateEmpty) })];
  }
  const { Status, ExitCode } = container.State;
  if (Status === "restarting") {
    const message = `its container restarts again and again (exit code ${ExitCode})${reasonText(report)}`;
    const hint = report.failure?.hint ?? `${logs}; correct the file; npm run deploy`;
    return [healthProblem({ ...at, code: "container-restarting", message, hint })];
  }

  const problems: HealthProblem[] = [];
  const add = (props: Omit<HealthProblemProps, "host" | "agent">): void => {
    problems.push(healthProblem({ ...at, ...props }));
  };
  const addRestartPolicy = (): void => {
    const message = resource && restartPolicyChange(resource, container);
    if (message) add({ code: "restart-policy-changed", message, hint: "npm run deploy", fix: "restart-policy" });
  };
  const running = Status === "running";
  const unready = running ? notReady(inspected) : undefined;

  // A container whose creation was interrupted may lack a part.
  if (resource?.tainted && (!running || unready)) {
    const message = `its container is tainted, and ${unready?.message ?? `it ${stateOf(container)}`}`;
    add({ code: "container-tainted", message, hint: "npm run deploy, which recreates it" });
    addRestartPolicy();
    return problems;
  }
  if (!running) {
    const paused = Status === "paused";
    add({
      code: paused ? "container-paused" : "container-stopped",
      message: `its container ${stateOf(container)}${report.failure ? reasonText(report) : ""}`,
      hint: `${report.failure ? `${report.failure.hint}; ` : ""}docker ${paused ? "unpause" : "start"} ${agent.container}`,
      fix: paused ? "unpause" : "start",
    });
    addRestartPolicy();
    return problems;
  }

  addRestartPolicy();
  if (resource?.tainted) {
    const message = "its container is tainted, but the agent is ready: the next deploy would replace it";
    add({ code: "healthy-container-tainted", message, hint: "terraform untaint", fix: "untaint" });
  }
  const files = typeof view === "string" ? undefined : view.files;
  const changed = resource && files ? changedFiles(resource, files) : [];
  if (changed.length > 0) {
    const message = `files in its container were changed by hand: ${changed.join(", ")}`;
    add({ code: "files-changed", message, fix: "recreate" });
  }
  const { secrets } = inspected;
  const different = secrets && files ? [...secrets.hashes].filter(([file, hash]) => files.get(file) !== hash) : [];
  if (different.length > 0) {
    const names = different.map(([file]) => file).join(", ");
    // Only a deploy creates tokens, and it does so before agents get them.
    if (secrets?.deployed) {
      const message = `its container has other secrets than the last deploy delivered: ${names}`;
      add({ code: "secrets-changed", message, fix: "deliver-secrets" });
    } else {
      const message = `its secrets have changed since the last deploy: ${names}`;
      add({ code: "secrets-not-deployed", message, hint: "npm run deploy" });
    }
  }
  if (unready) {
    const summary = report.failure?.meaning ?? unready.summary;
    // The log of an agent whose API answers goes on with other things.
    const why = report.failure || typeof view === "string" ? reasonText(report) : "";
    const message = `it is not ready: ${unready.message}${why}`;
    add({ code: "agent-not-ready", message, summary, hint: report.failure?.hint ?? logs });
  } else if (typeof view !== "string" && !isMember(agent, view)) {
    add({ code: "agent-not-member", message: "it is no alive member of its own cluster", hint: logs });
  }
  const certificate = certificateProblem(inspected);
  if (certificate?.severity === "error") problems.push(certificate);
  return problems;
}

/** The state of a container that does not run: Docker's own word, in a sentence whose subject is the container. */
function stateOf({ State: { Status } }: Container): string {
  if (Status === "exited") return "has exited";
  if (Status === "created") return "is created, but has never run";
  if (Status === "removing") return "is being removed";
  return `is ${Status}`;
}

/** The agent's container is not in the Terraform state. `--fix` removes it only if its data outlives it. */
function unrecorded(
  { agent, resource }: InspectedAgent,
  container: Container,
  stateEmpty: "cluster" | "stack" | undefined,
): Pick<HealthProblemProps, "code" | "message" | "hint" | "fix"> {
  const unknown = `its container ${agent.container} is not in the Terraform state`;
  if (isOurs(container) && !resource) {
    if (stateEmpty === "stack") {
      const message = `${unknown} of its stack, which has no container at all`;
      const hint = "if that state is lost: npm run adopt, which touches no container (docs/lost-state.md)";
      return { code: "container-unrecorded", message, hint };
    }
    // Then nothing shows that this cluster was ever deployed.
    const why = stateEmpty ? ", which has no container at all" : ": a deploy was killed before it recorded it";
    const message = `${unknown}${why}`;
    return { code: "container-unrecorded", message, fix: "recreate" };
  }
  if (!sharesData(container, agent)) {
    const message = `${unknown}, and its data is not in ${agent.data}`;
    return { code: "container-foreign", message, hint: "if it is the agent: npm run adopt" };
  }
  const different = resource ? differences(resource, container) : [];
  const others = different.length > 0 ? `, with another ${different.join(", ")}` : "";
  return {
    code: "container-unmanaged",
    message: `${unknown}: it was created by hand${others}`,
    fix: "recreate",
  };
}

/** How a container differs from the deployed one. Values are left out, because the environment may hold secrets. */
export function differences({ attributes }: StateResource, { Config, HostConfig }: Container): string[] {
  const isSame = (deployed: unknown, actual: unknown) =>
    JSON.stringify(deployed ?? []) === JSON.stringify(actual ?? []);
  const labels = (attributes.labels ?? []) as readonly { label: string; value: string }[];
  const env = (attributes.env ?? []) as readonly string[];
  return [
    ...(isSame(attributes.command, Config.Cmd) ? [] : ["command"]),
    ...(isSame(attributes.entrypoint, Config.Entrypoint) ? [] : ["entrypoint"]),
    ...(attributes.image === Config.Image ? [] : ["image"]),
    ...labels.filter(({ label, value }) => Config.Labels?.[label] !== value).map(({ label }) => `label ${label}`),
    ...env.filter((entry) => !Config.Env?.includes(entry)).map((entry) => `variable ${entry.split("=")[0]}`),
    ...(attributes.network_mode === HostConfig.NetworkMode ? [] : ["network"]),
  ];
}

const isMember = ({ node }: AgentDescription, { members }: AgentProbe): boolean =>
  members.some(({ Name, Status }) => Name === node && Status === ALIVE);

/** Docker can change the restart policy while a container runs, and the provider only shows it in a plan. */
function restartPolicyChange({ attributes }: StateResource, { HostConfig }: Container): string | undefined {
  const { Name } = HostConfig.RestartPolicy;
  if (Name === attributes.restart) return undefined;
  return `its restart policy is ${Name}; ${String(attributes.restart)} was deployed`;
}

/** Uploaded files that differ from the last deploy's. The provider does not compare them. */
export function changedFiles({ attributes }: StateResource, files: ReadonlyMap<string, string>): string[] {
  const uploads = (attributes.upload ?? []) as readonly Upload[];
  return uploads.flatMap((upload) => {
    const { file } = upload;
    const expected = hashOf(upload);
    if (!expected || files.get(file) === expected) return [];
    return [files.has(file) ? file : `${file} (missing)`];
  });
}

/** An uploaded file in the Terraform state. */
interface Upload {
  readonly file: string;
  readonly content?: string;
  readonly content_base64?: string;
  readonly source_hash?: string;
}

function hashOf({ content, content_base64: base64, source_hash: hash }: Upload): string | undefined {
  if (content) return sha256(content);
  return base64 ? sha256(Buffer.from(base64, "base64")) : hash;
}
