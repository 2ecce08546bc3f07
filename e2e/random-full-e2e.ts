import { FAULTS, type Fault } from "./faults";
import { LiveCluster } from "./live-cluster";
import { Random } from "./random";
import { TestBed } from "./test-bed/test-bed";

const ROUNDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

describe.each([3, 5])("ten faults in a row, chosen at random, with %i servers", (servers) => {
  const testBed = TestBed.standing();
  const random = Random.seeded();
  let cluster: LiveCluster;

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, `random${servers}`, { servers, clients: 2 });
  });
  afterAll(() => cluster.down());

  test.each(ROUNDS)("the %i.", async () => {
    const name = random.pick(Object.keys(FAULTS));
    process.stderr.write(`    ${name}\n`);
    await cluster.bear(() => (FAULTS[name] as Fault)(cluster, random));
  });
});
