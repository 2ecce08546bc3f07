import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import * as contract from "../../consul/contract";
import { SECRET_FILES } from "../../consul/secrets";
import { REQUEST_VARIABLE } from "../../rollout/request";
import { STAGES } from "../../rollout/security-compat";
import { PROJECT } from "../cluster-files";
import { repositoryFiles } from "../repository-files";

/**
 * The contract's literals: paths in Consul's containers, the product's own names in Consul, environment variables, and
 * files of secrets.
 */
const LITERALS = [
  /(?<!\w)\/consul\/[\w./-]*\w/g,
  /consul-cdktf(?:\/[a-z]*\/?|: )|cdktf-security/g,
  /\bCONSUL(?:_[A-Z]+)+\b/g,
  /(?<![\w/.-])[a-z]+\.(?:header|sha256|token)\b/g,
];

/** A script without its comments, and with the values of the variables that hold a literal. */
function expanded(script: string): string {
  const code = script.replace(/^\s*#.*$/gm, "").replace(/\$\{([A-Z_]+):-([^}]*)\}/g, ": $1\n$2");
  const variables = [...code.matchAll(/(?<=^|\s)([a-z_]+)=((?:\$[a-z_]+|[\w./:-])+)/gm)];
  const withValues = (text: string): string =>
    variables
      .filter(([, , value = ""]) => /\/consul\/|consul-cdktf|\$/.test(value))
      .reduce(
        (result, [, name = "", value = ""]) => result.replace(new RegExp(`\\$${name}(?=/)`, "g"), () => value),
        text,
      );
  return withValues(withValues(code));
}

const literalsOf = (script: string): string[] =>
  LITERALS.flatMap((pattern) => expanded(script).match(pattern) ?? []).map((literal) =>
    // mktemp replaces these letters.
    literal.replace(/\.X+$/, ""),
  );

/** Literals that the contract does not have. */
const unknown = (script: string): string[] => literalsOf(script).filter((literal) => !KNOWN.includes(literal));

/** Beside the contract: the request, and files of secrets where the folder is not in the same text. */
const KNOWN = [...contract.USED_BY_SCRIPTS, REQUEST_VARIABLE, ...Object.values(SECRET_FILES)];

const read = (file: string): string => readFileSync(join(PROJECT, file), "utf8");

/** The contract's tables that the rollout's program puts into texts. */
const TABLES: Readonly<Record<string, unknown>> = { ...contract, SECRET_FILES };
/** In place of what is only known when the program runs. */
const UNKNOWN = "\0";

/** The texts of a TypeScript file, with the contract's names in them. Comments are none of them. */
function textsOf(file: string, source: string): string[] {
  const texts = new Set<string>();
  const constants = new Map<string, string>();
  const textOf = (node: ts.Node): string | undefined => {
    if (ts.isStringLiteralLike(node)) return node.text;
    if (ts.isTemplateExpression(node))
      return node.templateSpans.reduce(
        (text, { expression, literal }) => `${text}${textOf(expression) ?? UNKNOWN}${literal.text}`,
        node.head.text,
      );
    if (ts.isIdentifier(node)) return constants.get(node.text) ?? stringOf(TABLES[node.text]);
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const table = TABLES[node.expression.text] as Readonly<Record<string, unknown>> | undefined;
      return stringOf(table?.[node.name.text]);
    }
    return undefined;
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return;
    const text = textOf(node);
    if (text !== undefined) texts.add(text);
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
      const constant = textOf(node.initializer);
      if (constant !== undefined) constants.set(node.name.text, constant);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest));
  return [...texts];
}
const stringOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const texts = repositoryFiles()
  .filter((file) => /^(rollout|ops\/backups)\/.*\.ts$/.test(file))
  .map((file) => ({ file, text: textsOf(file, read(file)).join("\n") }));
const scripts = [
  ...repositoryFiles()
    .filter((file) => /^(container|ops)\/.*\.sh$/.test(file))
    .map((file) => ({ file, text: read(file) })),
  ...texts,
];

test.each(scripts)("$file has no path, key or variable that the contract does not have", ({ text }) =>
  expect(unknown(text)).toEqual([]),
);
test("every name that the contract marks as the scripts' own is in one", () => {
  const found = new Set(scripts.flatMap(({ text }) => literalsOf(text)));
  expect(contract.USED_BY_SCRIPTS.filter((literal) => !found.has(literal))).toEqual([]);
});
test("the stages of security have their order, and the words that agents announce", () => {
  expect(Object.entries(contract.STAGE_ON_THE_WIRE)).toEqual([
    ["off", "off"],
    ["permissive", "accept"],
    ["outgoing", "use"],
    ["strict", "require"],
  ]);
  expect(STAGES).toEqual(["off", "permissive", "outgoing", "strict"]);
});

describe("a script with a name of its own is found", () => {
  test.each([
    ["cat /consul/secret/rollout.header", "/consul/secret/rollout.header"],
    [`secrets=${contract.PATHS.secrets}\ncat "$secrets/rollout.heading"`, "/consul/secrets/rollout.heading"],
    ["entries=$url/v1/kv/consul-cdktf\napi $entries/lock", "consul-cdktf/lock"],
    ["tell '/v1/kv/consul-cdktf/lock?raw'", "consul-cdktf/lock"],
    ['echo "$CONSUL_HTTP_ADR"', "CONSUL_HTTP_ADR"],
    ["for name in rolout.header; do :; done", "rolout.header"],
    [`was=\${CONSUL_DATA:-/consul/data}/was-in`, "CONSUL_DATA"],
    [`was=\${CONSUL_DATA_DIR:-/consul/data}/was-ready`, "/consul/data/was-ready"],
  ])("%j", (script, found) => expect(unknown(script)).toContain(found));
});

describe("the texts of a TypeScript file", () => {
  test.each([
    ["const a = 'cat /consul/secret/x'; // /consul/comment", ["/consul/secret/x"]],
    ["const a = `${PATHS.data}/was-ready`;", ["/consul/data/was-ready"]],
    ["const a = PATHS.secrets; const b = `cat ${a}/${SECRET_FILES.ca} ${a}/other`;", ["/consul/secrets/other"]],
    ["const a = `\\${CONSUL_DATA:-${PATHS.data}}/was-in ${name}`;", ["CONSUL_DATA"]],
    ["run('cat', PATHS.data); const a = `consul-cdktf/${name}`;", []],
    ["const a = ['rollout.header', 'oldest.header'];", ["oldest.header"]],
  ])("%s", (source, found) => expect(unknown(textsOf("a.ts", source).join("\n"))).toEqual(found));
});
