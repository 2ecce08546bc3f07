/** An npm script that is no command of ops/command-line/, for docs/commands.md. */
interface NpmScript {
  readonly description: string;
  /** As it is typed. */
  readonly usage: string;
  readonly options: readonly (readonly [words: string, meaning: string])[];
  readonly exitCodes: readonly (readonly [code: number, meaning: string])[];
  readonly examples: readonly (readonly [command: string, meaning: string])[];
}

/** Those that users run. */
export const NPM_SCRIPTS: Readonly<Record<string, NpmScript>> = {
  synth: {
    description:
      "Write the cluster's Terraform JSON to `cdktf.out/`, and check the cluster file. It contacts no host. It is the CDKTF CLI's own command, so it takes no `--cluster FILE`.",
    usage: "npm run synth -- [options]",
    options: [["`-o, --output <FOLDER>`", "write to this folder. Default: cdktf.out"]],
    exitCodes: [
      [0, "written"],
      [1, "the cluster file has errors, and nothing was written"],
    ],
    examples: [
      ["npm run synth", "the cluster file that cdktf.json names"],
      ["CLUSTER=clusters/production.yaml npm run synth", "another one"],
    ],
  },
  local: {
    description:
      "Deploy `clusters/local.yaml` to this machine's Docker daemon without asking, and show its status. It is in this repository only, and takes no options.",
    usage: "npm run local",
    options: [],
    exitCodes: [
      [0, "deployed, and healthy"],
      [1, "not deployed, or unhealthy"],
    ],
    examples: [
      ["npm run local", "three servers and a client agent"],
      ["CLUSTER=clusters/local.yaml npm run destroy -- --auto-approve", "remove them again"],
    ],
  },
  "consul-cdktf": {
    description: "The program behind the commands. In a project, it is `npx consul-cdktf`.",
    usage: "npm run consul-cdktf -- COMMAND [options]",
    options: [
      ["`COMMAND`", "any command of this page, with its options"],
      ["`help [COMMAND]`", "show the help of a command"],
      ["`-V, --version`", "print the version"],
    ],
    exitCodes: [],
    examples: [
      ["npm run consul-cdktf -- --version", "which version this is"],
      ["npm run consul-cdktf -- deploy --help", "the help of one command"],
    ],
  },
  typecheck: {
    description: "Check the types of the project's TypeScript, such as `main.ts` with stacks of your own.",
    usage: "npm run typecheck",
    options: [],
    exitCodes: [
      [0, "no errors"],
      [2, "errors"],
    ],
    examples: [["npm run typecheck", "after an upgrade of consul-cdktf, before a deploy"]],
  },
  template: {
    description:
      "Write the template for `cdktf init --template`, `consul-cdktf-template-VERSION.zip`, to this folder: see [a project of your own](projects.md).",
    usage: "npm run template",
    options: [],
    exitCodes: [
      [0, "written"],
      [1, "not written"],
    ],
    examples: [["npm run template", "then put the file on a web server"]],
  },
};

/** Those that contributors run. */
export const CONTRIBUTORS_SCRIPTS: Readonly<Record<string, string>> = {
  test: "run the unit tests",
  "test:cdktn": "run the unit tests with CDK Terrain and Node 22, in a copy; `--live` also deploys on the test bed",
  lint: "check style and common mistakes",
  shellcheck: "check the shell scripts",
  build: "build what the npm package consists of, in `dist/`; npm runs it as `prepack`",
  generate: "write the JSON Schema, the generated reference pages and the pictures",
  rig: "the [test bed](../e2e/test-bed/README.md): `up`, `down` or `status`",
  e2e: "run the [end-to-end tests](../e2e/README.md) on the test bed",
  "e2e:full": "run all of them, including those that take longer",
  bench: "[compare](benchmarks.md) the product with the alternatives",
};
