import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRunning, ownIdentity, type ProcessIdentity } from "../process-identity";
import { withTempDir } from "../temp-dir";

const PREFIX = "consul-cdktf-plan-";
/** The file that names the command that uses a folder. */
const OWNER = "owner.json";

interface Owner extends ProcessIdentity {
  /** Process ids are others in another container, which may have the same temporary folders. */
  readonly namespace: string;
}

/** A plan file contains the Terraform state: no other user may read it, and it is deleted. */
export function withPlanFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  removeAbandoned();
  return withTempDir(join(tmpdir(), PREFIX), (folder) => {
    const owner: Owner = { ...ownIdentity(), namespace: namespace() };
    writeFileSync(join(folder, OWNER), JSON.stringify(owner));
    return work(folder);
  });
}

/** Removes what commands have left that were killed by SIGKILL. Terraform that goes on by itself does not need it. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    const owner = ownerOf(folder);
    if (owner?.namespace === namespace() && !isRunning(owner)) rmSync(folder, { recursive: true, force: true });
  }
}

/** Undefined for a folder of another user's, and for one that is being made. */
function ownerOf(folder: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, OWNER), "utf8")) as Owner;
  } catch {
    return undefined;
  }
}

/** "" where there are no namespaces. */
function namespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
