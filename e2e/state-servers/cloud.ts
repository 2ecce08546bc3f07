import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { join } from "node:path";

export interface CloudOptions {
  /** What is stored is here, and requests.log; see `Faults`. */
  readonly folder: string;
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly token: string;
  readonly organization: string;
  /** The execution mode of a workspace that is created without one, as HCP Terraform has it. @default remote */
  readonly defaultMode?: string;
}

/** What goes wrong, read from faults.json in the folder at each request. */
export interface Faults {
  /** The status of the answer to an upload of a state. Terraform repeats the upload for minutes unless it is 4xx. */
  readonly uploads?: number;
}

export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly mode: string;
  locked: boolean;
  /** Serial numbers of the state's versions, whose contents are files. */
  readonly versions: { readonly id: string; readonly serial: number; uploaded: boolean }[];
}

/** What the stand-in has stored in a folder. */
export function storedIn(folder: string): Workspace[] {
  const file = join(folder, "workspaces.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
}

/** A state version's file. */
export const stateFile = (folder: string, version: string): string => join(folder, `${version}.tfstate`);

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

type Handler = (match: readonly string[], body: Buffer) => Answer;

const found = (data: unknown): Answer => ({ status: 200, body: { data } });
const created = (data: unknown): Answer => ({ status: 201, body: { data } });
const failed = (status: number, title: string): Answer => ({
  status,
  body: { errors: [{ status: String(status), title }] },
});

/**
 * As much of HCP Terraform's API as Terraform uses when operations are local: workspaces, their locks, and versions of
 * their states.
 */
export class CloudServer {
  private readonly workspaces: Workspace[];
  private readonly server: Server;

  constructor(private readonly options: CloudOptions) {
    mkdirSync(options.folder, { recursive: true });
    this.workspaces = storedIn(options.folder);
    this.server = createServer(options.certificate, (request, response) => this.serve(request, response));
  }

  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve) => {
      this.server.listen(port, host, () => {
        const address = this.server.address();
        resolve(typeof address === "object" && address ? address.port : port);
      });
    });
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private readonly routes: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
    ["GET", /^ping$/, () => ({ status: 204 })],
    ["GET", /^organizations\/([^/]+)\/entitlement-set$/, ([, name]) => this.entitlements(name as string)],
    ["GET", /^organizations\/[^/]+\/projects$/, () => found([])],
    ["GET", /^organizations\/([^/]+)\/workspaces\/([^/]+)$/, ([, , name]) => this.read((one) => one.name === name)],
    [
      "POST",
      /^organizations\/([^/]+)\/workspaces$/,
      (_, body) => this.create(JSON.parse(String(body)).data.attributes),
    ],
    ["GET", /^workspaces\/([^/]+)$/, ([, id]) => this.read((one) => one.id === id)],
    ["PATCH", /^workspaces\/([^/]+)$/, ([, id]) => this.read((one) => one.id === id)],
    ["POST", /^workspaces\/([^/]+)\/actions\/(lock|unlock|force-unlock)$/, ([, id, action]) => this.lock(id, action)],
    ["GET", /^workspaces\/([^/]+)\/current-state-version$/, ([, id]) => this.currentVersion(id)],
    ["GET", /^workspaces\/([^/]+)\/current-state-version-outputs$/, ([, id]) => this.outputs(id)],
    ["POST", /^workspaces\/([^/]+)\/state-versions$/, ([, id], body) => this.addVersion(id, JSON.parse(String(body)))],
    ["GET", /^state-versions\/([^/]+)$/, ([, id]) => this.version(id)],
    ["PUT", /^upload\/([^/]+)$/, ([, id], body) => this.upload(id as string, body)],
    ["PUT", /^upload-json\/([^/]+)$/, () => ({ status: 200 })],
    ["GET", /^download\/([^/]+)$/, ([, id]) => this.download(id as string)],
  ];

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    const path = new URL(url, "https://localhost").pathname;
    if (path === "/.well-known/terraform.json") {
      response.writeHead(200, { "content-type": "application/json" }).end('{"tfe.v2":"/api/v2/"}');
      return;
    }
    const { status, body } = this.answer(method, path.replace("/api/v2/", ""), Buffer.concat(chunks), headers);
    appendFileSync(join(this.options.folder, "requests.log"), `${method} ${path} ${status}\n`);
    response.writeHead(status, {
      "content-type": "application/vnd.api+json",
      "tfp-api-version": "2.6",
      "x-ratelimit-limit": "1000",
    });
    response.end(body === undefined ? "" : Buffer.isBuffer(body) ? body : JSON.stringify(body));
  }

  private answer(method: string, path: string, body: Buffer, headers: IncomingMessage["headers"]): Answer {
    // The URLs of a state's content are secrets themselves.
    const open = /^upload/.test(path);
    const { uploads } = this.faults();
    if (open && uploads !== undefined) return failed(uploads, "no upload");
    if (!open && headers.authorization !== `Bearer ${this.options.token}`) return failed(401, "unauthorized");
    for (const [of, pattern, handler] of this.routes) {
      const match = of === method ? pattern.exec(path) : null;
      if (match) return handler(match, body);
    }
    return failed(404, "not found");
  }

  private faults(): Faults {
    const file = join(this.options.folder, "faults.json");
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  }

  private store(): void {
    writeFileSync(join(this.options.folder, "workspaces.json"), JSON.stringify(this.workspaces, null, 2));
  }

  private entitlements(name: string): Answer {
    if (name !== this.options.organization) return failed(404, "not found");
    return found({ id: name, type: "entitlement-sets", attributes: { operations: true, "state-storage": true } });
  }

  private read(wanted: (workspace: Workspace) => boolean): Answer {
    const workspace = this.workspaces.find(wanted);
    return workspace ? found(this.resource(workspace)) : failed(404, "not found");
  }

  private resource({ id, name, mode, locked }: Workspace): object {
    const can = { "can-lock": true, "can-unlock": true, "can-update": true, "can-queue-run": true };
    const attributes = {
      name,
      locked,
      operations: mode !== "local",
      "execution-mode": mode,
      "terraform-version": "latest",
      permissions: can,
    };
    const organization = { data: { id: this.options.organization, type: "organizations" } };
    return { id, type: "workspaces", attributes, relationships: { organization } };
  }

  private create(attributes: { readonly name: string; readonly "execution-mode"?: string }): Answer {
    const { name } = attributes;
    if (this.workspaces.some((workspace) => workspace.name === name)) return failed(422, "name is taken");
    const mode = attributes["execution-mode"] ?? this.options.defaultMode ?? "remote";
    const workspace: Workspace = { id: `ws-${name}`, name, mode, locked: false, versions: [] };
    this.workspaces.push(workspace);
    this.store();
    return created(this.resource(workspace));
  }

  private lock(id: string | undefined, action: string | undefined): Answer {
    const workspace = this.workspaces.find((one) => one.id === id);
    if (!workspace) return failed(404, "not found");
    if (workspace.locked === (action === "lock")) return failed(409, `workspace is ${action}ed already`);
    workspace.locked = action === "lock";
    this.store();
    return found(this.resource(workspace));
  }

  private lastVersion(workspace: string | undefined) {
    return this.workspaces.find(({ id }) => id === workspace)?.versions.findLast(({ uploaded }) => uploaded);
  }

  private outputs(id: string | undefined): Answer {
    const last = this.lastVersion(id);
    if (!last) return failed(404, "not found");
    const { outputs = {} } = JSON.parse(readFileSync(stateFile(this.options.folder, last.id), "utf8"));
    const data = Object.entries<{ value: unknown; type: unknown; sensitive?: boolean }>(outputs).map(
      ([name, output]) => ({
        id: `wsout-${name}`,
        type: "state-version-outputs",
        attributes: { name, value: output.value, sensitive: output.sensitive ?? false, "detailed-type": output.type },
      }),
    );
    const pagination = { "current-page": 1, "total-pages": 1, "total-count": data.length };
    return { status: 200, body: { data, meta: { pagination } } };
  }

  private currentVersion(id: string | undefined): Answer {
    const last = this.lastVersion(id);
    return last ? found(this.versionResource(last)) : failed(404, "not found");
  }

  private version(id: string | undefined): Answer {
    const version = this.workspaces.flatMap(({ versions }) => versions).find((one) => one.id === id);
    return version ? found(this.versionResource(version)) : failed(404, "not found");
  }

  private versionResource({ id, serial, uploaded }: Workspace["versions"][number]): object {
    const server = this.server.address();
    const port = typeof server === "object" && server ? server.port : 443;
    const base = `https://localhost:${port}/api/v2`;
    return {
      id,
      type: "state-versions",
      attributes: {
        serial,
        status: uploaded ? "finalized" : "pending",
        "hosted-state-upload-url": `${base}/upload/${id}`,
        "hosted-json-state-upload-url": `${base}/upload-json/${id}`,
        "hosted-state-download-url": `${base}/download/${id}`,
      },
    };
  }

  private addVersion(id: string | undefined, { data }: { data: { attributes: { serial: number } } }): Answer {
    const workspace = this.workspaces.find((one) => one.id === id);
    if (!workspace) return failed(404, "not found");
    if (!workspace.locked) return failed(409, "workspace is not locked");
    const { serial } = data.attributes;
    const version = { id: `sv-${workspace.name}-${workspace.versions.length}`, serial, uploaded: false };
    workspace.versions.push(version);
    this.store();
    return created(this.versionResource(version));
  }

  private upload(id: string, body: Buffer): Answer {
    const version = this.workspaces.flatMap(({ versions }) => versions).find((one) => one.id === id);
    if (!version) return failed(404, "not found");
    writeFileSync(stateFile(this.options.folder, id), body);
    version.uploaded = true;
    this.store();
    return { status: 200 };
  }

  private download(id: string): Answer {
    return { status: 200, body: readFileSync(stateFile(this.options.folder, id)) };
  }
}
