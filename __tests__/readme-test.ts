import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { load } from "./cluster-files";
import { synthesizeText } from "./synthesized";

const ROOT = resolve(__dirname, "..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };
const npmScript = (name: string) => (name === "test" ? "npm test" : `npm run ${name}`);

/** The README's fenced blocks of one language, in order. */
const blocks = (language: string): string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, block]) => block as string);

/** A folder like a user's checkout, in which a program of the README is tried. */
function checkout(): string {
  const folder = mkdtempSync(join(tmpdir(), "consul-cdktf-readme-"));
  for (const entry of [
    "typescript.cjs",
    "cluster",
    "consul",
    "constructs",
    "container",
    "rollout",
    "node_modules",
    "cdktf.json",
    "package.json",
    "tsconfig.json",
  ])
    symlinkSync(join(ROOT, entry), join(folder, entry));
  return folder;
}

function synthesize(folder: string, program: string): void {
  rmSync(join(folder, "cdktf.out"), { recursive: true, force: true });
  execFileSync("node", ["--require", "./typescript.cjs", program], { cwd: folder, stdio: "pipe" });
}

describe("README", () => {
  const folder = checkout();
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const [yaml] = blocks("yaml") as [string];
  const [typescript] = blocks("ts") as [string];

  function expectIdentical(clusterFile: string, program: string): string {
    const fromYaml = synthesizeText(clusterFile).texts.payments as string;
    writeFileSync(join(folder, "payments.ts"), program);
    synthesize(folder, "payments.ts");
    expect(readFileSync(join(folder, "cdktf.out/stacks/payments/cdk.tf.json"), "utf8")).toBe(fromYaml);
    return fromYaml;
  }

  test("its cluster file and its TypeScript synthesize identical JSON", () => {
    expect(expectIdentical(yaml, typescript)).toContain('"-node=web1"');
  });

  test("they still do when a client agent has settings of its own", () => {
    const json = expectIdentical(
      yaml.replace("[web1]", "[{ name: web1, ports: { dns: 53 }, dns: { recursors: [10.0.0.2] } }]"),
      typescript.replace('["web1"]', '[{ name: "web1", ports: { dns: 53 }, dns: { recursors: ["10.0.0.2"] } }]'),
    );
    expect(json).toContain('"CONSUL_ALLOW_PRIVILEGED_PORTS=1"');
  });

  test("its stack of one's own synthesizes, and the client joins the server", () => {
    writeFileSync(join(folder, "shop.ts"), blocks("ts")[1] as string);
    synthesize(folder, "shop.ts");
    const { resource } = JSON.parse(readFileSync(join(folder, "cdktf.out/stacks/shop/cdk.tf.json"), "utf8"));
    expect(resource.docker_container["consul-client"].command).toContain("-retry-join=10.0.0.11");
  });

  test("every npm script that it names exists, and .ci/run calls its two commands that install", () => {
    const named = [...README.matchAll(/npm run ([a-z0-9:-]+)/g)].map(([, name]) => name as string);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    const ci = readFileSync(join(ROOT, ".ci/run"), "utf8");
    const installing = blocks("sh").flatMap((block) =>
      block.split("\n").filter((command) => command.startsWith("npm ci")),
    );
    expect(installing).toHaveLength(2);
    for (const command of installing) expect(ci).toContain(command);
  });

  test("every file that it links to is there", () => {
    const links = [...README.matchAll(/\]\((?!http)([^)]+)/g)].map(([, path]) => path as string);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(join(ROOT, link.replace(/#.*/, ""))))).toEqual([]);
  });
});

test("what docs/declaring.md shows is part of a cluster file, without a warning", () => {
  const shown = [...readFileSync(join(ROOT, "docs/declaring.md"), "utf8").matchAll(/^```yaml\n(.*?)^```/gms)].map(
    ([, text]) => text,
  );
  expect(shown).toHaveLength(2);
  const base = "name: c\ndaemon: ssh://root@{address}\nhosts: { node1: 10.0.0.1, web1: 10.0.0.2 }\nservers: [node1]\n";
  expect(load(base + shown.join("")).warnings).toEqual([]);
});

test("help lists every npm script", () => {
  const help = readFileSync(join(ROOT, "help"), "utf8");
  const listed = [...help.matchAll(/^ {4}(npm (?:run [a-z0-9:-]+|test))\b/gm)].map(([, command]) => command as string);
  // npm itself runs it, before it packs.
  const { prepack: _, ...typed } = scripts;
  expect([...listed].sort()).toEqual(Object.keys(typed).map(npmScript).sort());
});
