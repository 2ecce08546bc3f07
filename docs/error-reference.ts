import { type Area, allowableCodes, areas, ignorableCodes, type ProblemCode } from "../cluster/catalogue";
import { AGENT_FAILURES } from "../consul/agent-failures";
import { FIXES } from "./fixes";
import { table, withPageLinks } from "./markdown";
import { MESSAGE_SECTIONS, type StepMessage } from "./step-messages";

/** The heading of each area, and how its problems are reported. */
const AREA_TEXTS: Readonly<Record<Area, readonly string[]>> = {
  clusterFile: [
    "## The cluster file",
    "",
    "A cluster file is checked in two rounds: first its form (unknown keys, values of the wrong type), then everything",
    "else. Each round reports all of its problems at once. After an error nothing is written, and the exit code is not 0.",
    "",
    "To silence a warning or to take a risk, list its code in the file: `ignore: [open-http]`.",
  ],
  deploy: [
    "## Before a deploy",
    "",
    "Some problems only show when the file is compared with the Terraform state. `npm run diff` reports them.",
    "`npm run deploy` fails before it changes anything. If the change is intended, allow it for one deploy on the command",
    "line. [Changing a cluster](changing.md) and [layouts](layouts.md) describe the alternatives.",
  ],
  secrets: [
    "## Secrets",
    "",
    "`npm run secrets -- check` reports these. `npm run diff` and `npm run deploy` fail when there is an error among them.",
  ],
  health: [
    "## The health of the cluster",
    "",
    "`npm run status` and `npm run doctor` report these. A notice does not change the exit code.",
  ],
  adoption: ["## Adoption", "", "`npm run adopt` reports these before it changes anything."],
};

/** Why an agent does not become ready, by what its log shows. */
const failureTable = (): string[] => [
  "## An agent that does not become ready",
  "",
  "A readiness check that fails, `npm run status` and `npm run doctor` search the end of the container's log",
  "(`docker logs NAME`) for these messages, and name the first in this order, with the fix. Of all others they show the",
  "log's last lines.",
  "",
  ...table(
    ["message", "meaning", "fix"],
    AGENT_FAILURES.map(({ line, meaning, hint }) => [`\`${line}\``, meaning, withPageLinks(hint)]),
  ),
];

/** Messages of steps, which have no code. */
const messageTables = (): string[] =>
  MESSAGE_SECTIONS.flatMap(({ heading, text, messages }) => [
    "",
    heading,
    "",
    ...text,
    ...(messages.length > 0 ? ["", ...messageTable(messages)] : []),
  ]);

const messageTable = (messages: readonly StepMessage[]): string[] =>
  table(
    ["message", "meaning", "fix"],
    messages.map((row) => [row.messages.map((message) => `\`${message}\``).join("; "), row.meaning, row.fix]),
  );

/** Every code of the catalogue, by area, and every message without a code. */
export function errorReference(): string {
  const sections = (Object.keys(areas) as Area[]).flatMap((area) => ["", ...AREA_TEXTS[area], "", ...codeTable(area)]);
  return [
    "# Errors and warnings",
    "",
    "`npm run generate` writes this page from cluster/catalogue.ts, docs/fixes.ts, docs/step-messages.ts and",
    "consul/agent-failures.ts. A problem is printed as `location: severity code: message`, with a hint below it. The location",
    "is file:line:column for the cluster file, an agent and its host, or a file of the cluster's secrets. The hint has the",
    "names; this page has the fix in general.",
    "",
    "Messages without a code are printed while a step runs: [when a deploy fails](#when-a-deploy-fails), [declared",
    "services](#declared-services), [declared keys and config",
    "entries](#declared-keys-config-entries-intentions-prepared-queries), [maintenance](#maintenance), [an",
    "adoption](#an-adoption-that-fails), and [an agent that does not become ready](#an-agent-that-does-not-become-ready).",
    ...sections,
    ...messageTables(),
    "",
    ...failureTable(),
    "",
  ].join("\n");
}

function codeTable(area: Area): string[] {
  const permission = PERMISSIONS[area];
  return table(
    ["code", "severity", "meaning", "fix", ...(permission ? [permission.column] : [])],
    Object.entries(areas[area]).map(([code, { severity, about }]) => [
      `\`${code}\``,
      severity,
      withPageLinks(about),
      withPageLinks(FIXES[code as ProblemCode]),
      ...(permission ? [permission.of(code)] : []),
    ]),
  );
}

/** Some problems can be ignored in the file, others allowed on the command line: a column of the area's table. */
const PERMISSIONS: { readonly [area in Area]?: { readonly column: string; of(code: string): string } } = {
  clusterFile: {
    column: "can be ignored",
    of: (code) => ((ignorableCodes as readonly string[]).includes(code) ? "yes" : ""),
  },
  deploy: {
    column: "allowed by",
    of: (code) => ((allowableCodes as readonly string[]).includes(code) ? `\`--allow ${code}\`` : ""),
  },
};
