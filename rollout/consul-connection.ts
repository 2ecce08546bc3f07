import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import { Duplex, type Readable, type Writable } from "node:stream";
import { CONTAINER_VARIABLES, PATHS } from "../consul/contract";
import { SECRET_FILES } from "../consul/secrets";
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

/** Shell that runs in the container before the first request, for what Consul's API does not report. */
export interface Prelude {
  /** It prints no empty line. */
  readonly script: string;
  readonly args: readonly string[];
}

export interface ConnectionSettings extends ConnectionLimits {
  /** It takes part of the time to connect. @default none */
  readonly prelude?: Prelude;
}

export interface ConnectionOptions extends ConnectionSettings {
  /** The API's address in the container. @default what the container says */
  readonly address?: string;
}

/** Files of the agent's secrets that hold a token, as an HTTP header or bare. */
const TOKEN_FILES = [
  SECRET_FILES.rolloutHeader,
  SECRET_FILES.formerHeader,
  SECRET_FILES.managementHeader,
  SECRET_FILES.healthToken,
] as const;
type TokenFile = (typeof TOKEN_FILES)[number];

/**
 * What runs in the container: it prints the API's address, as the running container has it, and the first line of each
 * file with a token; then what the prelude prints, and an empty line; then it connects its standard streams with the
 * address that it reads. A token is never an argument, and one docker CLI, over ssh one connection, serves all requests.
 */
const IN_CONTAINER = `printf '%s\\n' "\${${CONTAINER_VARIABLES.httpAddress}:-}"
for name in ${TOKEN_FILES.join(" ")}; do printf '%s\\n' "$(head -n 1 "${PATHS.secrets}/$name" 2>/dev/null)"; done
[ $# -eq 0 ] || /bin/sh -c "$@" </dev/null
echo
IFS= read -r host && IFS= read -r port && exec nc "$host" "$port"`;

/**
 * A path of the agent's own, which servers answer without a leader: it tells whether they take a token. With this
 * filter the answer is two bytes; a thousand members are 384 kB. Versions that do not know the filter ignore it.
 */
const OWN_PATH = { method: "GET", path: "/v1/agent/members?filter=Name==none" } as const;
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
  /** Bare; "" where the agent's secrets have no such file. */
  readonly tokens: Readonly<Record<TokenFile, string>>;
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
  private printed: readonly string[] | undefined;

  /** @param docker the container's daemon */
  constructor(
    private readonly docker: DockerCli,
    private readonly container: string,
    private readonly options: ConnectionOptions = {},
  ) {}

  async send(asked: ConsulRequest): Promise<ConsulAnswer> {
    const { answerSeconds = 5 } = this.options;
    const line = await this.opened();
    const token = await this.tokenFor(line, asked.authority ?? "agent");
    return this.within(answerSeconds + (asked.waitSeconds ?? 0), NO_ANSWER, () => exchange(line, asked, token));
  }

  /** Whether the agent has secrets. @throws ContainerUnreachable */
  async isSecured(): Promise<boolean> {
    return (await this.opened()).tokens[SECRET_FILES.rolloutHeader] !== "";
  }

  /** The lines that the prelude printed. @throws ContainerUnreachable */
  async preludeLines(): Promise<readonly string[]> {
    await this.opened();
    return this.printed ?? [];
  }

  /** Ends the docker CLI, and with it `nc` in the container. */
  async close(): Promise<void> {
    const { line, process } = this;
    this.line = undefined;
    this.process = undefined;
    line?.agent.destroy();
    if (process) await ended(process.cli);
  }

  /** The token that a request carries; undefined without security, and where nobody's token is known yet. */
  private async tokenFor(line: Line, authority: Authority): Promise<string | undefined> {
    if (typeof authority === "object") return authority.secretId;
    switch (authority) {
      case "anonymous":
        return undefined;
      case "current":
        return own(line, SECRET_FILES.rolloutHeader);
      case "former":
        return own(line, SECRET_FILES.formerHeader);
      case "management":
        return line.tokens[SECRET_FILES.managementHeader] || undefined;
      case "health":
        return line.tokens[SECRET_FILES.healthToken] || this.acceptedToken(line);
      case "agent":
        return this.acceptedToken(line);
    }
  }

  /**
   * The current token counts once the cluster knows it; until then the former one does, when tokens are being rotated.
   */
  private async acceptedToken(line: Line): Promise<string | undefined> {
    if (line.token !== undefined) return line.token;
    for (const file of [SECRET_FILES.rolloutHeader, SECRET_FILES.formerHeader]) {
      const token = line.tokens[file];
      if (token === "") continue;
      const { answerSeconds = 5 } = this.options;
      const { status } = await this.within(answerSeconds, NO_ANSWER, () => exchange(line, OWN_PATH, token));
      if (status === 200) {
        line.token = token;
        return token;
      }
      // The agent does not know now, for example without a leader.
      if (status !== 401 && status !== 403) return token;
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
    const { prelude } = this.options;
    // Once: a connection that is opened again is opened for the API.
    const once = prelude && !this.printed ? ["sh", prelude.script, "sh", ...prelude.args] : [];
    const cli = this.docker.start(["exec", "-i", this.container, "/bin/sh", "-c", IN_CONTAINER, ...once]);
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
    const [told = "", ...rest] = await Promise.race([lines, end]);
    this.printed ??= rest.slice(TOKEN_FILES.length);
    const address = this.options.address ?? told;
    const { hostname, port } = new URL(
      address === "" ? DEFAULT_ADDRESS : address.includes("://") ? address : `http://${address}`,
    );
    cli.stdin.write(`${hostname.replace(/^\[|\]$/g, "")}\n${port || "80"}\n`);
    const stream = Duplex.from({ readable: cli.stdout, writable: cli.stdin });
    stream.on("error", () => undefined);
    const tokens = TOKEN_FILES.map((file, at) => [file, bareToken(rest[at])]);
    return { agent: agentOn(stream), tokens: Object.fromEntries(tokens) };
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
function own({ tokens }: Line, file: TokenFile): string {
  if (tokens[file] === "") throw new Unreachable(`its secrets have no ${file}`);
  return tokens[file];
}

/** A token without the name of an HTTP header in front of it. */
const bareToken = (line = ""): string => line.replace(/^[^:]*:/, "").trim();

/** So many lines of a stream, and the lines up to the next empty one. No byte beyond it is taken: it is HTTP. */
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
    // What follows the last line break is no whole line yet.
    const end = lines.slice(0, -1).indexOf("", count);
    if (end !== -1) {
      const rest = lines.slice(end + 1).join("\n");
      if (rest !== "") stream.unshift(Buffer.from(rest));
      return lines.slice(0, end);
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

function exchange({ agent }: Line, asked: ConsulRequest, token: string | undefined): Promise<ConsulAnswer> {
  const { method, path, body } = asked;
  const text = body === undefined || typeof body === "string" ? (body ?? "") : JSON.stringify(body);
  const headers: OutgoingHttpHeaders = { "Content-Length": Buffer.byteLength(text) };
  if (token !== undefined) headers[TOKEN_HEADER] = token;
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
