import type { Cluster } from "../../cluster/model";
import { scheduledBackups } from "../backups/scheduled";
import { chosenCluster } from "../chosen-cluster";
import { replaceFile } from "../files";
import { text } from "../status/format";
import { type ExportedStatus, prometheusText } from "../status/prometheus";
import { statusOf } from "../status/status";
import { type StatusInspectionOptions, StatusInspector } from "../status/status-inspector";
import { count } from "../terminal/format";
import { coloured, Screen, untilEnded } from "../terminal/screen";
import type { Terminal } from "../terminal/terminal";

/** Unreachable hosts that are named as soon as they are found; the screen lists all. */
const NAMED = 10;
/** Rows of the terminal that the status does not get: the head's two, and two that stay empty. */
const OTHER_ROWS = 4;

export interface StatusOptions {
  /** Seconds between two refreshes; undefined for one status. */
  readonly watch?: number;
  readonly all?: boolean;
  /** Seconds after which a host counts as unreachable. */
  readonly timeout?: number;
  readonly json?: boolean;
  /** Print metrics for Prometheus, or write them to a file. */
  readonly prometheus?: string | true;
}

export async function status(
  { watch, all = false, timeout, json = false, prometheus }: StatusOptions,
  terminal: Terminal,
) {
  const { file, cluster } = chosenCluster(json || prometheus || watch !== undefined ? undefined : terminal.print);
  const inspector = new StatusInspector(cluster);
  const inspected = async (more: Partial<StatusInspectionOptions> = {}) => {
    const inspection = await inspector.inspect({ timeout, ...more });
    return { certificates: inspection.certificates, found: { file, ...statusOf(cluster, inspection) } };
  };
  // A pipe or a file has room for every column.
  const { isTTY, columns } = terminal.stdout;
  const appearance = { colour: coloured(terminal.stdout), all, width: (isTTY && columns) || undefined };

  if (watch === undefined) {
    terminal.log(`inspecting ${count(cluster.hosts.length, "host")}`);
    let named = 0;
    const onUnreachable: StatusInspectionOptions["onUnreachable"] = ({ name }, why) => {
      named += 1;
      if (named <= NAMED) terminal.log(`${name}: its Docker daemon is unreachable: ${why}`);
    };
    const { found, certificates } = await inspected({ onUnreachable });
    if (prometheus !== undefined) await exportStatus(cluster, { status: found, certificates }, prometheus, terminal);
    else if (json) terminal.printJson(found);
    else terminal.print(`\n${text(found, appearance)}`);
    return found.healthy ? 0 : 1;
  }

  untilEnded();
  const screen = new Screen(terminal.stdout);
  for (;;) {
    const room = terminal.stdout.isTTY ? (terminal.stdout.rows ?? 0) - OTHER_ROWS : undefined;
    const { found } = await inspected();
    const head = `${file}, ${found.at.slice(0, 19).replace("T", " ")} UTC, every ${watch} s until Ctrl-C`;
    if (json) terminal.print(JSON.stringify(found));
    else screen.draw(`${head}\n\n${text(found, { ...appearance, room })}`);
    await new Promise((resume) => setTimeout(resume, watch * 1000));
  }
}

/** Seconds that the containers of scheduled backups have to answer. */
const BACKUPS_SECONDS = 30;

/** A file is replaced as a whole: node_exporter may read it at any time. */
async function exportStatus(
  cluster: Cluster,
  exported: Omit<ExportedStatus, "backups">,
  prometheus: string | true,
  terminal: Terminal,
): Promise<void> {
  const text = prometheusText(cluster, {
    ...exported,
    backups: await scheduledBackups(cluster, BACKUPS_SECONDS),
  });
  if (prometheus === true) return void terminal.stdout.write(text);
  replaceFile(prometheus, text, 0o644);
  terminal.log(`wrote ${prometheus}`);
}
