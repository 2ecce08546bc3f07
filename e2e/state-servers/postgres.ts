import { readdirSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../consul";
import type { RunningCommand } from "../test-bed/command";
import type { Operator } from "../test-bed/operator";

/** Debian's folders of PostgreSQL's programs, one for each version. */
const PROGRAMS = "/usr/lib/postgresql";

/** PostgreSQL on the operator's machine. */
export class Postgres {
  readonly connection = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable";

  private constructor(private readonly running: RunningCommand) {}

  /** @param folder for its data; it becomes the server's */
  static async start(operator: Operator, folder: string): Promise<Postgres> {
    const version = readdirSync(PROGRAMS).sort().at(-1) ?? "";
    const program = (name: string) => join(PROGRAMS, version, "bin", name);
    // It does not run as root.
    const asPostgres = ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"];
    await operator.run("install", ["-d", "-o", "postgres", "-m", "700", folder]);
    const initdb = [program("initdb"), "-D", folder, "-U", "postgres", "-A", "trust", "--no-sync"];
    await operator.run("setpriv", [...asPostgres, ...initdb], { cwd: "/" });
    const server = [program("postgres"), "-D", folder, "-k", folder, "-h", "127.0.0.1", "-F"];
    const running = operator.spawn("setpriv", [...asPostgres, ...server], { cwd: "/" });
    const ready = [program("pg_isready"), "-h", "127.0.0.1"];
    await eventually(async () => {
      await operator.run(ready[0] as string, ready.slice(1));
    }, 60);
    return new Postgres(running);
  }

  async stop(): Promise<void> {
    this.running.signal("SIGINT");
    await this.running.finished;
  }
}
