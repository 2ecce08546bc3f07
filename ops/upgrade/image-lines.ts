import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Scalar } from "yaml";
import { DEFAULTS } from "../../cluster/resolve/defaults";

/** A version of Consul that a cluster is to run, and the digest of its image if the file pins images. */
export interface ImageVersion {
  /** `1.22.7` */
  readonly version: string;
  /** `sha256:...` */
  readonly digest?: string;
}

/** A line of the cluster file that names Consul's image, and what it is to name. */
export interface ImageLine {
  readonly line: number;
  /** Undefined for a line that is new. */
  readonly from?: string;
  readonly to: string;
}

/** What an upgrade changes in the text of a cluster file. */
export interface ImageLines {
  readonly text: string;
  /** None if the file names the version already. */
  readonly lines: readonly ImageLine[];
  /** Lines that a person has to write, with the reason. */
  readonly unclear: readonly { readonly line: number; readonly image: string; readonly reason: string }[];
}

/** A part of the text, which another one replaces. */
interface Edit extends ImageLine {
  readonly start: number;
  readonly end: number;
  readonly written: string;
}

/**
 * Replaces the version in a cluster file's images of Consul: `image:` of the cluster, of agents and of backups. Nothing
 * else of the text changes, so comments, quotes and alignment stay. A file without the key gets a line below its name.
 * @param text of a file that is a valid cluster
 */
export function withVersion(text: string, wanted: ImageVersion): ImageLines {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const edits: Edit[] = [];
  const unclear: ImageLines["unclear"][number][] = [];
  const scalars = imageScalars(document);
  for (const scalar of scalars) {
    const [start = 0, end = 0] = scalar.range ?? [];
    const { line } = lines.linePos(start);
    const image = String(scalar.value);
    const to = nextImage(image, wanted);
    // Escapes in quotes, which no image needs.
    const at = text.slice(start, end).indexOf(image);
    if (typeof to !== "string") unclear.push({ line, image, ...to });
    else if (at < 0) unclear.push({ line, image, reason: "it is written with escapes" });
    else if (to !== image)
      edits.push({ line, from: image, to, start: start + at, end: start + at + image.length, written: to });
  }
  if (!document.has("image")) edits.push(...newLine(text, document, lines, wanted));
  return { text: edited(text, edits), lines: edits.map(({ line, from, to }) => ({ line, from, to })), unclear };
}

function edited(text: string, edits: readonly Edit[]): string {
  const lastFirst = edits.toSorted((a, b) => b.start - a.start);
  return lastFirst.reduce(
    (result, { start, end, written }) => result.slice(0, start) + written + result.slice(end),
    text,
  );
}

/** The values that name Consul's images, each once: an anchor may stand for several. */
function imageScalars(document: Document.Parsed): Scalar[] {
  const agents = ["servers", "clients"].flatMap((key) => {
    const list = document.get(key);
    return isSeq(list) ? list.items.map((_, index) => [key, index, "image"]) : [];
  });
  const found = [["image"], ...agents, ["backups", "image"]].flatMap((path) => {
    const holder = document.getIn(path.slice(0, -1), true);
    if (path.length > 1 && !isMap(holder)) return [];
    const node = document.getIn(path, true);
    const value = isAlias(node) ? node.resolve(document) : node;
    return isScalar(value) ? [value] : [];
  });
  return [...new Set(found)];
}

/** `[registry/]name:[v]1.22.7[-ent][@sha256:...]` */
const REFERENCE = /^(.*):(v?)(\d+\.\d+\.\d+)([^/:@]*)(@sha256:[0-9a-f]{64})?$/;

/** The image of the wanted version, or why only a person knows it. */
function nextImage(image: string, { version, digest }: ImageVersion): string | { readonly reason: string } {
  const [, name, v, former, edition, pin] = REFERENCE.exec(image) ?? [];
  if (former === undefined) return { reason: "its tag has no version" };
  if (former === version && (digest === undefined || pin === `@${digest}`)) return image;
  if (pin !== undefined && digest === undefined) return { reason: "it is pinned by its digest" };
  return `${name}:${v}${version}${edition}${digest === undefined ? "" : `@${digest}`}`;
}

/** The default image moves with releases of the product, so the file names its own from now on. */
function newLine(text: string, document: Document.Parsed, lines: LineCounter, wanted: ImageVersion): Edit[] {
  const to = nextImage(DEFAULTS.image, wanted) as string;
  const root = document.contents;
  const name = isMap(root) ? root.items.find(({ key }) => isScalar(key) && key.value === "name") : undefined;
  if (to === DEFAULTS.image || !isMap(root) || !isScalar(name?.key) || !isScalar(name.value)) return [];
  const [, end = 0] = name.value.range ?? [];
  const { line } = lines.linePos(end);
  if (root.flow) return [{ line, to, start: end, end, written: `, "image": "${to}"` }];
  // Behind the comment, if the line has one.
  const lineEnd = text.indexOf("\n", end);
  const start = lineEnd < 0 ? text.length : lineEnd;
  const indent = " ".repeat(lines.linePos(name.key.range?.[0] ?? 0).col - 1);
  return [{ line: line + 1, to, start, end: start, written: `\n${indent}image: ${to}` }];
}
