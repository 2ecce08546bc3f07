import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import { errorReference } from "../../docs/error-reference";
import { MESSAGE_SECTIONS } from "../../docs/step-messages";
import { PROJECT } from "../cluster-files";
import { repositoryFiles } from "../repository-files";

/** Outcomes that end a step, or make it ask another agent. Their first argument is the reason that is printed. */
const OUTCOMES = ["deny", "unknown", "untold"];

const SOURCES = repositoryFiles()
  .filter((file) => /^(rollout|ops\/(adoption|commands))\/.*\.ts$/.test(file))
  .map((file) => ts.createSourceFile(file, readFileSync(join(PROJECT, file), "utf8"), ts.ScriptTarget.Latest));

/** Literal text of an expression, with `...` for what is only known when it runs; undefined if there is none. */
function literalText(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => `...${literal.text}`).join("");
  if (!ts.isBinaryExpression(node)) return undefined;
  const [left, right] = [literalText(node.left), literalText(node.right)];
  return left === undefined || right === undefined ? undefined : left + right;
}

function nodesOf(node: ts.Node): ts.Node[] {
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    children.push(...nodesOf(child));
  });
  return [node, ...children];
}

const NODES = SOURCES.flatMap(nodesOf);
const PRINTED = NODES.flatMap((node) => literalText(node) ?? []);

/** Parts of a message that stay the same, where a reason may follow a subject. */
const partsOf = (message: string): string[] =>
  message
    .split(/\.\.\.(?!\.)|: |; |, and | \(|\)/)
    .map((part) => part.trim())
    .filter((part) => /\w{2}/.test(part));

const ROWS = MESSAGE_SECTIONS.flatMap(({ messages }) => messages);
const MESSAGES = ROWS.flatMap(({ messages }) => messages);

test.each([...new Set(MESSAGES)])("the program prints the message of errors.md: %s", (message) => {
  const parts = partsOf(message);
  expect(parts).not.toEqual([]);
  expect(parts.filter((part) => !PRINTED.some((text) => text.includes(part)))).toEqual([]);
});

test("every reason for which a step of a deploy fails is in errors.md, with its fix", () => {
  const reasons = NODES.flatMap((node) => {
    if (!ts.isCallExpression(node) || node.arguments[0] === undefined) return [];
    const { expression } = node;
    const name = ts.isPropertyAccessExpression(expression)
      ? expression.name.text
      : ts.isIdentifier(expression) && expression.text;
    return name && OUTCOMES.includes(name) ? (literalText(node.arguments[0]) ?? []) : [];
  });
  expect(reasons.length).toBeGreaterThan(40);
  const known = new Set(MESSAGES.flatMap(partsOf));
  expect(reasons.filter((reason) => partsOf(reason).some((part) => !known.has(part)))).toEqual([]);
});

test("no cell of errors.md names a page without a link to it", () => {
  const bare = errorReference()
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .flatMap((line) => line.replaceAll(/`[^`]*`/g, "").match(/(?<!\]\([^)]*)[\w/-]+\.(md|yaml)\b(?!\])/g) ?? []);
  expect(bare).toEqual([]);
});
