import { containerState } from "../../rollout/container-state";
import { FakeDocker, failed } from "./docker-fake";

const daemon = (inspect: ReturnType<FakeDocker["answer"]>, list: ReturnType<FakeDocker["answer"]> = "") =>
  new FakeDocker((line) => (line.startsWith("container inspect") ? inspect : list));

test("a running container has an image", async () => {
  expect(await containerState(daemon("running sha256:a\n"), "s1")).toEqual({ kind: "running", image: "sha256:a" });
});

test.each(["exited", "created", "restarting", "dead"])("a container that is %s does not run", async (state) => {
  expect(await containerState(daemon(`${state} sha256:a\n`), "s1")).toEqual({ kind: "stopped", state });
});

test("a container that is paused is a denial: it may go on at any moment", async () => {
  expect(await containerState(daemon("paused sha256:a\n"), "s1")).toEqual({
    kind: "deny",
    reason: "its container is paused",
    hint: "docker unpause s1",
  });
});

test("a container that the daemon does not list is gone, though it lists one with a longer name", async () => {
  const docker = daemon(failed("Error: No such container: s1"), "s10\nother,s1-backups\n");
  expect(await containerState(docker, "s1")).toEqual({ kind: "gone" });
});

test.each([
  ["lists it, and does not inspect it", "s1\n"],
  ["lists it under several names", "other,s1\n"],
  ["gives no list", failed("connection refused")],
])("a daemon that %s is unreachable", async (_, list) => {
  const docker = daemon(failed("no such container: or so it says"), list);
  expect(await containerState(docker, "s1")).toMatchObject({
    kind: "deny",
    reason: "its daemon is unreachable: no such container: or so it says",
  });
});

test("an answer without a state is no state in which it may be stopped", async () => {
  expect(await containerState(daemon("\n", "s1\n"), "s1")).toMatchObject({
    kind: "deny",
    reason: "its daemon is unreachable: it tells no state",
  });
});
