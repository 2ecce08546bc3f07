import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { CLUSTER_FILE, FIRST_COMMANDS, projectFiles } from "../ops/project/template";
import manifest from "../package.json";

/** The zip format's first day: the same files are the same bytes. */
const MADE = "1980-01-01T12:00:00";

/** `cdktf init` runs it in the new project. */
const HOOKS = `exports.post = ({ silent }) => {
  if (String(silent) === "true") return;
  console.log(\`
Next:
  write your hosts and their addresses into ${CLUSTER_FILE}
${FIRST_COMMANDS.map((command) => `  ${command}`).join("\n")}\`);
};
`;

/**
 * The template for `cdktf init --template URL`: the files that `consul-cdktf init` makes, with example hosts. The CDKTF
 * CLI asks for the project's name, and replaces what is in double braces.
 */
export function template(): Uint8Array {
  const servers = [1, 2, 3].map((number) => ({ name: `consul-server${number}`, address: `10.0.0.1${number}` }));
  const daemon = "ssh://root@{address}";
  const name = "{{ Name }}";
  const files = projectFiles({ name, privateFolder: `../${name}-private`, servers, clients: [], daemon, cdktn: false });
  const settings = { projectId: "{{ projectId }}", sendCrashReports: "{{ sendCrashReports }}" };
  const cdktfJson = `${JSON.stringify({ ...JSON.parse(files["cdktf.json"]), ...settings }, null, 2)}\n`;
  const all = { ...files, "cdktf.json": cdktfJson, ".hooks.sscaff.js": HOOKS };
  return zipSync(Object.fromEntries(Object.entries(all).map(([name, text]) => [name, strToU8(text)])), { mtime: MADE });
}

if (require.main === module)
  writeFileSync(join(__dirname, "..", `${manifest.name}-template-${manifest.version}.zip`), template());
