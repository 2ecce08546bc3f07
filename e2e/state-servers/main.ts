import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { HttpStates } from "./http";
import { S3 } from "./s3";

/** The stand-ins of S3 and of a server for the backend `http`, on ports of this machine's loopback. */
const PORTS = { s3: 9000, http: 9001 };

const serve = (port: number, states: S3 | HttpStates) =>
  createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    states.answer(request, Buffer.concat(chunks), response);
  }).listen(port, "127.0.0.1");

const servers = [serve(PORTS.s3, new S3()), serve(PORTS.http, new HttpStates())];
process.on("SIGTERM", () => {
  console.log("{}");
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});
console.log("listening");
