import type { RunningCommand } from "./rig/command";
import type { Operator } from "./rig/operator";

/** What users of a cluster saw while it was changed. */
export interface LoadReport {
  /** Under which the keys are: load/<run>/<number>. */
  readonly run: string;
  /** Keys whose write was acknowledged, at the first or the second try. */
  readonly written: number;
  /** First tries that failed, with the reasons. */
  readonly failed: number;
  readonly reasons: readonly string[];
  /** Writes that failed through the other agent too. */
  readonly lost: number;
  /** Longest time between two acknowledged writes, in seconds. */
  readonly longestGap: number;
  /** How often the session was found gone. */
  readonly sessionLosses: number;
  /** How often neither agent resolved the service. */
  readonly unresolved: number;
}

/**
 * Users of a cluster, at the operator's machine: one writes a new key every 50 ms, through the agents in turn and on failure once more through the
 * other; one holds a session with a lock; one looks up a service that the first agent registered.
 */
export class Load {
  private constructor(private readonly users: RunningCommand) {}

  static async start(operator: Operator, agents: readonly [string, string]): Promise<Load> {
    const load = new Load(operator.spawn("node", ["-e", USERS, ...agents], { timeoutMs: 600_000 }));
    let ended = false;
    void load.users.finished.then(() => {
      ended = true;
    });
    while (!load.users.stdout.includes("started")) {
      if (ended) throw new Error(`the users never started: ${load.users.stderr}`);
      await new Promise((resume) => setTimeout(resume, 100));
    }
    return load;
  }

  async stop(): Promise<LoadReport> {
    this.users.signal("SIGTERM");
    const { stdout, stderr } = await this.users.finished;
    const report = stdout.split("\n").find((line) => line.startsWith("{"));
    if (!report) throw new Error(`the load ended without a report: ${stderr}`);
    return JSON.parse(report);
  }
}

const USERS = `
const agents = process.argv.slice(1);
const call = async (agent, method, path, body) => {
  const answer = await fetch(agent + path, { method, body, signal: AbortSignal.timeout(10000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(answer.status + " " + text.slice(0, 80));
  return text === "" ? undefined : JSON.parse(text);
};
const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));
const either = async (first, ...request) => {
  try { return await call(agents[first % 2], ...request); } catch { return call(agents[(first + 1) % 2], ...request); }
};
let going = true;
process.on("SIGTERM", () => { going = false; });
const report = { written: 0, failed: 0, reasons: [], lost: 0, longestGap: 0, sessionLosses: 0, unresolved: 0 };
const run = Date.now().toString(36);

async function writer() {
  let last = Date.now();
  for (let n = 0; going; n++) {
    const request = ["PUT", "/v1/kv/load/" + run + "/" + n, String(n)];
    try {
      await call(agents[n % 2], ...request);
      report.written++;
    } catch (error) {
      report.failed++;
      report.reasons.push(new Date().toISOString().slice(14, 23) + " " + (error.cause?.code ?? error.message));
      try { await call(agents[(n + 1) % 2], ...request); report.written++; } catch (again) { report.lost++; report.reasons.push("again: " + (again.cause?.code ?? again.message)); }
    }
    report.longestGap = Math.max(report.longestGap, (Date.now() - last) / 1000);
    last = Date.now();
    await pause(50);
  }
}
async function holder() {
  const { ID } = await call(agents[0], "PUT", "/v1/session/create", JSON.stringify({ TTL: "60s", LockDelay: "0s" }));
  await call(agents[0], "PUT", "/v1/kv/held?acquire=" + ID, "mine");
  console.log("started");
  while (going) {
    try {
      const [entry] = await either(0, "GET", "/v1/kv/held");
      if (entry.Session !== ID) report.sessionLosses++;
      await either(1, "PUT", "/v1/session/renew/" + ID);
    } catch {}
    await pause(500);
  }
  await either(0, "PUT", "/v1/session/destroy/" + ID);
}
async function resolver() {
  await call(agents[0], "PUT", "/v1/agent/service/register", JSON.stringify({ Name: "shop", Port: 80 }));
  await pause(1000);
  for (let n = 0; going; n++) {
    try { if ((await either(n, "GET", "/v1/health/service/shop?stale")).length !== 1) report.unresolved++; } catch { report.unresolved++; }
    await pause(200);
  }
}
Promise.all([writer(), holder(), resolver()]).then(() => console.log(JSON.stringify({ ...report, run, longestGap: Math.round(report.longestGap * 100) / 100 })), (error) => { console.error(error); process.exit(1); });
`;
