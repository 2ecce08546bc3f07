import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issue, makeCa } from "../../../ops/secrets/certificates";
import { checkSecrets, findingText } from "../../../ops/secrets/check";
import { initialize } from "../../../ops/secrets/initialize";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { DAY_MS, daysAgo, Kept } from "./kept";

const NAMES = { dns: ["server.dc1.consul", "s1.server.dc1.consul", "localhost"], ip: ["127.0.0.1", "10.0.0.1"] };

let kept: Kept;
const made = new Kept();
beforeAll(() => made.init());
beforeEach(() => {
  kept = new Kept().copy(made);
});

/** The CA that signs for the cluster. */
const authority = () => ({ cert: kept.read("ca.pem"), key: kept.read("ca-key.pem") });

/** Puts a certificate in the place of a server's. */
function place(name: string, { cert, key }: { cert: string; key: string }): void {
  kept.secrets.write(`agents/${name}/cert.pem`, cert);
  kept.secrets.write(`agents/${name}/key.pem`, key);
}

test("secrets that are in order are found so, and nothing is written", () => {
  const before = kept.everything();
  expect(kept.found()).toEqual([]);
  expect(kept.everything()).toEqual(before);
});
test("a cluster without security has nothing to check", () => expect(checkSecrets(load(FOUR_HOSTS))).toEqual([]));

test("a folder that is not there is one finding, with both ways to get it", () => {
  rmSync(kept.path, { recursive: true });
  const [finding, ...others] = checkSecrets(kept.cluster());
  expect(others).toEqual([]);
  expect(findingText(finding as NonNullable<typeof finding>)).toBe(
    `${kept.path}: error: the folder of the cluster's secrets is not there\n    npm run secrets -- init; in a pipeline: npm run secrets -- import`,
  );
});

test.each(["ca.pem", "gossip.key", "tokens.json"])(
  "%s that is missing is an error, and where its content is still",
  (file) => {
    rmSync(join(kept.path, file));
    expect(kept.found()[0]).toBe(`error ${file}: is missing, and agents have what was made of it`);
  },
);
test.each(["agents/s1/cert.pem", "agents/s1/key.pem", "agents/c1/rollout.header", "operator/key.pem"])(
  "%s that is missing is an error",
  (file) => {
    rmSync(join(kept.path, file));
    expect(kept.found()).toEqual([`error ${file}: is missing`]);
  },
);
test("a CA's key that is not here is none: it may be kept elsewhere", () => {
  rmSync(join(kept.path, "ca-key.pem"));
  expect(kept.found()).toEqual([]);
});
test.each(["tokens.json", "agents/c1/gossip.json", "agents/s1/key.pem"])(
  "%s that cannot be read is an error",
  (file) => {
    rmSync(join(kept.path, file));
    mkdirSync(join(kept.path, file), { mode: 0o700 });
    expect(kept.found()).toContainEqual(expect.stringMatching(/^error \S+: .*cannot be read: EISDIR$/));
  },
);

describe("permissions", () => {
  test.each([
    ["ca-key.pem", 0o644],
    ["agents/s1/key.pem", 0o640],
    ["tokens.json", 0o602],
  ])("%s with mode %o is an error", (file, mode) => {
    chmodSync(join(kept.path, file), mode);
    expect(kept.found()).toEqual([`error ${file}: others than its owner can read or write it`]);
    expect(checkSecrets(kept.cluster())[0]?.hint).toContain(`chmod -R go= ${kept.path}/`);
  });
  test("of folders count, and many are one finding", () => {
    chmodSync(kept.path, 0o755);
    chmodSync(join(kept.path, "agents"), 0o755);
    chmodSync(join(kept.path, "agents/s1/key.pem"), 0o644);
    expect(kept.found()).toEqual(["error : others than its owner can read or write it, and 2 more there"]);
  });
});

