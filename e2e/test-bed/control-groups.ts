import * as fs from "node:fs";
import * as path from "node:path";
import { CGROUP } from "./world";

const ROOT = "/sys/fs/cgroup";

/** How many processes outside of them the containers of all hosts together count as, when processors are scarce. */
const WEIGHT = 16;

/**
 * Gives the containers their share of the processors. Real hosts have processors of their own. Here, all containers are in
 * one control group, which would get as much as a single process of those that pull images or run a deploy: servers that
 * wait so long lose their leader.
 */
export function weighContainers(): void {
  const isVersion2 = fs.existsSync(path.join(ROOT, "cgroup.controllers"));
  if (isVersion2) fs.writeFileSync(path.join(ROOT, "cgroup.subtree_control"), "+cpu");
  const group = path.join(ROOT, isVersion2 ? "" : "cpu", CGROUP);
  fs.mkdirSync(group, { recursive: true });
  const weight = isVersion2 ? { file: "cpu.weight", ofOne: 100 } : { file: "cpu.shares", ofOne: 1024 };
  fs.writeFileSync(path.join(group, weight.file), String(WEIGHT * weight.ofOne));
}

/** Removes the control groups that containers of one host, or of all, leave when their daemon is killed. */
export async function removeControlGroups(host = ""): Promise<void> {
  // cgroup v2 has one tree, v1 one for each controller.
  const trees = fs.existsSync(ROOT) ? [ROOT, ...fs.readdirSync(ROOT).map((name) => path.join(ROOT, name))] : [];
  for (const group of trees.map((tree) => path.join(tree, CGROUP, host))) {
    // The kernel frees a group a moment after its last process has ended.
    for (let tries = 0; tries < 50 && !removeTree(group); tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * A group's files cannot be removed, and disappear with their folder: so this removes folders only, the innermost
 * first.
 */
function removeTree(group: string): boolean {
  try {
    const inside = fs.readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const emptied = inside.map((entry) => removeTree(path.join(group, entry.name))).every(Boolean);
    if (emptied) fs.rmdirSync(group);
    return emptied;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ENOTDIR";
  }
}
