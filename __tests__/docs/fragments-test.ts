import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { load, PROJECT } from "../cluster-files";

/** Pages whose fragments are sketches of a change: they have an ellipsis, or name hosts that an earlier fragment adds. */
const SKETCHES = ["membership.md"];
const PAGES = readdirSync(join(PROJECT, "docs")).filter((page) => page.endsWith(".md") && !SKETCHES.includes(page));

/** What a page shows of a cluster file, block by block; a digest that is left out is filled in. */
const fragmentsOf = (page: string): object[] =>
  [...readFileSync(join(PROJECT, "docs", page), "utf8").matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) =>
    parse(text.replaceAll("@sha256:...", `@sha256:${"0".repeat(64)}`)),
  );

const HOSTS = { node1: "10.0.0.11", web1: "10.0.0.21", web2: "10.0.0.22", "west-server1": "10.1.0.11" };
const BASE = { name: "c", daemon: "ssh://root@{address}", servers: ["node1"], clients: ["web1"] };

describe.each(PAGES.map((page) => [page, fragmentsOf(page)] as const).filter(([, fragments]) => fragments.length > 0))(
  "docs/%s",
  (_, fragments) => {
    test.each(fragments.map((fragment) => [JSON.stringify(fragment).slice(0, 80), fragment] as const))(
      "%s is part of a cluster file",
      (_, fragment) => {
        const file = { ...BASE, ...fragment };
        const hosts = { ...HOSTS, ...(fragment as { hosts?: object }).hosts };
        expect(load(JSON.stringify({ ...file, hosts })).name).toBe(file.name);
      },
    );
  },
);
