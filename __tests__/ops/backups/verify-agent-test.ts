import { rootIds, whyNotVerified } from "../../../ops/backups/verify-agent";
import type { ConsulAnswer, ConsulRequest } from "../../../rollout/consul-api";
import { Simulation } from "../../rollout/simulation";

const TOKENS = JSON.stringify({ acl: { tokens: { agent: "own" } } });
const WRONG_CA = "it trusts another Connect CA than the servers have";

interface Given {
  /** The file of the agent's own tokens. */
  readonly tokens?: string;
  /** The token that the servers accept. */
  readonly accepted?: string;
  /** Roots that the servers have. */
  readonly roots?: string;
  readonly leader?: (seconds: number) => string;
}

/** Verifies an agent that trusts the roots aa and bb. */
async function verify({ tokens = TOKENS, accepted = "own", roots = "", leader = () => "10.0.0.1:8300" }: Given) {
  const simulation = new Simulation();
  const sent: ConsulRequest[] = [];
  const answer = ({ path, authority }: ConsulRequest): ConsulAnswer => {
    const secretId = typeof authority === "object" ? authority.secretId : authority;
    if (path === "/v1/status/leader") return { status: 200, body: JSON.stringify(leader(simulation.seconds)) };
    if (path === "/v1/acl/token/self") return { status: secretId === accepted ? 200 : 403, body: "{}" };
    if (path === "/v1/agent/connect/ca/roots" && roots !== "none")
      return { status: 200, body: '{"Roots":[{"ID":"bb"},{"ID":"aa"}]}' };
    return { status: 500, body: "" };
  };
  const api = {
    send: async (request: ConsulRequest) => {
      sent.push(request);
      return answer(request);
    },
  };
  const readSecret = async (name: string) => (name === "tokens.json" ? tokens : "");
  const reason = await simulation.until(whyNotVerified({ api, readSecret }, roots, 5, simulation.clock));
  return { reason, seconds: simulation.seconds, sent };
}

test("an agent is verified when the servers accept its token and it trusts their roots", async () => {
  const { reason, seconds, sent } = await verify({ roots: "aa bb" });
  expect([reason, seconds]).toEqual([undefined, 0]);
  // With a token, the answer could come from an entry of the agent's cache that it does not use itself.
  expect(sent.at(-1)).toMatchObject({ path: "/v1/agent/connect/ca/roots", authority: "anonymous" });
});

test("an agent without security needs a leader alone", async () => {
  const { reason, sent } = await verify({ tokens: "" });
  expect([reason, sent.map(({ path }) => path)]).toEqual([undefined, ["/v1/status/leader"]]);
});

test.each<[string, Given]>([
  ["it knows no leader", { leader: () => "" }],
  ["the servers do not accept its token", { accepted: "other" }],
  ["the servers do not accept its token", { tokens: "half a fi" }],
  [WRONG_CA, { roots: "cc" }],
  [WRONG_CA, { roots: "none" }],
])("otherwise the reason is given after its time: %s", async (why, given) => {
  expect(await verify(given)).toMatchObject({ reason: why, seconds: 5 });
});

test("it is asked again until it knows a leader", async () => {
  expect(await verify({ leader: (seconds) => (seconds < 3 ? "" : "10.0.0.1:8300") })).toMatchObject({
    reason: undefined,
    seconds: 3,
  });
});

test("roots are compared in the order of their IDs", () =>
  expect([rootIds({ Roots: [{ ID: "b" }, { ID: "a" }] }), rootIds({ Roots: null }), rootIds({})]).toEqual([
    "a b",
    "",
    "",
  ]));
