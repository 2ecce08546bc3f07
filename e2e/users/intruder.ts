import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Credentials } from "../credentials";

/**
 * intruder.ts ADDRESS...: probes hosts from another one, and prints as JSON which TCP ports are open, which of them
 * speak plain HTTP, and whether RPC and HTTPS accept a connection without a certificate, and with each certificate
 * that the environment's CREDENTIALS has under a name.
 */

export interface Intrusion {
  /** By address. */
  readonly open: Record<string, number[]>;
  /** The first line of the response to plain HTTP, by address:port. */
  readonly plain: Record<string, string>;
  /** Whether a connection is accepted, by `rpc` or `https`, the address, and the certificate's name, or `none`. */
  readonly accepted: Record<string, boolean>;
}

const AT_ONCE = 400;
const PATIENCE_MS = 2000;

const credentials = Object.entries(
  JSON.parse(process.env.CREDENTIALS ?? "{}") as Record<string, Pick<Credentials, "cert" | "key">>,
);
const certificates: [string, { cert?: Buffer; key?: Buffer }][] = [
  ["none", {}],
  ...credentials.map(([word, { cert, key }]): [string, { cert: Buffer; key: Buffer }] => [
    word,
    { cert: readFileSync(cert), key: readFileSync(key) },
  ]),
];

const opened = (address: string, port: number): Promise<Socket | undefined> =>
  new Promise((done) => {
    const socket = connect({ host: address, port, timeout: PATIENCE_MS });
    const end = (found: Socket | undefined) => {
      if (!found) socket.destroy();
      done(found);
    };
    socket.once("connect", () => end(socket));
    socket.once("timeout", () => end(undefined));
    socket.once("error", () => end(undefined));
  });

async function openPorts(address: string): Promise<number[]> {
  const found: number[] = [];
  let next = 1;
  const look = async () => {
    while (next <= 65535) {
      const port = next++;
      const socket = await opened(address, port);
      if (socket) found.push(port);
      socket?.destroy();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return found.sort((a, b) => a - b);
}

async function plainHttp(address: string, port: number): Promise<string> {
  const socket = await opened(address, port);
  if (!socket) return "";
  return new Promise((done) => {
    let received = "";
    const end = () => {
      socket.destroy();
      done(received.split(/\r?\n/)[0]?.replace(/[^ -~]/g, "?") ?? "");
    };
    socket.setTimeout(PATIENCE_MS, end);
    socket.on("data", (data) => {
      received += data.toString("latin1");
    });
    socket.on("error", end);
    socket.on("close", end);
    socket.write(`GET /v1/status/leader HTTP/1.0\r\n\r\n`);
  });
}

/** A connection's first byte (agent/pool/conn.go of hashicorp/consul): RPC in TLS, and then many at once. */
const RPC_TLS = 3;
const RPC_MULTIPLEXED = 4;

async function rpc(address: string, certificate: object): Promise<boolean> {
  const socket = await opened(address, 8300);
  if (!socket) return false;
  socket.write(Buffer.from([RPC_TLS]));
  return new Promise((done) => {
    const tls = connectTls({ socket, rejectUnauthorized: false, ...certificate }, () =>
      tls.write(Buffer.from([RPC_MULTIPLEXED])),
    );
    const end = (accepted: boolean) => {
      tls.destroy();
      done(accepted);
    };
    // In TLS 1.3 a rejection arrives after the handshake. An accepted connection stays open, since no request is made.
    setTimeout(() => end(tls.getCipher() !== undefined), PATIENCE_MS);
    tls.on("error", () => end(false));
    tls.on("close", () => end(false));
  });
}

const https = (address: string, certificate: object): Promise<boolean> =>
  new Promise((done) => {
    const options = { rejectUnauthorized: false, timeout: PATIENCE_MS, ...certificate };
    const asking = request(`https://${address}:8501/v1/status/leader`, options, (answer) => {
      answer.resume();
      done(true);
    });
    asking.on("timeout", () => asking.destroy());
    asking.on("error", () => done(false));
    asking.end();
  });

async function main(addresses: readonly string[]): Promise<Intrusion> {
  const report: Intrusion = { open: {}, plain: {}, accepted: {} };
  for (const address of addresses) {
    report.open[address] = await openPorts(address);
    for (const port of report.open[address]) report.plain[`${address}:${port}`] = await plainHttp(address, port);
    for (const [word, certificate] of certificates) {
      if (report.open[address].includes(8300))
        report.accepted[`rpc ${address} ${word}`] = await rpc(address, certificate);
      report.accepted[`https ${address} ${word}`] = await https(address, certificate);
    }
  }
  return report;
}

main(process.argv.slice(2)).then((report) => console.log(JSON.stringify(report)));
