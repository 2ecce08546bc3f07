import { authorize, readable, readJson } from "../../../rollout/reconcile/management";
import { SimulatedObjects } from "./simulated-objects";

const MANAGEMENT = [{ ID: "00000000-0000-0000-0000-000000000001", Name: "global-management" }];
const OTHER = [{ ID: "p", Name: "dns" }];

describe("the authority to change the cluster's objects", () => {
  const authority = (cluster: SimulatedObjects, secretIds?: Parameters<typeof authorize>[1]) =>
    cluster.simulation.until(authorize(cluster.api, secretIds));
  const given = { current: {}, retiring: ["secret-x", "secret-former"] };

  test("needs no token without security, but a leader", async () => {
    const cluster = new SimulatedObjects();
    expect(await authority(cluster)).toBe("management");
    cluster.hasLeader = false;
    expect(await authority(cluster)).toBe(undefined);
  });
  test("is the management token's, if the cluster knows it", async () => {
    const cluster = new SimulatedObjects();
    for (const SecretID of ["secret-former", "secret-m"]) cluster.tokens.push({ SecretID, Policies: MANAGEMENT });
    expect(await authority(cluster, given)).toBe("management");
  });
  test("is that of the retiring management token, if the cluster only knows that", async () => {
    const cluster = new SimulatedObjects();
    cluster.tokens.push({ SecretID: "secret-x", Policies: OTHER }, { SecretID: "secret-former", Policies: MANAGEMENT });
    expect(await authority(cluster, given)).toEqual({ secretId: "secret-former" });
  });
  test("is nobody's, if the cluster knows neither", async () => {
    const cluster = new SimulatedObjects();
    cluster.tokens.push({ SecretID: "secret-x", Policies: OTHER });
    expect(await authority(cluster, given)).toBe(undefined);
  });
});

describe("an object", () => {
  const object = (cluster: SimulatedObjects, absent?: object) =>
    cluster.simulation.until(readable(readJson<object>(cluster.api, "/v1/kv/a", "management", absent)));

  test("that does not exist has a default, or a reason", async () => {
    const cluster = new SimulatedObjects();
    expect(await object(cluster, { a: 1 })).toEqual({ a: 1 });
    expect(await object(cluster)).toBe("/v1/kv/a: 404:");
  });
  test("that exists has its own value", async () => {
    const cluster = new SimulatedObjects();
    cluster.kv.set("a", { b: 2 });
    expect(await object(cluster, { a: 1 })).toEqual({ b: 2 });
  });
  test("that a defect of the program hides is no answer", () =>
    expect(readable(Promise.reject(new TypeError("defect")))).rejects.toThrow("defect"));
});
