import { readFileSync } from "node:fs";
import { request } from "node:https";
import { rootCertificates } from "node:tls";
import { hostConfiguration, tokenVariable } from "./credentials";

/** A stack's `cloud` block in its JSON: where its Terraform state is in HCP Terraform or Terraform Enterprise. */
export interface CloudBlock {
  readonly hostname?: string;
  readonly organization?: string;
  readonly workspaces?: { readonly name?: string; readonly project?: string };
}

const HCP_TERRAFORM = "app.terraform.io";
const TIMEOUT_MS = 30_000;

/** Workspaces that this process has made sure of, by their URLs. */
const ensured = new Map<string, Promise<void>>();

/**
 * Creates a stack's workspace with local execution if it is missing. `terraform init` would create it with the
 * organization's default, which is remote: a plain `cdktf deploy` would then run on the server's workers. A workspace
 * that exists stays as it is.
 * @throws without a token, with a wrong one, and when the API is unreachable
 */
export function ensureWorkspace(block: CloudBlock, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const host = block.hostname ?? (env.TF_CLOUD_HOSTNAME || HCP_TERRAFORM);
  const organization = block.organization ?? env.TF_CLOUD_ORGANIZATION;
  const name = block.workspaces?.name;
  // Terraform itself reports what is missing in a block that is not this product's.
  if (organization === undefined || name === undefined) return Promise.resolve();
  const key = `${host}/${organization}/${name}`;
  const running = ensured.get(key) ?? ensure({ host, organization, name, project: projectOf(block, env) }, env);
  ensured.set(key, running);
  return running;
}

const projectOf = ({ workspaces }: CloudBlock, env: NodeJS.ProcessEnv): string | undefined =>
  workspaces?.project ?? (env.TF_CLOUD_PROJECT || undefined);

interface Workspace {
  readonly host: string;
  readonly organization: string;
  readonly name: string;
  readonly project?: string;
}

async function ensure({ host, organization, name, project }: Workspace, env: NodeJS.ProcessEnv): Promise<void> {
  const { token, api } = hostConfiguration(host, env);
  if (token === undefined)
    throw new Error(
      `there is no token for ${host}, where the Terraform state is
    hint: set ${tokenVariable(host)}, or run \`terraform login${host === HCP_TERRAFORM ? "" : ` ${host}`}\`; a credentials helper is not supported`,
    );
  const client = new CloudApi(host, api, token, env);
  try {
    if (await client.find(`organizations/${organization}/workspaces/${name}`)) return;
    const projectId = project === undefined ? undefined : await projectNamed(client, organization, project);
    await client.create(`organizations/${organization}/workspaces`, {
      type: "workspaces",
      attributes: { name, "execution-mode": "local", "setting-overwrites": { "execution-mode": true } },
      ...(projectId && { relationships: { project: { data: { type: "projects", id: projectId } } } }),
    });
  } catch (error) {
    // Terraform passes through a proxy, and this program does not: Terraform creates the workspace.
    if (error instanceof Unreachable && (env.HTTPS_PROXY || env.https_proxy)) return;
    throw new Error(`the workspace ${organization}/${name} cannot be checked: ${(error as Error).message}`);
  }
}

async function projectNamed(client: CloudApi, organization: string, name: string): Promise<string> {
  const found = await client.find(
    `organizations/${organization}/projects?filter%5Bnames%5D=${encodeURIComponent(name)}`,
  );
  const projects = Array.isArray(found?.data) ? found.data : [];
  const project = projects.find(({ attributes }) => attributes?.name === name);
  if (project) return project.id;
  const created = await client.create(`organizations/${organization}/projects`, {
    type: "projects",
    attributes: { name },
  });
  return (created.data as Item).id;
}

interface Item {
  readonly id: string;
  readonly attributes?: { readonly name?: string };
}

interface Document {
  readonly data?: Item | readonly Item[];
}

class Unreachable extends Error {}

/** The API of HCP Terraform (developer.hashicorp.com/terraform/cloud-docs/api-docs). */
class CloudApi {
  private discovered?: string;

  constructor(
    private readonly host: string,
    private readonly configured: string | undefined,
    private readonly token: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Undefined if there is none. */
  async find(path: string): Promise<Document | undefined> {
    const { status, text } = await this.send("GET", path);
    return status === 404 ? undefined : this.document(status, text, path);
  }

  async create(path: string, data: object): Promise<Document> {
    const { status, text } = await this.send("POST", path, JSON.stringify({ data }));
    if (status === 404) throw new Error(`${this.host} has no ${path}, or its token may not create there`);
    return this.document(status, text, path);
  }

  private document(status: number, text: string, path: string): Document {
    if (status === 401)
      throw new Error(`${this.host} rejects the token
    hint: set ${tokenVariable(this.host)} to a token of a user or a team, or run \`terraform login ${this.host}\``);
    if (status < 200 || status > 299) throw new Error(`${this.host} answers ${path} with status ${status}`);
    return JSON.parse(text) as Document;
  }

  private async send(method: "GET" | "POST", path: string, body?: string): Promise<{ status: number; text: string }> {
    this.discovered ??= this.configured ?? (await this.discover());
    return this.fetch(method, new URL(path, this.discovered), body);
  }

  /** By Terraform's service discovery (developer.hashicorp.com/terraform/internals/remote-service-discovery). */
  private async discover(): Promise<string> {
    const url = new URL(`https://${this.host}/.well-known/terraform.json`);
    const { status, text } = await this.fetch("GET", url);
    if (status !== 200)
      throw new Error(`${this.host} has no API of HCP Terraform: ${url.pathname} has status ${status}`);
    const services = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const api = services["tfe.v2"];
    if (typeof api !== "string") throw new Error(`${this.host} has no API of HCP Terraform (tfe.v2)`);
    return new URL(api.endsWith("/") ? api : `${api}/`, url).href;
  }

  private fetch(method: string, url: URL, body?: string): Promise<{ status: number; text: string }> {
    const headers = {
      authorization: `Bearer ${this.token}`,
      "content-type": "application/vnd.api+json",
      ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
    };
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(new Unreachable(`${this.host} is unreachable: ${error.message}`));
      const sent = request(url, { method, headers, ca: trusted(this.env), timeout: TIMEOUT_MS }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("error", fail).on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sent.on("timeout", () => sent.destroy(new Error(`no answer after ${TIMEOUT_MS / 1000} s`)));
      sent.on("error", fail).end(body);
    });
  }
}

/** The certificates that Terraform trusts: Go reads this variable, and Node does not. */
const trusted = ({ SSL_CERT_FILE }: NodeJS.ProcessEnv): string[] | undefined =>
  SSL_CERT_FILE ? [...rootCertificates, readFileSync(SSL_CERT_FILE, "utf8")] : undefined;
