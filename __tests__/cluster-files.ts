import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { loadCluster } from "../cluster/file/load";
import type { ClusterFile } from "../cluster/file/schema";
import type { Cluster } from "../cluster/model";
import { ClusterError, describeProblem } from "../cluster/problem";

export const PROJECT = resolve(__dirname, "..");
export const SEED = join(PROJECT, "clusters/seed.yaml");

/** What every cluster file here begins with, unless the test is about it. */
export const HEAD = "name: c\nsecurity: off\ndaemon: ssh://root@{address}\n";

/** Three servers and a client, each on a host of its own. */
export const FOUR_HOSTS = `${HEAD}hosts: { s1: 10.0.0.1, s2: 10.0.0.2, s3: 10.0.0.3, c1: 10.0.0.4 }
servers: [s1, s2, s3]
clients: [c1]
`;

/** One daemon, a bridge network, and servers that are written by the test. */
export const BRIDGE = `name: c
security: off
network: bridge
daemon: unix:///var/run/docker.sock
hosts: { local: 127.0.0.1 }
`;

const folders: string[] = [];

/** A new folder, which goes when the tests of the file that asked for it are done. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "consul-cdktf-test-"));
  folders.push(made);
  return made;
}

afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true });
});

let clusterFiles: string | undefined;
let written = 0;

/** Writes a cluster file, and returns its path. All are in one folder, because tests write thousands. */
export function clusterFile(content: string | Uint8Array): string {
  clusterFiles ??= folder();
  written += 1;
  const file = join(clusterFiles, `cluster-${written}.yaml`);
  writeFileSync(file, content);
  return file;
}

export const load = (text: string): Cluster => loadCluster(clusterFile(text));

/** The same cluster as a text: for tests that change a part of it. */
export const yaml = (file: ClusterFile): string => stringify(file);

export interface Said {
  readonly code: string;
  /** `line:column` */
  readonly place: string;
  readonly severity: string;
  readonly message: string;
  readonly hint: string;
}

/** All errors or warnings of a cluster file, as they are printed. */
export function saidOf(path: string): Said[] {
  return printed(path)
    .split(/\n(?! {4})/)
    .filter((text) => text !== "")
    .map((text) => {
      const [, place = "", severity = "", code = "", message = "", hint = ""] =
        /^.*?:(\d+:\d+): (error|warning) ([a-z-]+): ([^\n]*)\n {4}hint: (.*)$/s.exec(text) ?? [];
      if (!place) throw new Error(`not in the form that is promised: ${JSON.stringify(text)}`);
      return { place, severity, code, message, hint };
    });
}

function printed(path: string): string {
  try {
    return loadCluster(path).warnings.map(describeProblem).join("\n");
  } catch (error) {
    if (error instanceof ClusterError) return error.message;
    throw error;
  }
}

/** Splits a text in which ▶ marks each expected location into the text without marks and the locations. */
export function marked(text: string): { text: string; places: string[] } {
  const places = text.split("▶").slice(0, -1);
  const before = places.map((_, index) => places.slice(0, index + 1).join(""));
  return {
    text: text.replaceAll("▶", ""),
    places: before.map((start) => `${start.split("\n").length}:${(start.split("\n").at(-1) ?? "").length + 1}`),
  };
}
