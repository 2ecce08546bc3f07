import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { Duplex, type Readable, type Writable } from "node:stream";
import {
  type Authority,
  type ConsulAnswer,
  type ConsulApi,
  type ConsulRequest,
  ContainerUnreachable,
  Unreachable,
} from "./consul-api";
import { type DockerCli, startFailure } from "./docker-cli";

export interface ConnectionLimits {
  /** Seconds until an answer is given up, on top of what a blocking query may take. @default 5 */
  readonly answerSeconds?: number;
  /** Seconds until the daemon and the container have to be reached. @default 15 */
  readonly connectSeconds?: number;
}

export interface ConnectionOptions extends ConnectionLimits {
  /** The API's address in the container. @default what the container says */
  readonly address?: string;
}

/** Files of the agent's secrets that hold a token as an HTTP header, the newest first. */
const TOKEN_FILES = ["rollout.header", "former.header", "management.header"] as const;

/**
 * What runs in the container: it prints the API's address, as the running container has it, and the headers of the
 * tokens; then it connects its standard streams with the address that it reads. A token is never an argument, and one
 * docker CLI, over ssh one connection, serves all requests.
 */
const IN_CONTAINER = `printf '%s\\n' "\${CONSUL_HTTP_ADDR:-}"
for name in ${TOKEN_FILES.join(" ")}; do printf '%s\\n' "$(head -n 1 "/consul/secrets/$name" 2>/dev/null)"; done
IFS= read -r host && IFS= read -r port && exec nc "$host" "$port"`;

/** A path of the agent's own, which servers answer without a leader: it tells whether they take a token. */
const OWN_PATH = { method: "GET", path: "/v1/agent/members" } as const;
const NO_ANSWER = "its API gave no answer";
const LINES = 1 + TOKEN_FILES.length;
const TOKEN_HEADER = "X-Consul-Token";
const DEFAULT_ADDRESS = "http://127.0.0.1:8500";
/** Enough of what the docker CLI complains of to show why. */
const MOST_COMPLAINT = 1000;

type Cli = ChildProcessByStdio<Writable, Readable, Readable>;

/** A docker CLI, and its end: a rejection that says what the CLI complained of. */
interface Process {
  readonly cli: Cli;
  readonly end: Promise<never>;
}

/** An open way to one agent's API. */
interface Line {
  readonly agent: Agent;
  readonly headers: Readonly<Record<(typeof TOKEN_FILES)[number], string>>;
  /** The agent's token, once it is known that the cluster takes it. */
  token?: string;
}

/**
 * An agent's HTTP API by `docker exec -i NAME nc`: Node's own HTTP client, kept alive, on the standard streams of one
 * docker CLI. It opens itself at the first request, and again after a failure. Close it: what it leaves behind is a
 * process.
 */
export class ConsulConnection implements ConsulApi {
  private process: Process | undefined;
  private line: Line | undefined;

  /** @param docker the container's daemon */
  constructor(
    private readonly docker: DockerCli,
    private readonly container: string,
    private readonly options: ConnectionOptions = {},
  ) {}

  async send(asked: ConsulRequest): Promise<ConsulAnswer> {
    const { answerSeconds = 5 } = this.options;
    const line = await this.opened();
    const header = await this.headerFor(line, asked.authority ?? "agent");
    return this.within(answerSeconds + (asked.waitSeconds ?? 0), NO_ANSWER, () => exchange(line, asked, header));
  }

  /** Whether the agent has secrets. @throws ContainerUnreachable */
  async isSecured(): Promise<boolean> {
    return (await this.opened()).headers["rollout.header"] !== "";
  }

  /** Ends the docker CLI, and with it `nc` in the container. */
  async close(): Promise<void> {
    const { line, process } = this;
    this.line = undefined;
    this.process = undefined;
    line?.agent.destroy();
    if (process) await ended(process.cli);
  }

  /** The header that a request carries; undefined without security, and where nobody's token is known yet. */
  private async headerFor(line: Line, authority: Authority): Promise<string | undefined> {
    if (authority === "anonymous") return undefined;
    if (typeof authority === "object") return `${TOKEN_HEADER}: ${authority.secretId}`;
    if (authority === "current") return own(line, "rollout.header");
    if (authority === "former") return own(line, "former.header");
    if (authority === "management") return line.headers["management.header"] || undefined;
    if (line.token !== undefined) return line.token;
    // The current token counts once the cluster knows it; until then the former one does, when tokens are being
    // rotated.
    for (const file of ["rollout.header", "former.header"] as const) {
      const header = line.headers[file];
      if (header === "") continue;
      const { answerSeconds = 5 } = this.options;
      const { status } = await this.within(answerSeconds, NO_ANSWER, () => exchange(line, OWN_PATH, header));
      if (status === 200) {
        line.token = header;
        return header;
      }
      // The agent does not know now, for example without a leader.
      if (status !== 401 && status !== 403) return header;
    }
    return undefined;
  }

  private async opened(): Promise<Line> {
    const { connectSeconds = 15 } = this.options;
    try {
      this.line ??= await this.within(connectSeconds, "its container was not reached", () => this.open());
    } catch (error) {
      throw new ContainerUnreachable((error as Error).message);
    }
    return this.line;
  }

