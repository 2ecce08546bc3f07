import { readFileSync, statSync } from "node:fs";
import { relative } from "node:path";
import {
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  parseAllDocuments,
  visit,
} from "yaml";
import type { ProblemCode } from "../catalogue";
import { defineCluster } from "../define";
import type { Cluster } from "../model";
import { ClusterError, type KeyPath, type Locate, problem } from "../problem";
import type { ClusterFile } from "./schema";
import { sameSpelling } from "./spellings";

/** A thousand hosts take about 100 kB. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Consul's own configuration is a few levels deep. A function that walks through a file must not run out of stack. */
const MAX_DEPTH = 100;
/** The most nodes that a file's aliases may expand to: generous for repeated settings, far from exhausting memory. */
const MAX_ALIASED_NODES = 10_000;

/**
 * The cluster file that a command works on: `CLUSTER`, or the `cluster` key of cdktf.json's context.
 * @param env the environment variables
 * @throws ClusterError when neither names one
 */
export function selectClusterFile(env: NodeJS.ProcessEnv = process.env): string {
  if (env.CLUSTER) return env.CLUSTER;
  const unchosen = (message: string, hint: string) =>
    new ClusterError([
      problem({ code: "file-unreadable", location: { file: "cdktf.json", line: 1, column: 1 }, message, hint }),
    ]);
  let context: { readonly cluster?: unknown } | undefined;
  try {
    ({ context } = JSON.parse(readFileSync("cdktf.json", "utf8")));
  } catch (error) {
    throw unchosen(
      `cdktf.json cannot be read: ${(error as Error).message}`,
      "run this in the project's folder, or choose a cluster file, with --cluster FILE or the variable CLUSTER",
    );
  }
  if (typeof context?.cluster === "string" && context.cluster !== "") return context.cluster;
  throw unchosen(
    "no cluster file is chosen: cdktf.json has no `cluster` in its context",
    'choose one with --cluster FILE, or the variable CLUSTER, or in cdktf.json "context": { "cluster": "cluster.yaml" }',
  );
}

/**
 * Reads and validates a cluster file.
 * @param path relative to the working directory, or absolute
 * @throws ClusterError with every problem, each with its file:line:column
 */
export function loadCluster(path: string): Cluster {
  const inProject = relative(process.cwd(), path);
  const file = inProject === "" || inProject.startsWith("..") ? path : inProject;
  return parseCluster(readText(path, failIn(file)), file);
}

/**
 * Validates a cluster file's text.
 * @param file its name, for messages
 * @throws ClusterError with every problem, each with its file:line:column
 */
export function parseCluster(text: string, file: string): Cluster {
  const fail = failIn(file);
  const tooDeep = tooDeepIn(text);
  if (tooDeep) throw syntaxErrors([tooDeep.error], file, tooDeep.lines);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, stringKeys: true });
  if (!Array.isArray(documents) || documents.length === 0)
    return fail("file-empty", "the file is empty", "describe a cluster: docs/cluster-file.md has every key");
  const [document, second] = documents as [Document.Parsed, Document.Parsed?];
  const parseErrors = documents.flatMap(({ errors }) => errors);
  if (parseErrors.length > 0) throw syntaxErrors(parseErrors.map(syntaxError), file, lines);
  if (second) {
    const position = positionOf(second.range[0], lines);
    return fail("yaml-syntax", "a second YAML document begins here", "keep one cluster in each file", position);
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return fail("file-empty", "the file has no content", "describe a cluster: docs/cluster-file.md has every key");
  }
  const unusable = unusableValues(document);
  if (unusable.length > 0) throw syntaxErrors(unusable, file, lines);
  return defineCluster(plain(document, fail), locator(document, file, lines));
}

interface Position {
  readonly line: number;
  readonly column: number;
}

type Fail = (code: ProblemCode, message: string, hint: string, position?: Position) => never;

const failIn =
  (file: string): Fail =>
  (code, message, hint, position = { line: 1, column: 1 }) => {
    throw new ClusterError([problem({ code, location: { file, ...position }, message, hint })]);
  };

function positionOf(offset: number, lines: LineCounter): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function readText(path: string, fail: Fail): string {
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES)
      fail(
        "file-too-big",
        `the file has ${(size / 1024 / 1024).toFixed(1)} MiB`,
        "describe each cluster in a file of its own",
      );
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: "there is no such file",
      EISDIR: "it is a directory",
      EACCES: "permission denied",
      ERR_ENCODING_INVALID_ENCODED_DATA: "it is not UTF-8 text",
    };
    const reason = reasons[code ?? ""] ?? (error as Error).message;
    return fail(
      "file-unreadable",
      `the cluster file cannot be read: ${reason}`,
      "name a YAML file, with --cluster FILE or the variable CLUSTER",
    );
  }
}

