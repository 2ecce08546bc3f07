import { type BenchHost, benchHosts } from "./bench-hosts";

/** The cluster file of so many hosts, all in one stack: what plain-cdktf.ts says in TypeScript. */
export function benchClusterFile(count: number): string {
  const hosts = benchHosts(count);
  const names = (role: BenchHost["role"]) => hosts.filter((host) => host.role === role).map(({ name }) => name);
  return [
    "name: bench",
    "security: off",
    "daemon: ssh://root@{address}",
    "hosts:",
    ...hosts.map(({ name, address }) => `  ${name}: ${address}`),
    `servers: [${names("server").join(", ")}]`,
    "clients:",
    ...names("client").map((name) => `  - ${name}`),
    `join: [${names("server").join(", ")}]`,
    "ignore: [big-group]",
    "",
  ].join("\n");
}