  private async open(): Promise<Line> {
    const cli = this.docker.start(["exec", "-i", this.container, "/bin/sh", "-c", IN_CONTAINER]);
    // What fails on its streams is told by the end of the CLI, or by the request that waits.
    for (const stream of [cli.stdin, cli.stdout]) stream.on("error", () => undefined);
    let complaint = "";
    cli.stderr.setEncoding("utf8").on("data", (piece: string) => {
      complaint = (complaint + piece).slice(-MOST_COMPLAINT);
    });
    const end = new Promise<never>((_, fail) => {
      cli.once("error", (error) => fail(new Unreachable(startFailure(error))));
      cli.once("close", (code, signal) =>
        fail(new Unreachable(complaint.trim() || `the docker CLI ended with ${signal ?? code}`)),
      );
    });
    end.catch(() => undefined);
    this.process = { cli, end };
    const lines = firstLines(cli.stdout, LINES);
    lines.catch(() => undefined);
    const [told = "", ...headers] = await Promise.race([lines, end]);
    const address = this.options.address ?? told;
    const { hostname, port } = new URL(
      address === "" ? DEFAULT_ADDRESS : address.includes("://") ? address : `http://${address}`,
    );
    cli.stdin.write(`${hostname.replace(/^\[|\]$/g, "")}\n${port || "80"}\n`);
    const stream = Duplex.from({ readable: cli.stdout, writable: cli.stdin });
    stream.on("error", () => undefined);
    const [rollout = "", former = "", management = ""] = headers;
    return {
      agent: agentOn(stream),
      headers: { "rollout.header": rollout, "former.header": former, "management.header": management },
    };
  }

  /**
   * What does not come in time, or fails, closes the line: half an answer would be read as the beginning of the next.
   */
  private async within<Value>(seconds: number, why: string, work: () => Promise<Value>): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, fail) => {
      timer = setTimeout(() => fail(new Unreachable(`${why} within ${seconds} s`)), seconds * 1000);
    });
    const working = work();
    try {
      return await Promise.race([working, late]);
    } catch (error) {
      working.catch(() => undefined);
      // A CLI that ends says why; the request only knows that its socket is gone.
      const complaint = await Promise.race([this.process?.end, soon()]).catch(({ message }: Error) => message);
      await this.close();
      throw error instanceof Unreachable ? error : new Unreachable(complaint ?? (error as Error).message);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** @throws Unreachable when the agent's secrets have no such token: nobody's rights would be another question */
function own({ headers }: Line, file: (typeof TOKEN_FILES)[number]): string {
  if (headers[file] === "") throw new Unreachable(`its secrets have no ${file}`);
  return headers[file];
}

/** Lines of a stream, of which no byte beyond them is taken: what follows is HTTP. */
async function firstLines(stream: Readable, count: number): Promise<string[]> {
  let text = "";
  for (;;) {
    const piece = stream.read() as Buffer | null;
    if (piece === null) {
      await once(stream, "readable");
      continue;
    }
    text += piece.toString("utf8");
    const lines = text.split("\n");
    if (lines.length > count) {
      const rest = lines.slice(count).join("\n");
      if (rest !== "") stream.unshift(Buffer.from(rest));
      return lines.slice(0, count);
    }
  }
}

/** An HTTP agent with this one socket. */
function agentOn(stream: Duplex): Agent {
  // What node:http calls on a socket.
  const socket = Object.assign(stream, {
    setKeepAlive: () => stream,
    setNoDelay: () => stream,
    setTimeout: () => stream,
    ref: () => stream,
    unref: () => stream,
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return Object.assign(agent, { createConnection: () => socket });
}

function exchange({ agent }: Line, asked: ConsulRequest, header: string | undefined): Promise<ConsulAnswer> {
  const { method, path, body } = asked;
  const text = body === undefined || typeof body === "string" ? (body ?? "") : JSON.stringify(body);
  const [name = "", ...value] = (header ?? "").split(":");
  const headers = {
    "Content-Length": Buffer.byteLength(text),
    ...(header === undefined ? {} : { [name]: value.join(":").trim() }),
  };
  return new Promise((done, fail) => {
    const sent = request({ agent, method, path, host: "consul", headers }, (answer: IncomingMessage) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("error", fail);
      answer.once("aborted", () => fail(new Unreachable("its answer broke off")));
      answer.once("end", () => {
        const index = Number(answer.headers["x-consul-index"]);
        done({
          status: answer.statusCode ?? 0,
          body: Buffer.concat(pieces).toString("utf8"),
          index: Number.isSafeInteger(index) && index > 0 ? index : undefined,
        });
      });
    });
    sent.on("error", fail);
    sent.end(text);
  });
}

const soon = (): Promise<undefined> => new Promise((done) => setTimeout(done, 100, undefined));

/** Waits until a docker CLI is gone, and sees to it. */
async function ended(cli: Cli): Promise<void> {
  if (cli.exitCode !== null || cli.signalCode !== null || cli.pid === undefined) return;
  const gone = once(cli, "exit").then(
    () => true,
    () => true,
  );
  cli.stdin.destroy();
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (await Promise.race([gone, new Promise<false>((late) => setTimeout(() => late(false), 500))])) return;
    cli.kill(signal);
  }
  await gone;
}