/** An error of the YAML itself, which has an offset in the text, but no path of keys. */
interface SyntaxProblem {
  readonly code: ProblemCode;
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

const syntaxErrors = (errors: readonly SyntaxProblem[], file: string, lines: LineCounter): ClusterError =>
  new ClusterError(
    errors.map(({ offset, ...error }) => problem({ ...error, location: { file, ...positionOf(offset, lines) } })),
  );

const syntaxError = ({ message, pos }: { message: string; pos: readonly number[] }): SyntaxProblem => ({
  offset: pos[0] ?? 0,
  code: "yaml-syntax",
  message: lowerFirst(message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? ""),
  hint: "fix the YAML there: indentation, quotes, a duplicate key",
});

const TOO_DEEP = {
  code: "yaml-syntax",
  message: `nested deeper than ${MAX_DEPTH} levels`,
  hint: "fix the YAML there: indentation, brackets",
} as const;

/**
 * Some thousand levels would overflow the stack of the YAML library, or of Node.js itself. This function reads the
 * tokens first, which takes no stack.
 */
function tooDeepIn(text: string): { error: SyntaxProblem; lines: LineCounter } | undefined {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    // The document is one level, and a text that the parser is reading may be another.
    const innermost = parser.stack.at(-1);
    if (parser.stack.length > MAX_DEPTH + 1 && innermost && "items" in innermost)
      return { error: { ...TOO_DEEP, offset: innermost.offset }, lines };
  }
  return undefined;
}

/** Finds values that are well-formed YAML, and that no cluster can have. */
function unusableValues(document: Document.Parsed): SyntaxProblem[] {
  const anchors = new Map<string, Node>();
  const problems: SyntaxProblem[] = [];
  const add = (node: Node, code: ProblemCode, message: string, hint: string) =>
    void problems.push({ offset: node.range?.[0] ?? 0, code, message, hint });
  visit(document, {
    Alias: (_, alias, ancestors) => {
      const target = anchors.get(alias.source);
      if (!target)
        add(alias, "yaml-aliases", `*${alias.source} has no anchor`, `put the anchor &${alias.source} before it`);
      else if (ancestors.includes(target))
        add(alias, "yaml-aliases", `*${alias.source} is part of its own anchor`, "write the value out");
    },
    Value: (_, node, ancestors) => {
      if (node.anchor) anchors.set(node.anchor, node);
      if (isScalar(node) || ancestors.filter(isNode).length < MAX_DEPTH) return;
      add(node, TOO_DEEP.code, TOO_DEEP.message, TOO_DEEP.hint);
      return visit.SKIP;
    },
    // In JavaScript this key is the prototype of an object: its value would be dropped without a message.
    Pair: (_, { key, value }) => {
      if (!isScalar(key)) return;
      if (key.value === "__proto__") add(key, "unknown-key", 'there is no key "__proto__" here', "remove it");
      if (key.value === "<<" && key.type === "PLAIN" && !isScalar(value))
        add(key, "unknown-key", MERGE, "write the settings out, or describe the cluster in TypeScript");
    },
  });
  return problems;
}

const MERGE = 'there is no key "<<" here: YAML 1.1 has merge keys, and a cluster file is YAML 1.2';

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function plain(document: Document.Parsed, fail: Fail): ClusterFile {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASED_NODES }) as ClusterFile;
  } catch (error) {
    return fail("yaml-aliases", lowerFirst((error as Error).message), "write the values out, or use fewer aliases");
  }
}

/** Locates a key or value of the file; where the file does not have it, the nearest mapping or list above it. */
const locator =
  (document: Document.Parsed, file: string, lines: LineCounter): Locate =>
  ({ path, atKey }) => ({ file, ...positionOf(offsetOf(document, path, atKey) ?? 0, lines) });

function offsetOf(document: Document.Parsed, path: KeyPath, atKey = false): number | undefined {
  if (path.length === 0) return document.contents?.range?.[0];
  const written = asWritten(document, path);
  const parent = document.getIn(written.slice(0, -1), true);
  if (atKey && isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === written.at(-1));
    if (pair && isNode(pair.key)) return pair.key.range?.[0];
  }
  const node = document.getIn(written, true);
  if (isNode(node) && node.range) return node.range[0];
  return offsetOf(document, path.slice(0, -1), true);
}

/** A path in the file's own spelling of its keys. */
function asWritten(document: Document.Parsed, path: KeyPath): KeyPath {
  const written: (string | number)[] = [];
  for (const key of path) {
    const parent = document.getIn(written, true);
    const keys = typeof key === "string" && isMap(parent) && !parent.has(key) ? parent.items : [];
    const names = keys.flatMap((item) => (isPair(item) && isScalar(item.key) ? [String(item.key.value)] : []));
    written.push(names.find((name) => sameSpelling(name, String(key))) ?? key);
  }
  return written;
}
