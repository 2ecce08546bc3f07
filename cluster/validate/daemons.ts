import type { Draft } from "../model";
import type { KeyPath, Violation } from "../problem";
import { PLACEHOLDERS } from "../resolve/daemon";
import { didYouMean } from "../suggest";
import { valueAt } from "./paths";

/** Whether the daemons' URLs can be what is meant, for all hosts and for each. */
export function daemonProblems({ file }: Draft): Violation[] {
  const places = [[], ...Object.keys(file.hosts).map((name) => ["hosts", name])];
  return places.flatMap((place) => {
    const daemon = valueAt(file, [...place, "daemon"]);
    if (typeof daemon === "string") return ofUrl(daemon, [...place, "daemon"]);
    const url = valueAt(daemon, ["url"]);
    return typeof url === "string" ? ofUrl(url, [...place, "daemon", "url"]) : [];
  });
}

const ofUrl = (url: string, path: KeyPath): Violation[] => [
  ...unknownPlaceholders(url, path),
  ...optionForSsh(url, path),
];

function unknownPlaceholders(url: string, path: KeyPath): Violation[] {
  const written = (url.match(/\{[^{}]*\}?|\}/g) ?? []).filter(
    (braces) => !PLACEHOLDERS.some((name) => braces === `{${name}}`),
  );
  return written.map((braces) => ({
    code: "invalid-value",
    path,
    message: `${braces} stands for nothing${didYouMean(braces.replace(/[{}]/g, ""), PLACEHOLDERS)}`,
    hint: "use {address} or {host}, which stand for the host's own",
  }));
}

/** What ssh is given as a host or user would be an option to it, and `-oProxyCommand=` runs a program. */
function optionForSsh(url: string, path: KeyPath): Violation[] {
  if (!/^[a-z+]+:\/\/(-|[^/]*@-)/.test(url)) return [];
  return [
    {
      code: "invalid-value",
      path,
      message: "the user or host of this URL begins with a hyphen, and would be taken for an option",
      hint: "name a host: ssh://[user@]host[:port]",
    },
  ];
}
