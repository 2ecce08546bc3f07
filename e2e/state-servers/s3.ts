import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * As much of S3 as Terraform's backend uses with `use_path_style`: objects, and conditional writes (`If-None-Match: *`),
 * by which `use_lockfile` locks.
 */
export class S3 {
  readonly objects = new Map<string, Buffer>();

  answer({ method, url = "/", headers }: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const key = decodeURIComponent(pathname.slice(1));
    const present = this.objects.get(key);
    if (method === "GET" && searchParams.get("list-type") === "2") this.list(key, searchParams.get("prefix"), response);
    else if (method === "PUT" && headers["if-none-match"] === "*" && present !== undefined)
      this.fail(response, 412, "PreconditionFailed");
    else if (method === "PUT") {
      this.objects.set(key, body);
      response.writeHead(200, { etag: etag(body) }).end();
    } else if (method === "DELETE") {
      this.objects.delete(key);
      response.writeHead(204).end();
    } else if (present === undefined) this.fail(response, 404, "NoSuchKey");
    else
      response
        .writeHead(200, { etag: etag(present), "content-length": present.length })
        .end(method === "HEAD" ? undefined : present);
  }

  private list(bucket: string, prefix: string | null, response: ServerResponse): void {
    const keys = [...this.objects.keys()].map((key) => key.slice(bucket.length + 1));
    const found = keys
      .filter((key) => key.startsWith(prefix ?? ""))
      .map((key) => `<Contents><Key>${key}</Key></Contents>`);
    response
      .writeHead(200, { "content-type": "application/xml" })
      .end(`<ListBucketResult><IsTruncated>false</IsTruncated>${found.join("")}</ListBucketResult>`);
  }

  private fail(response: ServerResponse, status: number, code: string): void {
    response.writeHead(status, { "content-type": "application/xml" }).end(`<Error><Code>${code}</Code></Error>`);
  }
}

const etag = (body: Buffer): string => `"${createHash("md5").update(body).digest("hex")}"`;
