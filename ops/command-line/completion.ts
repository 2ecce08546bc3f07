import { InvalidArgumentError } from "commander";
import type { DocumentedCommand } from "./command";

const SHELLS = ["bash", "zsh"] as const;
type Shell = (typeof SHELLS)[number];

/** The command that prints a script for a shell, which then completes commands and options. */
export function addCompletion(program: DocumentedCommand): void {
  program
    .command("completion")
    .forEverybody()
    .description("Print a script that makes a shell complete commands and options.")
    .argument("<SHELL>", "bash or zsh", shell)
    .documented(
      [
        ["bash > ~/.local/share/bash-completion/completions/consul-cdktf", "for bash"],
        ["zsh > ~/.consul-cdktf.zsh", "for zsh; ~/.zshrc then has: source ~/.consul-cdktf.zsh"],
      ],
      [[0, "printed"]],
    )
    .does(async ({ terminal }, _, [name]: [Shell]) => {
      terminal.print(completion(program, name));
      return 0;
    });
}

function shell(value: string): Shell {
  const known = SHELLS.find((name) => name === value);
  if (known === undefined) throw new InvalidArgumentError(`It must be ${SHELLS.join(" or ")}.`);
  return known;
}

/** What a command completes to: its subcommands, and its options. */
interface Words {
  /** `secrets rotate`; empty for the program. */
  readonly path: string;
  readonly words: readonly string[];
}

function wordsOf(command: DocumentedCommand): Words[] {
  const options = command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []);
  const subcommands = command.subcommands.map((below) => below.name());
  const own = { path: command.path().join(" "), words: [...subcommands, ...options, "--help", "--cluster"] };
  return [...command.subcommands.flatMap(wordsOf), own];
}

/** zsh runs bash's completions. Longer paths come first, and a path's operands do not end it. */
function completion(program: DocumentedCommand, name: Shell): string {
  const cases = wordsOf(program).map(
    ({ path, words }) => `  "${path}"${path === "" ? "" : "*"}) words="${words.join(" ")}" ;;`,
  );
  return [
    ...(name === "zsh" ? ["autoload -U +X bashcompinit && bashcompinit"] : []),
    "_consul_cdktf() {",
    "  local words",
    // Without the program's name and the word that is being typed.
    '  case "$(echo ${COMP_WORDS[@]:1:COMP_CWORD-1})" in',
    ...cases,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    "}",
    "complete -o default -F _consul_cdktf consul-cdktf",
  ].join("\n");
}
