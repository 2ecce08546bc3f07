import { readFileSync } from "node:fs";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Credentials } from "../credentials";

/** How long a response may take, in milliseconds. */
export type Patience = { readonly patience: number };

/**
 * Consul's HTTP API for programs: with a client certificate and a token, if the environment's CREDENTIALS names their
 * files.
 */
export class Api {
  private readonly headers: Record<string, string>;
  private readonly plain = new HttpAgent({ keepAlive: true });
  private readonly secured: HttpsAgent;

  constructor(
    credentials: Credentials | undefined = process.env.CREDENTIALS ? JSON.parse(process.env.CREDENTIALS) : undefined,
  ) {
    const read = (file: string | undefined) => (file ? readFileSync(file, "utf8") : undefined);
    const [name, token] = read(credentials?.header)?.trim().split(": ") ?? [];
    this.headers = name && token ? { [name]: token } : {};
    this.secured = new HttpsAgent({
      keepAlive: true,
      ca: read(credentials?.ca),
      cert: read(credentials?.cert),
      key: read(credentials?.key),
    });
  }

  /** The body of a response; fails for a status that is not 2xx, and after a timeout. */
  call(
    url: string,
    { patience, method = "GET", body }: Patience & { method?: string; body?: string },
  ): Promise<string> {
    const secured = url.startsWith("https:");
    const options = {
      method,
      headers: this.headers,
      agent: secured ? this.secured : this.plain,
      signal: AbortSignal.timeout(patience),
    };
    return new Promise((done, fail) => {
      const answer = (response: IncomingMessage) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part) => {
          text += part;
        });
        response.on("error", fail);
        response.on("end", () => {
          const { statusCode = 0 } = response;
          if (statusCode >= 200 && statusCode < 300) done(text);
          else fail(new Error(`${statusCode} ${text.slice(0, 80)}`));
        });
      };
      const asking = secured ? httpsRequest(url, options as object, answer) : httpRequest(url, options, answer);
      asking.on("error", fail);
      asking.end(body);
    });
  }
}
