import { containerReport } from "../../rollout/container-report";
import { FakeDocker, failed } from "./docker-fake";

const STATE = { status: "running", exitCode: 0, outOfMemory: false, error: "", restarts: 0 };
type Answer = ReturnType<FakeDocker["answer"]>;

const reported = (state: object | Answer, logs: Answer = "") => {
  const inspect = typeof state === "object" && !("ok" in state) ? JSON.stringify(state) : (state as Answer);
  return containerReport(new FakeDocker((line) => (line.startsWith("container inspect") ? inspect : logs)), "s1");
};
const report = async (state: object | Answer, logs: Answer = "") => (await reported(state, logs)).lines.join("\n");

/** Lines of a log, one a second. */
const log = (...lines: string[]) =>
  lines.map((line, at) => `2026-11-28T21:00:${String(at).padStart(2, "0")}.000000000Z ${line}\n`).join("");

describe("the state of a container", () => {
  test.each([
    [STATE, "its container is running"],
    [{ ...STATE, restarts: 3 }, "its container is running, restarted 3 times"],
    [
      { ...STATE, status: "restarting", exitCode: 1, restarts: 4 },
      "its container is restarting, exit code 1, restarted 4 times",
    ],
    [
      { ...STATE, status: "exited", exitCode: 137, outOfMemory: true },
      "its container has exited, exit code 137, killed because it had no memory left",
    ],
    [
      { ...STATE, status: "created", exitCode: 127, error: "port 8500 is in use" },
      "its container is created, exit code 127, Docker's error: port 8500 is in use",
    ],
  ])("is told: %j", async (state, expected) => {
    expect((await report(state)).split("\n")).toEqual([expected, "its log is empty"]);
  });

  test("is not told if it cannot be inspected", async () => {
    expect(await report(failed("no route"))).toBe("its container cannot be inspected: no route");
    expect(await report("no JSON")).toBe("its container cannot be inspected: it tells no state");
  });
});

describe("the log", () => {
  const lines = async (logs: Answer) =>
    (await report(STATE, logs)).split("\n").filter((line) => !/^(its container|reason:|hint:)/.test(line));

  test("shows its last problems, of both outputs in their order", async () => {
    const output = log("==> Starting", "[WARN]  agent: a", "[INFO]  agent: b", "[ERROR] agent: c");
    const errorOutput = "2026-11-28T21:00:02.500000000Z Error: d\n2026-11-28T21:00:02.500000000Z failed e\n";
    expect(await lines({ output, errorOutput })).toEqual([
      "last problems in its log:",
      "  [WARN]  agent: a",
      "  Error: d",
      "  failed e",
      "  [ERROR] agent: c",
    ]);
  });

  test("shows problems of logs in JSON", async () => {
    const problem = '{"@level":"warn","@message":"a"}';
    expect(await lines(log('{"@level":"info","@message":"b"}', problem))).toEqual([
      "last problems in its log:",
      `  ${problem}`,
    ]);
  });

  test("shows at most six problems, and cuts long lines", async () => {
    const all = Array.from({ length: 20 }, (_, at) => `[ERROR] ${at} ${"long ".repeat(100)}`);
    const shown = await lines(log(...all));
    expect(shown).toHaveLength(7);
    expect(shown[1]).toMatch(/^ {2}\[ERROR\] 14 /);
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(242);
  });

  test("shows its last lines if there is no problem in it", async () => {
    expect(await lines(log("[INFO] a", "", "[INFO] b", "[INFO] c", "[INFO] d"))).toEqual([
      "last lines of its log:",
      "  [INFO] b",
      "  [INFO] c",
      "  [INFO] d",
    ]);
  });

  test("may be unreadable", async () => {
    expect(await lines(failed("configured logging driver does not support reading"))).toEqual([
      "its log cannot be read: configured logging driver does not support reading",
    ]);
  });

  test("shows neither secrets nor control characters", async () => {
    const secretId = "b1a533c7-e7aa-4c3b-9c11-0a5f2d9a7c01";
    const key = Buffer.alloc(32, "k").toString("base64");
    const shown = (
      await lines(
        log(
          `[ERROR] agent: ACL not found: ${secretId}`,
          `[ERROR] agent: bad key "${key}"`,
          "[ERROR] agent: http://user:hunter2@example.com failed",
          "[ERROR] agent: join=provider=aws secret_access_key=hunter3",
          "[ERROR] -----BEGIN EC PRIVATE KEY-----",
          "hunter4",
          "-----END EC PRIVATE KEY-----",
          "\u001b[31m[ERROR]\u001b[0m red\u0007",
        ),
      )
    ).join("\n");
    for (const secret of [secretId, key, "hunter"]) expect(shown).not.toContain(secret);
    expect(shown).toContain("ACL not found: ***");
    expect(shown).toContain("\n  [ERROR] red");
  });
});
