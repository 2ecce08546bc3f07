import { createSocket } from "node:dgram";

/** statsd.ts PORT: what a StatsD server and a Datadog agent receive. It prints the lines of each datagram. */
const [port] = process.argv.slice(2);

createSocket("udp4", (message) => {
  console.log(message.toString().trim());
}).bind(Number(port));
