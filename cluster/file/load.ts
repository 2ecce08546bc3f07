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
import { defineCluster } from "../define";
import type { Cluster } from "../model";
import { ClusterError, type KeyPath, type Locate, type Problem } from "../problem";
import type { ClusterFile } from "./schema";

/** A thousand hosts take about 100 kB. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Consul's own configuration is a few levels deep; whatever walks through it must not run out of stack. */
const MAX_DEPTH = 100;
/** How many nodes the aliases of a file may stand for: generous for repeated settings, far from exhausting memory. */
const MAX_ALIASED_NODES = 10_000;

/**
 * The cluster file that a command works on: `CLUSTER`, or the `cluster` key of cdktf.json's context, or the article's cluster.
 * @throws ClusterError when cdktf.json cannot be read
 */
export function selectClusterFile(env: NodeJS.ProcessEnv = process.env): string {
  if (env.CLUSTER) return env.CLUSTER;
  try {
    const { context } = JSON.parse(readFileSync("cdktf.json", "utf8")) as { context?: { cluster?: string } };
    return context?.cluster ?? "clusters/seed.yaml";
  } catch (error) {
    const problem = {
      code: "file-unreadable",
      path: [],
      message: `cdktf.json cannot be read: ${(error as Error).message}`,
    } as const;
    throw new ClusterError(
      [{ ...problem, hint: "run this in the project's folder, or choose a file: CLUSTER=clusters/seed.yaml" }],
      () => "cdktf.json:1:1",
    );
  }
}

/**
 * Reads and checks a cluster file.
 * @throws ClusterError with every problem found, each with its file:line:column
 */
export function loadCluster(path: string): Cluster {
  const inProject = relative(process.cwd(), path);
  const name = inProject === "" || inProject.startsWith("..") ? path : inProject;
  const atStart: Locate = () => `${name}:1:1`;
  const refuse = (code: Problem["code"], message: string, hint: string, locate = atStart): never => {
    throw new ClusterError([{ code, path: [], message, hint }], locate);
  };

  const text = readText(path, refuse);
  const deep = tooDeep(text);
  if (deep) throw flawed([deep.flaw], name, deep.lines);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, stringKeys: true });
  if (!Array.isArray(documents) || documents.length === 0)
    return refuse("file-empty", "the file is empty", "describe a cluster: start from clusters/seed.yaml");
  const [document, second] = documents as [Document.Parsed, Document.Parsed?];
  const broken = documents.flatMap(({ errors }) => errors);
  if (broken.length > 0) throw flawed(broken.map(syntaxFlaw), name, lines);
  if (second) {
    const { line, col } = lines.linePos(second.range[0]);
    return refuse(
      "yaml-syntax",
      "a second YAML document begins here",
      "keep one cluster to a file",
      () => `${name}:${line}:${col}`,
    );
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return refuse("file-empty", "the file has no content", "describe a cluster: start from clusters/seed.yaml");
  }
  const flaws = valueFlaws(document);
  if (flaws.length > 0) throw flawed(flaws, name, lines);
  return defineCluster(plain(document, refuse), locator(document, name, lines));
}

type Refuse = (code: Problem["code"], message: string, hint: string) => never;

function readText(path: string, refuse: Refuse): string {
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES)
      refuse(
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
    return refuse(
      "file-unreadable",
      `the cluster file cannot be read: ${reason}`,
      "name a YAML file: CLUSTER=clusters/seed.yaml",
    );
  }
}

/** A problem of the YAML itself, which has a place in the text, but no path of keys. */
type Flaw = Pick<Problem, "code" | "message" | "hint"> & { readonly offset: number };

function flawed(flaws: readonly Flaw[], name: string, lines: LineCounter): ClusterError {
  const places = flaws.map(({ offset }) => lines.linePos(offset));
  const problems = flaws.map(({ code, message, hint }, index): Problem => ({ code, path: [index], message, hint }));
  return new ClusterError(
    problems,
    ({ path }) => `${name}:${places[Number(path[0])]?.line}:${places[Number(path[0])]?.col}`,
  );
}

