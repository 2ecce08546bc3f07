import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineCluster } from "../cluster/define";
import type { CertificateAndKey } from "../ops/secrets/certificate";
import { issue, makeCa } from "../ops/secrets/certificates";
import { holdersOf } from "../ops/secrets/sources";
import { eventually } from "./consul";
import { expectUndisturbed, LiveCluster, type Seen } from "./live-cluster";
import { expectPrinted, Page } from "./page";
import { pause } from "./pause";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const SECOND_MS = 1000;
const DAY_MS = 24 * 60 * 60 * SECOND_MS;
/** As the product makes them. */
const LIFE = { ca: 3650 * DAY_MS, certificate: 365 * DAY_MS } as const;
const NIGHTLY = ["rotate", "--due", "30d"] as const;

describe("certificates that expire", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  let page: Page;
  const folder = () => cluster.project.secretsFolder(cluster.file);
  const stored = (file: string) => readFileSync(join(folder(), file), "utf8");
  const authority = (): CertificateAndKey => ({ cert: stored("ca.pem"), key: stored("ca-key.pem") });
  const output = ({ stdout, stderr }: CommandResult) => `${stdout}${stderr}`;
  const failing = { check: false } as const;
  const run = (...args: string[]) => cluster.project.run("npm", ["run", "-s", ...args], failing);
  const inside = async (agent: string, command: string): Promise<string> =>
    (await cluster.docker(agent, "exec", agent, "sh", "-c", command)).stdout.trim();

  /** Has the product's own code issue all certificates, so that they end in so many milliseconds, and deploys them. */
  async function certificatesEndIn(milliseconds: number): Promise<Date> {
    const issued = mkdtempSync(join(cluster.project.folder, "issued-"));
    const now = new Date(Date.now() - LIFE.certificate + milliseconds);
    for (const holder of holdersOf(defineCluster(cluster.file))) {
      const { cert, key } = await issue(authority(), holder, now);
      writeFileSync(join(issued, `${holder.name}.pem`), cert);
      writeFileSync(join(issued, `${holder.name}-key.pem`), key, { mode: 0o600 });
    }
    await cluster.secrets("rotate", "certificates", "--certificates", issued);
    await cluster.deploy();
    return new Date(new X509Certificate(stored("operator/cert.pem")).validTo);
  }

  /** Replaces the CA by one that ends soon, and with it all certificates. */
  async function caEndsIn(milliseconds: number): Promise<Date> {
    const made = mkdtempSync(join(cluster.project.folder, "ca-"));
    const { cert, key } = await makeCa(cluster.file.name, new Date(Date.now() - LIFE.ca + milliseconds));
    writeFileSync(join(made, "ca.pem"), cert);
    writeFileSync(join(made, "ca-key.pem"), key, { mode: 0o600 });
    const own = ["--ca", join(made, "ca.pem"), "--ca-key", join(made, "ca-key.pem")];
    for (const words of [["rotate", "ca", ...own], ["rotate", "certificates"], ["revoke"]]) {
      await cluster.secrets(...words);
      await cluster.deploy();
    }
    return new Date(new X509Certificate(cert).validTo);
  }

  async function untilAfter(date: Date): Promise<void> {
    await pause(Math.max(0, date.getTime() - Date.now()) / SECOND_MS + 1);
  }

  /** A moment at which all connections end: every agent restarts, as after a power cut. */
  const restartAll = () =>
    Promise.all(cluster.agentNames.map((name) => cluster.docker(name, "restart", "-t", "5", name)));

  const leaderOf = (server: string) => inside(server, "curl -sS http://127.0.0.1:8500/v1/status/leader");

  /** Expects that the servers reject each other's certificates. */
  async function expectNoTrust(): Promise<void> {
    for (const server of cluster.serverNames)
      await eventually(async () => {
        const log = await cluster.docker(server, "logs", "--since", "60s", server);
        expect(output(log)).toContain("certificate has expired or is not yet valid");
      }, 60);
    await pause(5);
    for (const server of cluster.serverNames) expect(await leaderOf(server)).toBe('""');
  }

  /**
   * Does the runbook's steps. No server restarts, and no container is replaced.
   * @returns what the first step printed
   */
  async function renewed(): Promise<string> {
    // The last one is for a replaced CA.
    const [renew, deploy, restart = "", , ...others] = page.commands("## Steps");
    expect(others).toEqual([]);
    const before = await cluster.incarnations();
    const printed = await cluster.type(renew as string);
    const [, delivered = "", restarted = ""] = page.outputs("## Steps");
    expectPrinted(delivered, await cluster.type(deploy as string));
    await eventually(async () => {
      for (const server of cluster.serverNames) expect(await leaderOf(server)).not.toBe('""');
    }, 60);
    const after = await cluster.incarnations();
    for (const [agent, incarnation = ""] of Object.entries(before)) {
      const [id] = incarnation.split(" ");
      if (cluster.serverNames.includes(agent)) expect(after[agent]).toBe(incarnation);
      else expect(after[agent]?.split(" ")[0]).toBe(id);
    }
    expect(restart).toContain("consul-client1");
    expectPrinted(restarted, await cluster.type(restart));
    return printed;
  }

  async function verified(): Promise<void> {
    const printed = await cluster.type(page.commands("## Verification").join(""));
    expect(printed).not.toMatch(/certificate|no leader/);
  }

  /** Users work for a moment, so that there is something that could be lost. */
  const worked = (): Promise<Seen> => cluster.during(() => pause(3));

  /** Milliseconds of a command and a deploy: what is to expire must not do so before it is deployed. */
  let deploying = 0;

  beforeAll(async () => {
    const settings = { private_folder: "../consul-private" } as const;
    cluster = await LiveCluster.up(testBed, "expired", { security: "on", settings });
    page = Page.open("docs/expired-certificates.md", cluster.project);
    const begun = Date.now();
    await cluster.deploy();
    deploying = 5 * SECOND_MS + 1.5 * (Date.now() - begun);
  });
  afterAll(() => cluster.down());

  test("within 30 days: check, status, deploy and metrics warn, and a nightly job renews them while users work", async () => {
    await certificatesEndIn(20 * DAY_MS);
    const day = new X509Certificate(stored("operator/cert.pem")).validTo;
    const until = new Date(day).toISOString().slice(0, 10);
    const warning = `certificate-expiring: expires on ${until}`;
    expect(output(await run("secrets", "--", "check"))).toContain(warning);
    const status = await run("status");
    expect(output(status)).toContain(`its certificate expires on ${until}`);
    expect(output(status)).toContain(`operator/cert.pem expires on ${until}`);
    expect(status.exitCode).toBe(0);
    expect(output(await run("deploy", "--", "--auto-approve"))).toContain(warning);
    const metrics = (await run("status", "--", "--prometheus")).stdout;
    const exported = new RegExp(`file="operator/cert.pem"[^\n]*} ${Date.parse(day) / SECOND_MS}`);
    expect(metrics).toMatch(exported);

    const seen = await cluster.during(async () => {
      const touched = await cluster.touchedBy(async () => {
        const { made, waiting } = JSON.parse((await cluster.secrets(...NIGHTLY, "--json")).stdout);
        expect(made).toHaveLength(cluster.serverNames.length + 1);
        expect(waiting).toEqual([]);
        await cluster.project.npmDeploy();
      });
      expect(touched).toEqual([]);
    });
    expectUndisturbed(seen);
    expect(seen.users.failed).toBe(0);
    expect((await cluster.secrets(...NIGHTLY)).stdout).toContain("nothing to do");
    expect(output(await run("status"))).not.toContain("expires on");
    await cluster.expectSound(seen);
  });

  test("all of the servers and the operator: one command and a deploy renew them, and no container restarts", async () => {
    const ends = await certificatesEndIn(2 * deploying);
    const seen = await worked();
    await untilAfter(ends);
    // As long as connections last, the cluster goes on.
    expect(output(await run("status"))).toContain("its certificate expired on");
    await restartAll();
    await expectNoTrust();
    expect(output(await run("status"))).toContain("a certificate has expired, or the clock of a host is wrong");
    const refused = await run("deploy", "--", "--auto-approve");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("certificate-expired");

    const [checked = ""] = page.outputs("## Check");
    expectPrinted(checked, await cluster.type(page.commands("## Check").join(""), failing));

    const before = stored("ca.pem");
    const printed = await renewed();
    expectPrinted(page.outputs("## Steps")[0] as string, printed);
    expect(stored("ca.pem")).toBe(before);
    // The other client agent tries again by itself.
    await eventually(async () => expect(await leaderOf("consul-client2")).not.toBe('""'), 120);
    await cluster.expectSound(seen);
    await verified();
  });

  test("with the CA: a new one is trusted by a reload, and agents find each other", async () => {
    const ends = await caEndsIn(4 * deploying);
    const seen = await worked();
    await untilAfter(ends);
    await restartAll();
    await expectNoTrust();
    expect(output(await run("secrets", "--", "check"))).toContain("the newest CA expired on");

    expect(await renewed()).toContain("created  ca.pem, ca-key.pem: a new CA in front, until ");
    // The deploy has started it again, because it waited for a certificate of the old CA.
    await eventually(async () => expect(await leaderOf("consul-client2")).not.toBe('""'), 60);
    await cluster.expectSound(seen);
    const revoke = page.commands("## Steps")[3] as string;
    let printed = "";
    const revoking = async () => {
      printed = await cluster.type(revoke);
    };
    expect(await cluster.touchedBy(revoking)).toEqual([]);
    expectPrinted(page.outputs("## Steps")[3] as string, printed);
    await cluster.expectWhole();
    expect((await cluster.secrets("check")).stdout).toContain("nothing is wrong");
    await verified();
  });

  test("no command of the page was left out", () => {
    // The first test runs the job's two commands, of which it reads the first one's JSON.
    page.leaveOut("## Renewing in time");
    expect(page.untyped).toEqual([]);
  });
});
