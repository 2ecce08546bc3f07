import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeProblem } from "../../../cluster/problem";
import { issue, makeCa } from "../../../ops/secrets/certificates";
import { checkSecrets } from "../../../ops/secrets/check";
import { initialize } from "../../../ops/secrets/initialize";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { ClusterSecrets, DAY_MS, daysAgo } from "./cluster-secrets";

const NAMES = { dns: ["server.dc1.consul", "s1.server.dc1.consul", "localhost"], ip: ["127.0.0.1", "10.0.0.1"] };

let stored: ClusterSecrets;
const made = new ClusterSecrets();
beforeAll(() => made.init());
beforeEach(() => {
  stored = new ClusterSecrets().copy(made);
});

/** The cluster's CA and its key. */
const authority = () => ({ cert: stored.read("ca.pem"), key: stored.read("ca-key.pem") });

/** Replaces a server's certificate and key. */
function place(name: string, { cert, key }: { cert: string; key: string }): void {
  stored.secrets.write(`agents/${name}/cert.pem`, cert);
  stored.secrets.write(`agents/${name}/key.pem`, key);
}

test("valid secrets have no findings, and nothing is written", () => {
  const before = stored.everything();
  expect(stored.found()).toEqual([]);
  expect(stored.everything()).toEqual(before);
});
test("a cluster without security has nothing to check", () => expect(checkSecrets(load(FOUR_HOSTS))).toEqual([]));

test("a missing folder is one finding, with all ways to get it", () => {
  rmSync(stored.path, { recursive: true });
  const [finding, ...others] = checkSecrets(stored.cluster());
  expect(others).toEqual([]);
  expect(describeProblem(finding as NonNullable<typeof finding>)).toBe(
    `${stored.path}: error secrets-folder-missing: the folder of the cluster's secrets does not exist\n    hint: npm run secrets -- init; if it was lost: npm run secrets -- recover; in a pipeline: npm run secrets -- import`,
  );
});

test.each(["ca.pem", "gossip.key", "tokens.json"])(
  "a missing %s is an error that says where its content can still be read",
  (file) => {
    rmSync(join(stored.path, file));
    expect(stored.found()[0]).toBe(`error ${file}: is missing, and agents have files that were rendered from it`);
  },
);
test.each(["agents/s1/cert.pem", "agents/s1/key.pem", "agents/c1/rollout.header", "operator/key.pem"])(
  "a missing %s is an error",
  (file) => {
    rmSync(join(stored.path, file));
    expect(stored.found()).toEqual([`error ${file}: is missing`]);
  },
);
test("a missing CA's key is no error: it may be kept elsewhere", () => {
  rmSync(join(stored.path, "ca-key.pem"));
  expect(stored.found()).toEqual([]);
});
test.each(["tokens.json", "agents/c1/gossip.json", "agents/s1/key.pem"])(
  "%s that cannot be read is an error",
  (file) => {
    rmSync(join(stored.path, file));
    mkdirSync(join(stored.path, file), { mode: 0o700 });
    expect(stored.found()).toContainEqual(expect.stringMatching(/^error \S+: .*cannot be read: EISDIR$/));
  },
);

describe("permissions", () => {
  test.each([
    ["ca-key.pem", 0o644],
    ["agents/s1/key.pem", 0o640],
    ["tokens.json", 0o602],
  ])("%s with mode %o is an error", (file, mode) => {
    chmodSync(join(stored.path, file), mode);
    expect(stored.found()).toEqual([`error ${file}: other users can read or write it`]);
    expect(checkSecrets(stored.cluster())[0]?.hint).toContain(`chmod -R go= ${stored.path}/`);
  });
  test("of folders count, and many are one finding", () => {
    chmodSync(stored.path, 0o755);
    chmodSync(join(stored.path, "agents"), 0o755);
    chmodSync(join(stored.path, "agents/s1/key.pem"), 0o644);
    expect(stored.found()).toEqual(["error : other users can read or write it, and 2 more there"]);
  });
});

