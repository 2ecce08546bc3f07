import { Resolver } from "node:dns/promises";
import { Api } from "./api";

/**
 * load.ts AGENT AGENT [declared]: the users of ../load.ts, until SIGTERM; then prints what they saw. Registers the
 * service, unless it is declared.
 */

/** From one write's response to the next write. */
const PERIOD_MS = 50;
/**
 * Both agents may be connected to the server that is being stopped, so an immediate retry through the other one would
 * fail too. The pause is random, up to twice as long, because an agent that has lost a server may choose one that is
 * down next: with equal pauses, all users would meet that one together.
 */
const RETRY_PAUSE_MS = 250;
const PATIENCE_MS = 10_000;
/** Ends a load whose test no longer exists. */
const LIMIT_MS = 20 * 60_000;
const SERVICE = "shop";

const [first = "", second = "", declared] = process.argv.slice(2);
const agents = [first, second];
const run = Date.now().toString(36);
const report = {
  run,
  written: 0,
  failed: 0,
  reasons: [] as string[],
  lost: 0,
  unacknowledged: [] as number[],
  longestGap: 0,
  gapEnded: "",
  longestStall: 0,
  sessionLosses: 0,
  unresolved: 0,
};
let going = true;
let issued = 0;
process.on("SIGTERM", () => {
  going = false;
});
setTimeout(() => process.exit(1), LIMIT_MS).unref();

const pause = (ms: number) => new Promise((resume) => setTimeout(resume, ms));

const api = new Api();
async function call(agent: string, method: string, path: string, body?: string) {
  const text = await api.call(agent + path, { method, body, patience: PATIENCE_MS });
  return text === "" ? undefined : JSON.parse(text);
}

const time = (): string => new Date().toISOString().slice(14, 23);

function note(who: string, error: unknown): void {
  const { code, message } = error as NodeJS.ErrnoException;
  report.reasons.push(`${time()} ${who}: ${code ?? message}`);
}

/** Works through an agent; if that fails, pauses, and works through the other. */
async function either<T>(who: string, first: number, work: (agent: string) => Promise<T>): Promise<T> {
  try {
    return await work(agents[first % 2] as string);
  } catch (error) {
    note(who, error);
    await pause(RETRY_PAUSE_MS * (1 + Math.random()));
    return work(agents[(first + 1) % 2] as string);
  }
}

async function writer(own: number) {
  const who = `writer ${own + 1}`;
  let last = Date.now();
  while (going) {
    const number = issued++;
    let tries = 0;
    try {
      const done = await either(who, own, (agent) => {
        tries++;
        return call(agent, "PUT", `/v1/kv/load/${run}/${number}`, String(number));
      });
      if (done !== true) throw new Error(`answered ${done}`);
      report.written++;
      const gap = (Date.now() - last) / 1000;
      if (gap > report.longestGap) Object.assign(report, { longestGap: gap, gapEnded: new Date().toISOString() });
      last = Date.now();
    } catch (error) {
      note(`${who}, again`, error);
      report.unacknowledged.push(number);
    }
    if (tries > 1) report.failed++;
    await pause(PERIOD_MS);
  }
}

async function watchClock() {
  while (going) {
    const begun = Date.now();
    await pause(PERIOD_MS);
    report.longestStall = Math.max(report.longestStall, (Date.now() - begun - PERIOD_MS) / 1000);
  }
}

async function holder() {
  const who = "holder";
  const { ID } = await call(first, "PUT", "/v1/session/create", JSON.stringify({ TTL: "60s", LockDelay: "0s" }));
  await call(first, "PUT", `/v1/kv/held/${run}?acquire=${ID}`, "mine");
  console.log("started");
  const look = async () => {
    const [entry] = await either(who, 0, (agent) => call(agent, "GET", `/v1/kv/held/${run}`));
    if (entry.Session !== ID) report.sessionLosses++;
  };
  const use = async (verb: "renew" | "destroy") => {
    try {
      await look();
      await either(who, 1, (agent) => call(agent, "PUT", `/v1/session/${verb}/${ID}`));
    } catch (error) {
      note(`${who}, again`, error);
    }
  };
  while (going) {
    await use("renew");
    await pause(500);
  }
  await use("destroy");
}

/** Looks the service up. Starts a second later, since its registration is not part of the test. */
async function resolver(how: string, lookUp: (agent: string) => Promise<number>) {
  const find = async (agent: string) => {
    const found = await lookUp(agent);
    if (found !== 1) throw new Error(`${found} found`);
  };
  await pause(1000);
  for (let turn = 0; going; turn++) {
    try {
      await either(how, turn, find);
    } catch (error) {
      note(`${how}, again`, error);
      report.unresolved++;
    }
    await pause(200);
  }
}

const byHttp = async (agent: string) =>
  (await call(agent, "GET", `/v1/health/service/${SERVICE}?passing&stale`)).length;
async function byDns(agent: string) {
  // As docs/dns.md configures hosts. A query to an agent that is down may have no answer: kernels limit how many they refuse.
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([`${new URL(agent).hostname}:8600`]);
  return (await resolver.resolve4(`${SERVICE}.service.consul`)).length;
}

async function main() {
  if (!declared) await call(first, "PUT", "/v1/agent/service/register", JSON.stringify({ Name: SERVICE, Port: 80 }));
  await Promise.all([writer(0), writer(1), holder(), resolver("HTTP", byHttp), resolver("DNS", byDns), watchClock()]);
  const longestGap = Math.round(report.longestGap * 100) / 100;
  console.log(JSON.stringify({ ...report, lost: report.unacknowledged.length, longestGap }));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