describe("the CA", () => {
  test("that has expired, or soon will, with all that it signed", () => {
    expect(kept.found(undefined, new Date(Date.now() + 3651 * DAY_MS))).toContainEqual(
      expect.stringMatching(/^error ca\.pem: the newest CA expired on \d{4}-\d\d-\d\d$/),
    );
    expect(kept.found(undefined, new Date(Date.now() + 3630 * DAY_MS))).toContainEqual(
      expect.stringMatching(/^warning ca\.pem: the newest CA expires on \d{4}-\d\d-\d\d$/),
    );
  });
  test("that is none", async () => {
    kept.secrets.write("ca.pem", (await issue(authority(), { commonName: "x" }, new Date())).cert);
    expect(kept.found()[0]).toBe("error ca.pem: the newest CA is no certificate of a CA (CA:TRUE)");
  });
  test("whose key is another's, or none", async () => {
    kept.secrets.write("ca-key.pem", (await makeCa("other", new Date())).key);
    expect(kept.found()).toEqual(["error ca-key.pem: is not the key of the first certificate in ca.pem"]);
    kept.secrets.write("ca-key.pem", "x");
    expect(kept.found()).toEqual(["error ca-key.pem: has no private key in PEM"]);
  });
  test("that is damaged, or another file", () => {
    kept.change("ca.pem", (pem) => pem.replace(/\n[^-]{30}/, "\n"));
    expect(kept.found()[0]).toBe("error ca.pem: cannot be used: a certificate in it is damaged");
    kept.change("ca.pem", () => "");
    expect(kept.found()[0]).toBe("error ca.pem: cannot be used: there is no PEM certificate in it");
  });
});

describe("a server's certificate", () => {
  test("of a CA whose key is kept elsewhere has that said in the hint, for init issues none", async () => {
    const old = new Kept();
    await old.init(daysAgo(340));
    rmSync(join(old.path, "ca-key.pem"));
    rmSync(join(old.path, "agents/s1/cert.pem"));
    const elsewhere = "have it issued where the CA's key is kept, then: npm run secrets --";
    expect(checkSecrets(old.cluster()).map(({ hint }) => hint)).toEqual([
      `${elsewhere} init --leaves FOLDER`,
      ...["s2", "s3", "operator"].map((name) => `${elsewhere} rotate leaves ${name} --leaves FOLDER`),
    ]);
  });
  test("that has expired is an error, that soon will a warning, and each says its mend", async () => {
    const old = new Kept();
    await old.init(daysAgo(366));
    expect(old.found()).toEqual([
      ...["agents/s1", "agents/s2", "agents/s3", "operator"].map((at) =>
        expect.stringMatching(new RegExp(`^error ${at}/cert\\.pem: expired on `)),
      ),
    ]);
    const older = new Kept();
    await older.init(daysAgo(340));
    const findings = checkSecrets(older.cluster());
    expect(findings.map(({ severity, hint }) => `${severity}: ${hint}`)).toEqual(
      ["s1", "s2", "s3", "operator"].map((name) => `warning: npm run secrets -- rotate leaves ${name}`),
    );
    await old.init();
    expect(old.found()).toEqual([]);
  });
  test("that is not valid yet is an error", () =>
    expect(kept.found(undefined, daysAgo(2))).toContainEqual(
      expect.stringMatching(/^error agents\/s1\/cert\.pem: is valid from .* only$/),
    ));
  test("of another CA is an error, also when that CA has the same name", async () => {
    place("s1", await issue(await makeCa("c", new Date()), { commonName: "s1", names: NAMES }, new Date()));
    expect(kept.found()).toEqual(["error agents/s1/cert.pem: is not signed by a CA of ca.pem"]);
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
    expect(kept.found()).toEqual(["error agents/s1/cert.pem: is not valid for DNS s1.server.dc1.consul; IP 10.0.0.1"]);
    expect(kept.found(kept.cluster((text) => `${text}datacenter: east\n`))).toContain(
      "error agents/s2/cert.pem: is not valid for DNS server.east.consul, s2.server.east.consul",
    );
  });
  test("for clients alone is an error", async () => {
    place("s1", await issue(authority(), { commonName: "s1" }, new Date()));
    expect(kept.found()[0]).toMatch(/^error agents\/s1\/cert\.pem: is not valid for /);
    expect(kept.found()[1]).toBe("error agents/s1/cert.pem: is not for serverAuth (extended key usage)");
  });
  test("with another's key is an error of the key", () => {
    kept.secrets.write("agents/s1/key.pem", kept.read("agents/s2/key.pem"));
    expect(kept.found()).toEqual(["error agents/s1/key.pem: is not the key of its certificate"]);
  });
  test("that is none is an error", () => {
    kept.change("agents/s1/cert.pem", () => "x");
    expect(kept.found()).toEqual(["error agents/s1/cert.pem: cannot be used: there is no PEM certificate in it"]);
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
    kept.change("gossip.key", () => key);
    expect(kept.found()).toEqual(["error gossip.key: cannot be used: it is not base64 of 16, 24, 32 bytes"]);
  });
});

