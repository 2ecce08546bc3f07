import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandResult } from "./test-bed/command";

/** Every path of the HTTP API, with its methods, as Consul's agent registers them (agent/http_register.go). */
const API = readFileSync(join(__dirname, "consul-http-api.txt"), "utf8").trim().split("\n");

/** A 2xx that says nothing: there is none, or the request has done what it asks for to something that does not exist. */
const EMPTY = /^(\[\]|\{\}|null|""|true|false|\{"Node":null,"Services":null\}|)200$/;

/**
 * Tries every path of an agent's HTTP API.
 * @param curl its URL, and options of curl for whoever asks
 * @param run runs a script of `sh` with the paths as its input
 * @returns methods and paths that told something, as `GET /v1/status/leader`. Neither errors (4xx, 5xx) nor empty results
 * tell anything
 */
export async function tellingPaths(
  curl: { readonly url: string; readonly options?: string },
  run: (script: string, input: string) => Promise<CommandResult>,
): Promise<string[]> {
  // A name where the path needs one, and a body where the method takes one.
  const script = `while read -r method path; do
    case $path in */) name=consul-server1 ;; *) name= ;; esac
    case $method in GET) set -- ;; *) set -- -X "$method" -d '{"Name": "x", "ID": "x", "Node": "x", "Kind": "service-defaults", "SourceName": "x", "DestinationName": "x", "Action": "allow", "BearerToken": "x", "AuthMethod": "x", "PeerName": "x", "PeeringToken": "eA=="}' ;; esac
    answer=$(curl -sS -m 3 "$@" ${curl.options ?? ""} -w '\\n%{http_code}' "${curl.url}$path$name" 2>/dev/null | tr -d '\\n' | tail -c 2000)
    printf '%s %s\\t%s\\n' "$method" "$path" "$answer"
  done`;
  const { stdout } = await run(script, `${API.join("\n")}\n`);
  const answers = stdout
    .trim()
    .split("\n")
    .map((line) => line.split("\t") as [what: string, answer: string]);
  expect(answers).toHaveLength(API.length);
  return answers.flatMap(([what, answer]) =>
    /2\d\d$/.test(answer) && !EMPTY.test(answer) ? [what.replace(/\/$/, "")] : [],
  );
}
