import { stripVTControlCharacters } from "node:util";
import { ACTIONS, type Action, type Change, isContainer, type StackChanges } from "./changes";
import { DECLARED, type Reason } from "./reasons";

/** Terraform's own signs. */
const SIGNS: Record<Action, string> = { create: "+", replace: "-/+", "change in place": "~", remove: "-" };
/** Gates, images and the like follow the containers: they are counted, unless they change for themselves, or nothing else changes. */
const FOLLOWING = ["docker_image", "terraform_data"];
const follows = ({ type, reasons }: Change): boolean =>
  FOLLOWING.includes(type) && !reasons.some(({ what }) => what === DECLARED);
const WIDTH = 110;

/** A stack's changes for people: containers that change for the same reasons stand together. */
export function stackText(stack: string, { changes, outputsOnly }: StackChanges): string[] {
  const own = changes.filter((change) => !follows(change));
  const following = changes.filter(follows);
  const listed = own.length > 0 ? own : following;
  if (listed.length === 0) return outputsOnly ? [stack, "  only its outputs change"] : [];
  const alike = new Map<string, Change[]>();
  for (const change of listed) {
    const key = JSON.stringify([isContainer(change), change.action, change.reasons]);
    alike.set(key, [...(alike.get(key) ?? []), change]);
  }
  const blocks = [...alike.values()].sort(([a], [b]) => order(a) - order(b)).flatMap(block);
  const rest = own.length > 0 && following.length > 0 ? [`  with ${count(following)}`] : [];
  return [stack, ...blocks, ...rest];
}

const order = (change: Change | undefined): number => (change ? ACTIONS.indexOf(change.action) : 0);

function block(changes: readonly Change[]): string[] {
  const [{ action, reasons } = { action: "create" as const, reasons: [] }] = changes;
  const head = `  ${SIGNS[action].padStart(3)} ${action.padEnd(16)}`;
  const names = wrapped(changes.map((change) => (isContainer(change) ? change.name : change.address)));
  return [
    ...names.map((line, index) => `${index === 0 ? head : " ".repeat(head.length)}${line}`),
    ...reasons.map((reason) => `        ${reasonText(reason)}`),
  ];
}

function wrapped(names: readonly string[]): string[] {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + name.length < WIDTH - 24) lines[lines.length - 1] = `${last}, ${name}`;
    else lines.push(name);
  }
  return lines;
}

/** `image      hashicorp/consul:1.21.5 -> hashicorp/consul:1.22.2` */
export function reasonText({ what, item, before, after }: Reason): string {
  const change =
    before !== undefined && after !== undefined
      ? `${short(before)} -> ${short(after)}`
      : before !== undefined
        ? `- ${short(before)}`
        : after !== undefined
          ? `+ ${short(after)}`
          : "";
  return `${what.padEnd(10)} ${[item, change].filter(Boolean).join(change && item ? ": " : "")}`.trimEnd();
}

/** On one line, and without what a terminal would obey. */
function short(value: string): string {
  const line = stripVTControlCharacters(value).replace(/\p{Cc}+/gu, " ");
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
}

/** `2 docker_image, 4 terraform_data` */
function count(changes: readonly Change[]): string {
  const types = [...new Set(changes.map(({ type }) => type))].sort();
  return types.map((type) => `${changes.filter((change) => change.type === type).length} ${type}`).join(", ");
}

/**
 * The last line: how many containers, and that nothing is left to do where that is so.
 * @param all whether these are all stacks that were to be looked at
 */
export function summaryText(stacks: readonly StackChanges[], all = true): string {
  const changes = stacks.flatMap((stack) => stack.changes);
  const containers = changes.filter(isContainer);
  const unchanged = stacks.reduce((sum, stack) => sum + stack.unchanged, 0);
  const idle = changes.length === 0 && !stacks.some(({ outputsOnly }) => outputsOnly);
  const counts = ACTIONS.map(
    (action) => `${containers.filter((change) => change.action === action).length} to ${action}, `,
  );
  return `${idle ? `nothing to do${all ? "" : " elsewhere"}; ` : ""}containers: ${idle ? "" : counts.join("")}${unchanged} unchanged`;
}