describe("the CA", () => {
  test("that has expired, or soon will, is reported with every certificate it signed", () => {
    expect(stored.found(undefined, new Date(Date.now() + 3651 * DAY_MS))).toContainEqual(
      expect.stringMatching(/^error ca\.pem: the newest CA expired on \d{4}-\d\d-\d\d$/),
    );
    expect(stored.found(undefined, new Date(Date.now() + 3630 * DAY_MS))).toContainEqual(
      expect.stringMatching(/^warning ca\.pem: the newest CA expires on \d{4}-\d\d-\d\d$/),
    );
  });
  test("that is none", async () => {
    stored.secrets.write("ca.pem", (await issue(authority(), { commonName: "x" }, new Date())).cert);
    expect(stored.found()[0]).toBe("error ca.pem: the newest CA is no certificate of a CA (CA:TRUE)");
  });
  test("whose key is another's, or none", async () => {
    stored.secrets.write("ca-key.pem", (await makeCa("other", new Date())).key);
    expect(stored.found()).toEqual(["error ca-key.pem: is not the key of the first certificate in ca.pem"]);
    stored.secrets.write("ca-key.pem", "x");
    expect(stored.found()).toEqual(["error ca-key.pem: has no private key in PEM"]);
  });
  test("that is damaged, or another file", () => {
    stored.change("ca.pem", (pem) => pem.replace(/\n[^-]{30}/, "\n"));
    expect(stored.found()[0]).toBe("error ca.pem: cannot be used: a certificate in it is damaged");
    stored.change("ca.pem", () => "");
    expect(stored.found()[0]).toBe("error ca.pem: cannot be used: there is no PEM certificate in it");
  });
});

describe("a server's certificate", () => {
  test("of a CA whose key is kept elsewhere has that in its hint, because init cannot issue it", async () => {
    const old = new ClusterSecrets();
    await old.init(daysAgo(340));
    rmSync(join(old.path, "ca-key.pem"));
    rmSync(join(old.path, "agents/s1/cert.pem"));
    const elsewhere = "have it issued where the CA's key is kept, then: npm run secrets --";
    expect(checkSecrets(old.cluster()).map(({ hint }) => hint)).toEqual([
      `${elsewhere} init --certificates FOLDER`,
      ...["s2", "s3", "operator"].map((name) => `${elsewhere} rotate certificates ${name} --certificates FOLDER`),
    ]);
  });
  test("that has expired is an error, one that soon will is a warning, and each has its hint", async () => {
    const old = new ClusterSecrets();
    await old.init(daysAgo(366));
    expect(old.found()).toEqual([
      ...["agents/s1", "agents/s2", "agents/s3", "operator"].map((at) =>
        expect.stringMatching(new RegExp(`^error ${at}/cert\\.pem: expired on `)),
      ),
    ]);
    const older = new ClusterSecrets();
    await older.init(daysAgo(340));
    const findings = checkSecrets(older.cluster());
    expect(findings.map(({ severity, hint }) => `${severity}: ${hint}`)).toEqual(
      ["s1", "s2", "s3", "operator"].map((name) => `warning: npm run secrets -- rotate certificates ${name}`),
    );
    await old.init();
    expect(old.found()).toEqual([]);
  });
  test("of a CA that expires, or has expired, has the hint that fits where the CA's key is", async () => {
    for (const [days, code] of [
      [3640, "certificate-expiring"],
      [3660, "certificate-expired"],
    ] as const) {
      const old = new ClusterSecrets();
      await old.init(daysAgo(days));
      const hint = () =>
        checkSecrets(old.cluster()).find(
          ({ code: found, location }) => found === code && /ca\.pem$/.test(location.file),
        )?.hint;
      expect(hint()).toBe("npm run secrets -- rotate --due 30d");
      rmSync(join(old.path, "ca-key.pem"));
      expect(hint()).toBe("npm run secrets -- rotate ca --ca FILE");
    }
  });
  test("that is not valid yet is an error", () =>
    expect(stored.found(undefined, daysAgo(2))).toContainEqual(
      expect.stringMatching(/^error agents\/s1\/cert\.pem: is valid from .* only$/),
    ));
  test("of another CA is an error, also when that CA has the same name", async () => {
    place("s1", await issue(await makeCa("c", new Date()), { commonName: "s1", names: NAMES }, new Date()));
    expect(stored.found()).toEqual(["error agents/s1/cert.pem: is not signed by a CA of ca.pem"]);
  });
  test("without one of its names and addresses is an error that names them", async () => {
    place(
      "s1",
      await issue(
        authority(),
        { commonName: "s1", names: { dns: ["server.dc1.consul", "localhost"], ip: ["127.0.0.1"] } },
        new Date(),
      ),
    );
    expect(stored.found()).toEqual([
      "error agents/s1/cert.pem: is not valid for DNS s1.server.dc1.consul; IP 10.0.0.1",
    ]);
    expect(stored.found(stored.cluster((text) => `${text}datacenter: east\n`))).toContain(
      "error agents/s2/cert.pem: is not valid for DNS server.east.consul, s2.server.east.consul",
    );
  });
  test("for clients alone is an error", async () => {
    place("s1", await issue(authority(), { commonName: "s1" }, new Date()));
    expect(stored.found()[0]).toMatch(/^error agents\/s1\/cert\.pem: is not valid for /);
    expect(stored.found()[1]).toBe("error agents/s1/cert.pem: is not for serverAuth (extended key usage)");
  });
  test("with another's key is an error of the key", () => {
    stored.secrets.write("agents/s1/key.pem", stored.read("agents/s2/key.pem"));
    expect(stored.found()).toEqual(["error agents/s1/key.pem: is not the key of its certificate"]);
  });
  test("that is none is an error", () => {
    stored.change("agents/s1/cert.pem", () => "x");
    expect(stored.found()).toEqual(["error agents/s1/cert.pem: cannot be used: there is no PEM certificate in it"]);
  });
});

