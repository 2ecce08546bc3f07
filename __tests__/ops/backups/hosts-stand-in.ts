import { appendFileSync, chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { clusterFile, FOUR_HOSTS, folder, PROJECT } from "../../cluster-files";
import { type Ended, run } from "../../command-line";
import { execHere, ncTo, serverOf } from "../../rollout/container-stand-in";
import { synthesizeText } from "../../synthesized";

export const INSPECTED = JSON.stringify({
  Meta: { ID: "2-33-1795568716165", Size: 11489, Index: 33, Term: 2, Version: 1 },
  Stats: [
    { Name: "KVS", Sum: 100, Count: 3 },
    { Name: "Register", Sum: 4156, Count: 6 },
  ],
});

/** What somebody's docker answers, in the order of looking: a pattern of the shell's for all its arguments, and a body. `$host` is the host's address. */
type Answers = Readonly<Record<string, string>>;

const ANSWERS: Answers = {
  "*' version --format '*": "echo 27",
  "*'# snapshot.sh'*' -T - '*": "cat >/dev/null",
  "*'# snapshot.sh'*": "echo good",
  "*'snapshot inspect -format=json /dev/stdin'": `[ "$(cat)" = good ] && echo '${INSPECTED}' || { echo 'Error reading snapshot: unexpected EOF' >&2; exit 1; }`,
  "*' container inspect -f '*": "echo running",
  "*' container inspect '*": `echo '[{"Image": "sha256:abc"}]'`,
};

/**
 * What the agents' APIs answer, in the order of looking: a form of `10.0.0.2 GET /v1/status/leader`, and a value, or a
 * function of the host. A number is a status of HTTP.
 */
export type ApiAnswers = readonly (readonly [form: RegExp, answer: unknown])[];

/** A management token, as Consul describes it. */
export const MANAGEMENT = { Policies: [{ ID: "00000000-0000-0000-0000-000000000001" }] };

/** A server, as it describes itself. */
export const self = (state: string, index: number) => ({
  ...{ Config: {}, DebugConfig: {}, Member: { Tags: {} } },
  Stats: { raft: { state, applied_index: String(index) }, serf_lan: {} },
});
const SELVES: Readonly<Record<string, object>> = {
  "10.0.0.1": self("Follower", 80),
  "10.0.0.2": self("Leader", 90),
  "10.0.0.3": self("Follower", 95),
};

/** A cluster that a snapshot of its own was restored to. */
const API_ANSWERS: ApiAnswers = [
  [/GET \/v1\/status\/leader/, "10.0.0.2:8300"],
  [/GET \/v1\/agent\/self/, (host: string) => SELVES[host]],
  [/GET \/v1\/acl\/token\/self/, MANAGEMENT],
  [/GET \/v1\/(agent\/)?connect\/ca\/roots/, { Roots: [{ ID: "bb" }, { ID: "aa" }] }],
  [/GET/, []],
  [/./, true],
];

const outputs = new Map<string, string>();

/**
 * The `app` of cdktf.json: a program that copies the synthesized stacks of a cluster file. Starting the project's own takes
 * half a second for each test; main-test.ts runs it.
 */
function synthesizing(text: string): string {
  const output = outputs.get(text) ?? synthesizeText(text).outdir;
  outputs.set(text, output);
  return `mkdir -p cdktf.out && cp -R '${output}/.' cdktf.out`;
}

/** A project whose hosts are a stand-in for the docker CLI, and whose state is one for Terraform. */
export class HostsStandIn {
  readonly project = folder();
  readonly cluster: string;
  private readonly bin = join(this.project, "bin");
  private readonly log = join(this.project, "calls");

  /** @param secrets the cluster's secrets folder, whose files the containers have */
  constructor(
    text = FOUR_HOSTS,
    answers: Answers = {},
    private readonly apiAnswers: ApiAnswers = [],
    private readonly secrets = "/nowhere",
  ) {
    this.cluster = clusterFile(text);
    for (const part of [
      "main.ts",
      "typescript.cjs",
      "cluster",
      "consul",
      "constructs",
      "container",
      "rollout",
      "ops",
      "node_modules",
      "package.json",
      "tsconfig.json",
    ])
      symlinkSync(join(PROJECT, part), join(this.project, part));
    writeFileSync(join(this.project, "cdktf.json"), JSON.stringify({ app: synthesizing(text) }));
    mkdirSync(this.bin);
    // As Terraform: no deploy is under way.
    this.program("terraform", "exit 0");
    this.answer(answers);
    writeFileSync(join(this.bin, "nc"), ncTo("$API"), { mode: 0o755 });
    for (const host of ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]) {
      const server = serverOf((request, response) => this.respond(host, request, response));
      server.listen(0, "127.0.0.1", () => {
        const { address, port } = server.address() as AddressInfo;
        writeFileSync(this.addressOf(host), `${address}/${port}\n`);
      });
    }
  }

  /** A file: at which address and port of this machine the API of a host's agent listens. */
  private addressOf(host: string): string {
    return join(this.project, `api-${host}`);
  }

  private respond(host: string, { method, url }: IncomingMessage, response: ServerResponse): void {
    const line = `${host} ${method} ${url}`;
    const [, given] = [...this.apiAnswers, ...API_ANSWERS].find(([form]) => form.test(line)) ?? [];
    appendFileSync(this.log, `-H ssh://root@${line}\n`);
    const answer = typeof given === "function" ? given(host) : given;
    if (typeof answer === "number") response.statusCode = answer;
    response.end(JSON.stringify(answer));
  }

  /** From now on. */
  answer(answers: Answers): void {
    writeFileSync(this.log, "");
    const cases = Object.entries({
      ...answers,
      ...Object.fromEntries(Object.entries(ANSWERS).filter(([pattern]) => !(pattern in answers))),
    });
    this.program(
      "docker",
      // In one go, for several are called at once.
      `for word; do
  case $word in *'
'*) word=$(printf '%s' "$word" | sed -n 's/^# \\([a-z-]*\\.sh\\)\\([ :].*\\)\\{0,1\\}$/\\1/p' | tail -n 1) ;; esac
  said="$said $word"
done
printf '%s\\n' "\${said# }" >>'${this.log}'
host=\${2#ssh://root@}
case $* in
${cases.map(([pattern, body]) => `${pattern})\n${body}\n;;`).join("\n")}
*' /bin/sh -c '*)
shift 3
[ "$1" != -i ] || shift
container=$1
read -r API <'${this.addressOf("")}'$host
export API
${execHere(`${this.secrets}/agents/$container`)} ;;
esac`,
    );
  }

  program(name: string, body: string): void {
    writeFileSync(join(this.bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(this.bin, name), 0o755);
  }

  /** What docker was called with; of a script, its name. Requests to APIs are among them. */
  get calls(): string[] {
    return readFileSync(this.log, "utf8").trim().split("\n");
  }

  run(name: "backup" | "restore", ...args: string[]): Promise<Ended> {
    const env = { PATH: `${this.bin}:${process.env.PATH}`, CLUSTER: this.cluster };
    return run([name, ...args], { cwd: this.project, env });
  }
}
