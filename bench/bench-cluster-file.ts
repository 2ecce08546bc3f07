import { type BenchHost, benchHosts } from "./bench-hosts";

/**
 * The cluster file of so many hosts: what plain-cdktf.ts says in TypeScript.
 * @param perStack hosts of a stack. @default all
 */
export function benchClusterFile(count: number, perStack?: number): string {
  const hosts = benchHosts(count);
  const names = (role: BenchHost["role"]) => hosts.filter((host) => host.role === role).map(({ name }) => name);
  return [
    "name: bench",
    "security: off",
    "daemon: ssh://root@{address}",
    "hosts:",
    ...hosts.map(({ name, address }, index) =>
      perStack === undefined
        ? `  ${name}: ${address}`
        : `  ${name}: { address: ${address}, group: g${Math.floor(index / perStack)} }`,
    ),
    `servers: [${names("server").join(", ")}]`,
    "clients:",
    ...names("client").map((name) => `  - ${name}`),
    `join: [${names("server").join(", ")}]`,
    "ignore: [big-group]",
    "",
  ].join("\n");
}
