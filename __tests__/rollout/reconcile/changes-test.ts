import { type ConsulApi, type ConsulRequest, Unreachable } from "../../../rollout/consul-api";
import { applyChanges, type Change, formatAnswer, formatFailures, replyTo } from "../../../rollout/reconcile/changes";

const PUT: Change = { method: "PUT", path: "/v1/a", body: "text" };
const DELETE: Change = { method: "DELETE", path: "/v1/b" };

test("all changes are made in their order, with the given authority and 10 s each, and the failed ones are returned", async () => {
  const requests: ConsulRequest[] = [];
  const api: ConsulApi = {
    send: async (request) => {
      requests.push(request);
      return request.method === "PUT" ? { status: 500, body: "no\nleader " } : { status: 200, body: "" };
    },
  };
  expect(await applyChanges([PUT, DELETE], api, "management")).toEqual([{ change: PUT, reason: "500: no leader" }]);
  expect(requests).toEqual([PUT, DELETE].map((change) => ({ ...change, authority: "management", waitSeconds: 5 })));
});

describe("a request without an answer", () => {
  const failing = (error: Error): ConsulApi => ({ send: () => Promise.reject(error) });
  const request = { method: "GET", path: "/v1/a" } as const;

  test("has status 0 and the reason", async () =>
    expect(await replyTo(failing(new Unreachable("gone")), request)).toEqual({ status: 0, body: "gone" }));
  test("because of a defect in the program fails", () =>
    expect(replyTo(failing(new TypeError("defect")), request)).rejects.toThrow("defect"));
});

test.each([
  [{ status: 0, body: "gone" }, "gone"],
  [{ status: 200, body: "false\n" }, "false"],
  [{ status: 400, body: "a\n\tb" }, "400: a b"],
])("the answer %j is formatted", (answer, text) => expect(formatAnswer(answer)).toBe(text));

describe("failed changes are formatted by their names", () => {
  test.each([
    ["text", "PUT /v1/a: why"],
    [undefined, "PUT /v1/a: why"],
    [{ kind: "service-defaults", name: "web" }, "PUT /v1/a of service-defaults web: why"],
    [{ Name: "near", Description: "d" }, "PUT /v1/a of near: why"],
    [{ Description: "consul-cdktf: dns", SecretID: "secret" }, "PUT /v1/a of consul-cdktf: dns: why"],
    [{}, "PUT /v1/a of : why"],
  ])("%j", (body, text) => {
    expect(formatFailures([{ change: { ...PUT, body }, reason: "why" }])).toBe(text);
  });
  test("as one line, up to 400 characters", () => {
    const failure = { change: DELETE, reason: "why" };
    expect(formatFailures([failure, failure])).toBe("DELETE /v1/b: why DELETE /v1/b: why");
    expect(formatFailures(Array.from({ length: 99 }, () => failure))).toHaveLength(400);
  });
});
