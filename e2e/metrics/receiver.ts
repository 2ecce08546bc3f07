import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

/**
 * receiver.ts PORT FILE: what Alertmanager calls. It appends a line for each alert of a notification: the path that was
 * called, `firing` or `resolved`, and the alert's name.
 */
const [port, file = ""] = process.argv.slice(2);

interface Notification {
  readonly alerts: readonly { readonly status: string; readonly labels: { readonly alertname: string } }[];
}

createServer(async (request, response) => {
  const { alerts }: Notification = JSON.parse((await request.toArray()).join(""));
  const lines = alerts.map(({ status, labels }) => `${request.url} ${status} ${labels.alertname}\n`);
  appendFileSync(file, lines.join(""));
  response.end();
}).listen(Number(port), "127.0.0.1");