const syntaxFlaw = ({ message, pos }: { message: string; pos: readonly number[] }): Flaw => ({
  offset: pos[0] ?? 0,
  code: "yaml-syntax",
  message: lowerFirst(message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? ""),
  hint: "mend the YAML there: indentation, quotes, a key given twice",
});

const DEEP = {
  code: "yaml-syntax",
  message: `nested deeper than ${MAX_DEPTH} levels`,
  hint: "mend the YAML there: indentation, brackets",
} as const;

/** Some thousand levels would end the YAML library, or Node.js itself: the tokens are looked at first, which takes no stack. */
function tooDeep(text: string): { flaw: Flaw; lines: LineCounter } | undefined {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    // The document is one level, and a text that is being read may be another.
    const innermost = parser.stack.at(-1);
    if (parser.stack.length > MAX_DEPTH + 1 && innermost && "items" in innermost)
      return { flaw: { ...DEEP, offset: innermost.offset }, lines };
  }
  return undefined;
}

/** What is well-formed YAML, and yet no value that a cluster could have. */
function valueFlaws(document: Document.Parsed): Flaw[] {
  const anchors = new Map<string, Node>();
  const flaws: Flaw[] = [];
  const refuse = (node: Node, code: Problem["code"], message: string, hint: string) =>
    void flaws.push({ offset: node.range?.[0] ?? 0, code, message, hint });
  visit(document, {
    Alias: (_, alias, ancestors) => {
      const target = anchors.get(alias.source);
      if (!target)
        refuse(
          alias,
          "yaml-aliases",
          `*${alias.source} stands for nothing`,
          `put the anchor &${alias.source} before it`,
        );
      else if (ancestors.includes(target))
        refuse(alias, "yaml-aliases", `*${alias.source} stands for what it is itself a part of`, "write the value out");
    },
    Value: (_, node, ancestors) => {
      if (node.anchor) anchors.set(node.anchor, node);
      if (isScalar(node) || ancestors.filter(isNode).length < MAX_DEPTH) return;
      refuse(node, DEEP.code, DEEP.message, DEEP.hint);
      return visit.SKIP;
    },
    // JavaScript's name for an object's prototype: what it holds would be dropped without a word.
    Pair: (_, { key, value }) => {
      if (!isScalar(key)) return;
      if (key.value === "__proto__") refuse(key, "unknown-key", '"__proto__" means nothing here', "remove it");
      if (key.value === "<<" && key.type === "PLAIN" && !isScalar(value))
        refuse(key, "unknown-key", MERGE, "write the settings out, or describe the cluster in TypeScript");
    },
  });
  return flaws;
}

const MERGE = '"<<" means nothing here: merge keys are of YAML 1.1, and a cluster file is YAML 1.2';

const lowerFirst = (words: string): string => words.charAt(0).toLowerCase() + words.slice(1);

function plain(document: Document.Parsed, refuse: Refuse): ClusterFile {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASED_NODES }) as ClusterFile;
  } catch (error) {
    return refuse("yaml-aliases", lowerFirst((error as Error).message), "write the values out, or use fewer aliases");
  }
}

/** Points at a key or value of the file; at the nearest thing above it, for what is not written there. */
function locator(document: Document.Parsed, name: string, lines: LineCounter): Locate {
  return ({ path, atKey }) => {
    const { line, col } = lines.linePos(offsetOf(document, path, atKey) ?? 0);
    return `${name}:${line}:${col}`;
  };
}

function offsetOf(document: Document.Parsed, path: KeyPath, atKey = false): number | undefined {
  if (path.length === 0) return document.contents?.range?.[0];
  const parent = document.getIn(path.slice(0, -1), true);
  if (atKey && isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === path.at(-1));
    if (pair && isNode(pair.key)) return pair.key.range?.[0];
  }
  const node = document.getIn(path, true);
  if (isNode(node) && node.range) return node.range[0];
  return offsetOf(document, path.slice(0, -1), true);
}
