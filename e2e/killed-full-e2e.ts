import { deployKilled, NPM } from "./faults/deploy-killed";
import { LiveCluster } from "./live-cluster";
import { Random } from "./random";
import { TestBed } from "./test-bed/test-bed";

describe("a deploy that is killed", () => {
  const testBed = TestBed.standing();
  const random = Random.seeded();
  let cluster: LiveCluster;

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "killed");
  });
  afterAll(() => cluster.down());

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])("at a random moment, the %i. time, is recovered without a loss", () =>
    cluster.bear(() => deployKilled(cluster, random)),
  );

  test.each([1, 2, 3, 4])("npm run deploy, at a random moment, the %i. time, is recovered without a loss", () =>
    cluster.bear(() => deployKilled(cluster, random, NPM)),
  );
});
