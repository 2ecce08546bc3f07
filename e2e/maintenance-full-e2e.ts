import { eventually } from "./consul";
import { expectUndisturbed, LiveCluster, SECURED } from "./live-cluster";
import { expectPrinted, Page } from "./page";
import { PAYMENTS } from "./payments";
import { HostPrograms } from "./test-bed/host-programs";
import { TestBed } from "./test-bed/test-bed";

/** The page's names, at the test bed. Users work through the first two client agents. */
const HERE = { node1: "consul-server1", node2: "consul-server2", node3: "consul-server3", web1: "consul-client3" };
const NODE1 = HERE.node1;
/** What status shows of a host, as the page says. */
const NOTICE = "it is in maintenance since";

describe("hosts are maintained: docs/maintenance.md, on a secured cluster", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  let page: Page;
  let programs: HostPrograms;

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "payments", {
      clients: 3,
      security: "on",
      settings: { ...PAYMENTS, security: SECURED },
    });
    page = Page.open("docs/maintenance.md", cluster.project, HERE);
    programs = new HostPrograms(Object.values(HERE).map((host) => testBed.host(host)));
  });
  afterAll(async () => {
    await programs.stop();
    await cluster.down();
  });

  const done = (host: string) => programs.done.get(host) ?? 0;
  /** The page's host leads, so that it hands over. */
  async function leadByNode1(): Promise<void> {
    const leader = await cluster.leader();
    if (leader !== NODE1) await cluster.transferLeadership(leader, NODE1);
    await eventually(async () => expect(await cluster.leader()).toBe(NODE1));
  }
  async function expectInUse(): Promise<void> {
    const shown = await page.follow("## Verification");
    expect(shown).toMatch(/^healthy$/m);
    expect(shown).not.toContain(NOTICE);
  }

  test("a maintenance whose host is not touched is given up", async () => {
    await page.follow("## When");
    const checked = await page.follow("## Check");
    expect(checked).toMatch(/^healthy$/m);
    await leadByNode1();
    const seen = await cluster.during(async () => {
      const [begin = ""] = page.commands("## Steps");
      const [shown = ""] = page.outputs("## Steps");
      expectPrinted(shown, await page.type(begin));
      expect(await page.type("npm run status")).toContain(`${NODE1}: ${NOTICE}`);
      await page.type(page.inSentences("## Undo", `npm run maintain -- ${NODE1} --end`));
      await expectInUse();
    });
    expectUndisturbed(seen);
  });

  test("the leader's host is rebooted by the steps, and nobody notices", async () => {
    await leadByNode1();
    const seen = await cluster.during(async () => {
      await page.follow("## Steps");
      expect(done(NODE1)).toBe(1);
      await expectInUse();
    });
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
  });

  test("all hosts are rebooted, and Docker upgraded on one, and nobody notices", async () => {
    const seen = await cluster.during(async () => {
      await page.follow("## All hosts");
      expect(Object.values(HERE).map(done)).toEqual([3, 1, 1, 1]);
      await expectInUse();
    });
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
    expect(page.untyped).toEqual([]);
  });
});
