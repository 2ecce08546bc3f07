import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PATHS, STAGE_ON_THE_WIRE, USED_BY_SCRIPTS } from "../../consul/contract";
import { PROJECT } from "../cluster-files";
import { repositoryFiles } from "../repository-files";

/** The contract's literals: paths in Consul's containers, the product's own names in Consul, environment variables. */
const LITERALS = [
  /(?<!\w)\/consul\/[\w./-]*\w/g,
  /consul-cdktf(?:\/[a-z]*\/?|: )|cdktf-security/g,
  /\b(?:ASK|BEFORE|CONSUL|GIVE|GONE|LEAVE|STOP|TAKE|TRY)(?:_[A-Z]+)*\b/g,
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
const unknown = (script: string): string[] =>
  literalsOf(script).filter((literal) => !USED_BY_SCRIPTS.includes(literal));

const scripts = repositoryFiles()
  .filter((file) => /^(container|rollout|ops)\/.*\.(sh|jq)$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(PROJECT, file), "utf8") }));

test.each(scripts)("$file has no path, key or variable that the contract does not have", ({ text }) =>
  expect(unknown(text)).toEqual([]),
);
test("every name that the contract marks as the scripts' own is in one", () => {
  const found = new Set(scripts.flatMap(({ text }) => literalsOf(text)));
  expect(USED_BY_SCRIPTS.filter((literal) => !found.has(literal))).toEqual([]);
});
test("scripts have the contract's order of security stages", () => {
  const compat = scripts.find(({ file }) => file.endsWith("/security-compat.sh"))?.text;
  expect(compat).toContain(`${JSON.stringify(Object.values(STAGE_ON_THE_WIRE)).replaceAll(",", ", ")} as $stages`);
});

describe("a script with a name of its own is found", () => {
  test.each([
    ["cat /consul/secret/rollout.header", "/consul/secret/rollout.header"],
    [`secrets=${PATHS.secrets}\ncat "$secrets/rollout.heading"`, "/consul/secrets/rollout.heading"],
    ["entries=$url/v1/kv/consul-cdktf\napi $entries/lock", "consul-cdktf/lock"],
    ["tell '/v1/kv/consul-cdktf/lock?raw'", "consul-cdktf/lock"],
    ['echo "$ASK_SECOND"', "ASK_SECOND"],
    [`was=\${CONSUL_DATA:-/consul/data}/was-in`, "CONSUL_DATA"],
    [`was=\${CONSUL_DATA_DIR:-/consul/data}/was-ready`, "/consul/data/was-ready"],
  ])("%j", (script, found) => expect(unknown(script)).toContain(found));
});