describe("the gossip key", () => {
  test.each([
    "",
    "not base64!",
    Buffer.alloc(31).toString("base64"),
    Buffer.alloc(33).toString("base64"),
    "0".repeat(44),
  ])("%p is an error", (key) => {
    stored.change("gossip.key", () => key);
    expect(stored.found()).toEqual(["error gossip.key: cannot be used: it is not base64 of 16, 24, 32 bytes"]);
  });
});

describe("a token", () => {
  const change = (work: (tokens: { current: Record<string, unknown>; retiring: Record<string, string[]> }) => void) =>
    stored.change("tokens.json", (text) => {
      const tokens = JSON.parse(text);
      work(tokens);
      return JSON.stringify(tokens);
    });

  test("that is missing is an error", () => {
    change(({ current }) => delete current.dns);
    expect(stored.found()).toEqual(["error tokens.json: token dns is missing"]);
  });
  test.each(["", "x", "ABCDEFAB-1234-1234-1234-ABCDEFABCDEF", 7])(
    "that is %p is an error, which does not reveal it",
    (id) => {
      change(({ current }) => {
        current.dns = id;
      });
      expect(stored.found()[0]).toBe("error tokens.json: token dns has no SecretID in the form of a UUID");
    },
  );
  test("like another, also one that is retiring, is an error", () => {
    change(({ current }) => {
      current.dns = current.health;
    });
    expect(stored.found()[0]).toBe("error tokens.json: tokens dns and health have the same SecretID");
    change(({ current, retiring }) => {
      retiring.dns = [String(current.management)];
    });
    expect(stored.found()).toContain("error tokens.json: tokens management and dns have the same SecretID");
  });
  test("that is not needed is a warning", () => {
    const cluster = stored.cluster((text) => text.replace("clients: [c1]\n", ""));
    expect(stored.found(cluster)).toContain("warning tokens.json: token agent:c1 is not needed any more");
    expect(stored.found(cluster)).toContainEqual(expect.stringMatching(/^warning agents\/c1: is orphaned/));
  });
  test.each(["", "{", "[]", "null", "{}", '{"current": {}, "retiring": {"a": "b"}}'])(
    "file %p is an error, which does not quote it",
    (text) => {
      stored.change("tokens.json", () => text);
      expect(stored.found()).toEqual([
        expect.stringMatching(
          /^error tokens\.json: (is no JSON|cannot be used: it is not of the form \{current, retiring\})$/,
        ),
      ]);
    },
  );
});

describe("a rendered file", () => {
  test.each(["agents/s1/ca.pem", "agents/c1/gossip.json", "acl.json", "operator/token.header"])(
    "%s that is out of date is an error",
    (file) => {
      stored.change(file, (text) => `${text} `);
      expect(stored.found()).toEqual([`error ${file}: is out of date: its sources have changed`]);
    },
  );
  test("of an agent that was added is missing until init", async () => {
    const added = stored.cluster((text) =>
      text.replace("c1: 10.0.0.4", "c1: 10.0.0.4, c2: 10.0.0.5").replace("[c1]", "[c1, c2]"),
    );
    expect(stored.found(added)).toEqual(["error tokens.json: token agent:c2 is missing"]);
    await initialize(added, stored.secrets, {});
    expect(stored.found(added)).toEqual([]);
  });
  test("and is orphaned is a warning", () => {
    writeFileSync(join(stored.path, "agents/c1/notes"), "x", { mode: 0o600 });
    expect(stored.found()).toEqual([expect.stringMatching(/^warning agents\/c1\/notes: is orphaned/)]);
  });
});

test("no finding contains a secret", async () => {
  const secrets = [stored.read("gossip.key").trim(), ...Object.values<string>(stored.json("tokens.json").current)];
  stored.change("tokens.json", (text) => text.slice(0, -8));
  stored.change("gossip.key", (text) => text.slice(1));
  stored.change("agents/s1/key.pem", (text) => text.replace("BEGIN", "BEGUN"));
  const text = checkSecrets(stored.cluster()).map(describeProblem).join("\n");
  expect(text.split("\n").length).toBeGreaterThan(4);
  for (const secret of secrets) expect(text).not.toContain(secret.slice(2, 20));
  expect(text).not.toContain("BEGUN");
});
