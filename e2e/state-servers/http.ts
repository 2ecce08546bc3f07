import type { IncomingMessage, ServerResponse } from "node:http";

/** A server for Terraform's backend `http`: a state and a lock at each path. */
export class HttpStates {
  private readonly states = new Map<string, Buffer>();
  private readonly locks = new Map<string, Buffer>();

  answer({ method, url = "/" }: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const path = new URL(url, "http://localhost").pathname;
    const lock = this.locks.get(path);
    const end = (status: number, text?: Buffer) => response.writeHead(status).end(text);
    if (method === "LOCK" && lock) end(423, lock);
    else if (method === "LOCK") {
      this.locks.set(path, body);
      end(200);
    } else if (method === "UNLOCK") {
      this.locks.delete(path);
      end(200);
    } else if (method === "POST") {
      this.states.set(path, body);
      end(200);
    } else if (method === "GET") end(this.states.has(path) ? 200 : 404, this.states.get(path));
    else end(405);
  }
}
