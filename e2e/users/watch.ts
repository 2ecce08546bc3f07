import { Api } from "./api";

/**
 * watch.ts NAME=URL...: requests every server's API ten times a second, until SIGTERM; then prints how many were down
 * together.
 */

const PERIOD_MS = 100;
/** On a busy machine a response may take this long; a server that is down refuses connections at once. */
const PATIENCE_MS = 3000;
const LIMIT_MS = 20 * 60_000;

const api = new Api();
const servers = process.argv.slice(2).map((argument) => argument.split("=") as [string, string]);
const down = new Set<string>();
const report = { looks: 0, mostDown: 0, together: [] as string[] };
let going = true;
process.on("SIGTERM", () => {
  going = false;
});
setTimeout(() => process.exit(1), LIMIT_MS).unref();

async function watch(name: string, url: string) {
  // A server that is being added is not down.
  let hasBeenUp = false;
  while (going) {
    const answers = await api.call(`${url}/v1/status/peers`, { patience: PATIENCE_MS }).then(
      () => true,
      () => false,
    );
    report.looks++;
    hasBeenUp ||= answers;
    if (answers) down.delete(name);
    else if (hasBeenUp) down.add(name);
    if (down.size > report.mostDown) {
      report.mostDown = down.size;
      report.together = [...down].sort();
    }
    await new Promise((resume) => setTimeout(resume, PERIOD_MS));
  }
}

console.log("started");
Promise.all(servers.map(([name, url]) => watch(name, url))).then(() => {
  console.log(JSON.stringify(report));
  process.exit(0);
});
