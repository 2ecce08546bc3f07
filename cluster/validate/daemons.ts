import type { Draft } from "../model";
import type { KeyPath, Violation } from "../problem";
import { PLACEHOLDERS } from "../resolve/daemon";
import { didYouMean } from "../suggest";
import { valueAt } from "./paths";

/** URLs of Docker daemons, of the cluster and of each host. */
export function daemonProblems({ file }: Draft): Violation[] {
  const paths = [[], ...Object.keys(file.hosts).map((name) => ["hosts", name])];
  return paths.flatMap((path) => {
    const daemon = valueAt(file, [...path, "daemon"]);
    if (typeof daemon === "string") return ofUrl(daemon, [...path, "daemon"]);
    const url = valueAt(daemon, ["url"]);
    return typeof url === "string" ? ofUrl(url, [...path, "daemon", "url"]) : [];
  });
}

const ofUrl = (url: string, path: KeyPath): Violation[] => [
  ...unknownPlaceholders(url, path),
  ...optionForSsh(url, path),
  ...variables(url, path),
];

/** A shell would replace it. Here it would be a part of the user's or the host's name. */
function variables(url: string, path: KeyPath): Violation[] {
  const [variable] = /^(?:ssh|tcp)\b.*?(\$(?:\{|[A-Za-z_])\w*\}?)/.exec(url)?.slice(1) ?? [];
  if (variable === undefined) return [];
  return [
    {
      code: "invalid-value",
      path,
      message: `${variable} is not replaced: a cluster file has no variables`,
      hint: "write the name out, or leave the user out: ~/.ssh/config can set it",
    },
  ];
}

function unknownPlaceholders(url: string, path: KeyPath): Violation[] {
  const written = (url.match(/\{[^{}]*\}?|\}/g) ?? []).filter(
    (braces) => !PLACEHOLDERS.some((name) => braces === `{${name}}`),
  );
  return written.map((braces) => ({
    code: "invalid-value",
    path,
    message: `unknown placeholder ${braces}${didYouMean(braces.replace(/[{}]/g, ""), PLACEHOLDERS)}`,
    hint: "use {address} or {host}: the host's address and name",
  }));
}

/** ssh would take a host or user that begins with a hyphen as an option, and `-oProxyCommand=` runs a program. */
function optionForSsh(url: string, path: KeyPath): Violation[] {
  if (!/^[a-z+]+:\/\/(-|[^/]*@-)/.test(url)) return [];
  return [
    {
      code: "invalid-value",
      path,
      message: "the user or host of this URL begins with a hyphen, and ssh would take it as an option",
      hint: "name a host: ssh://[user@]host[:port]",
    },
  ];
}
