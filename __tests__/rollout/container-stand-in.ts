import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type ConnectionSettings, ConsulConnection } from "../../rollout/consul-connection";
import { DockerCli } from "../../rollout/docker-cli";
import { folder } from "../cluster-files";

/**
 * What a container is to these tests: a folder of secrets, an environment, and programs that stand in for the docker
 * CLI and nc.
 */
export class ContainerStandIn {
  readonly root = folder();
  private readonly log = join(this.root, "log");

  constructor(secrets: Readonly<Record<string, string>> = {}) {
    mkdirSync(join(this.root, "secrets"));
    writeFileSync(this.log, "");
    for (const [name, text] of Object.entries(secrets)) writeFileSync(join(this.root, "secrets", name), `${text}\n`);
    this.program(
      "docker",
      `#!/bin/sh
echo $$ "$*" | head -n 1 >>${this.log}
${execHere(join(this.root, "secrets"))}`,
    );
    this.program("nc", ncTo("${@: -2:1}/${@: -1}"));
  }

  program(name: string, text: string): void {
    writeFileSync(join(this.root, name), text);
    chmodSync(join(this.root, name), 0o755);
  }

  /** @param address of the API, as the container's environment has it */
  connect(address: string, settings: ConnectionSettings = {}, program = join(this.root, "docker")): ConsulConnection {
    const env = { PATH: this.path, CONSUL_HTTP_ADDR: address };
    return new ConsulConnection(new DockerCli(["-H", "ssh://root@10.0.0.1"], env, program), "s1", settings);
  }

  /** A PATH on which the stand-ins are first. */
  get path(): string {
    return `${this.root}:${process.env.PATH}`;
  }

  /** The first line of each call of the docker CLI. */
  calls(): string[] {
    return this.lines().map((line) => line.replace(/^\d+ /, ""));
  }

  /** How often the docker CLI was started, and which of them run. */
  processes(): { started: number; running: number } {
    const pids = this.lines().map((line) => Number.parseInt(line, 10));
    const runs = (pid: number) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    return { started: pids.length, running: pids.filter(runs).length };
  }

  private lines(): string[] {
    return readFileSync(this.log, "utf8").split("\n").filter(Boolean);
  }
}

/**
 * Gives each test of a file a docker CLI that is first on this process's PATH.
 * @returns makes it run a script
 */
export function dockerOnPath(): (script: string) => void {
  const { PATH } = process.env;
  let standIn: ContainerStandIn;
  beforeEach(() => {
    standIn = new ContainerStandIn();
    process.env.PATH = standIn.path;
  });
  afterEach(() => {
    process.env.PATH = PATH;
  });
  return (script) => standIn.program("docker", `#!/bin/sh\n${script}`);
}

/**
 * Shell that runs here what the docker CLI is told to run in a container by `/bin/sh -c`.
 * @param secrets the folder of the container's secrets; it may have variables of the shell
 */
export const execHere = (secrets: string): string => `while [ "$1" != -c ]; do shift; done
shift
for word; do
  shift
  done=
  while case $word in */consul/secrets*) ;; *) false ;; esac; do
    done="$done\${word%%/consul/secrets*}${secrets}"
    word=\${word#*/consul/secrets}
  done
  set -- "$@" "$done$word"
done
exec /bin/sh -c "$@"`;

/**
 * A program that connects its standard streams, as nc does, until one side ends. Node would need ten times as long to
 * start. @param where host/port, in words of the shell
 */
export const ncTo = (where: string): string => `#!/usr/bin/env bash
exec 3<>/dev/tcp/${where} || exit 1
trap 'kill $reader; exit 0' TERM
cat <&3 & reader=$!
{ cat >&3; kill $$; } <&0 2>/dev/null &
wait $reader`;

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;
const servers: Server[] = [];

/** A server of this process, which is closed after the last test. */
export function serverOf(handler: Handler): Server {
  const server = createServer(handler);
  servers.push(server);
  return server;
}

/** An API at a port of this machine. @returns its URL */
export async function api(handler: Handler, host = "127.0.0.1"): Promise<string> {
  const server = serverOf(handler);
  await new Promise<void>((listening) => server.listen(0, host, listening));
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});