describe("a token", () => {
  const change = (work: (tokens: { current: Record<string, unknown>; retiring: Record<string, string[]> }) => void) =>
    kept.change("tokens.json", (text) => {
      const tokens = JSON.parse(text);
      work(tokens);
      return JSON.stringify(tokens);
    });

  test("that is missing is an error", () => {
    change(({ current }) => delete current.dns);
    expect(kept.found()).toEqual(["error tokens.json: token dns is missing"]);
  });
  test.each(["", "x", "ABCDEFAB-1234-1234-1234-ABCDEFABCDEF", 7])(
    "that is %p is an error, which does not say it",
    (id) => {
      change(({ current }) => {
        current.dns = id;
      });
      expect(kept.found()[0]).toBe("error tokens.json: token dns has no SecretID in the form of a UUID");
    },
  );
  test("like another, also one that is retiring, is an error", () => {
    change(({ current }) => {
      current.dns = current.health;
    });
    expect(kept.found()[0]).toBe("error tokens.json: tokens dns and health have the same SecretID");
    change(({ current, retiring }) => {
      retiring.dns = [String(current.management)];
    });
    expect(kept.found()).toContain("error tokens.json: tokens management and dns have the same SecretID");
  });
  test("of nobody is a warning", () => {
    const cluster = kept.cluster((text) => text.replace("clients: [c1]\n", ""));
    expect(kept.found(cluster)).toContain("warning tokens.json: nobody needs token agent:c1 any more");
    expect(kept.found(cluster)).toContainEqual(expect.stringMatching(/^warning agents\/c1: is nobody's/));
  });
  test.each(["", "{", "[]", "null", "{}", '{"current": {}, "retiring": {"a": "b"}}'])(
    "file %p is an error, which does not quote it",
    (text) => {
      kept.change("tokens.json", () => text);
      expect(kept.found()).toEqual([
        expect.stringMatching(
          /^error tokens\.json: (is no JSON|cannot be used: it is not of the form \{current, retiring\})$/,
        ),
      ]);
    },
  );
});

describe("what is made of other files", () => {
  test.each(["agents/s1/ca.pem", "agents/c1/gossip.json", "acl.json", "operator/token.header"])(
    "%s that is not up to date is an error",
    (file) => {
      kept.change(file, (text) => `${text} `);
      expect(kept.found()).toEqual([`error ${file}: is not up to date with what it is made of`]);
    },
  );
  test("of an agent that was added is missing until init", async () => {
    const added = kept.cluster((text) =>
      text.replace("c1: 10.0.0.4", "c1: 10.0.0.4, c2: 10.0.0.5").replace("[c1]", "[c1, c2]"),
    );
    expect(kept.found(added)).toEqual(["error tokens.json: token agent:c2 is missing"]);
    await initialize(added, kept.secrets, {});
    expect(kept.found(added)).toEqual([]);
  });
  test("and is nobody's is a warning", () => {
    writeFileSync(join(kept.path, "agents/c1/notes"), "x", { mode: 0o600 });
    expect(kept.found()).toEqual([expect.stringMatching(/^warning agents\/c1\/notes: is nobody's/)]);
  });
});

test("no finding has a secret in it", async () => {
  const secrets = [kept.read("gossip.key").trim(), ...Object.values<string>(kept.json("tokens.json").current)];
  kept.change("tokens.json", (text) => text.slice(0, -8));
  kept.change("gossip.key", (text) => text.slice(1));
  kept.change("agents/s1/key.pem", (text) => text.replace("BEGIN", "BEGUN"));
  const text = checkSecrets(kept.cluster()).map(findingText).join("\n");
  expect(text.split("\n").length).toBeGreaterThan(4);
  for (const secret of secrets) expect(text).not.toContain(secret.slice(2, 20));
  expect(text).not.toContain("BEGUN");
});
