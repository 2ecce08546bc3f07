import { pullImage } from "../../rollout/image-pull";
import { FakeDocker, failed } from "./docker-fake";
import { Simulation } from "./simulation";

const INSPECT = "image inspect -f {{.Id}} consul:next";
const PULL = "pull -q consul:next";

async function pull(docker: FakeDocker, seconds = 60) {
  const log: string[] = [];
  const simulation = new Simulation();
  const wanted = { container: "s1", image: "consul:next", seconds };
  const outcome = await simulation.until(pullImage(wanted, docker, simulation.clock, (line) => log.push(line)));
  return { outcome, log, seconds: simulation.seconds };
}

test("an image that the host has is not pulled", async () => {
  const docker = new FakeDocker(() => "sha256:a\n");
  expect(await pull(docker)).toEqual({
    outcome: { kind: "pulled", id: "sha256:a", wasThere: true },
    log: [],
    seconds: 0,
  });
  expect(docker.lines()).toEqual([INSPECT]);
});

test("an image that the host does not have is pulled, for longer than the docker CLI has otherwise", async () => {
  const docker = new FakeDocker((_, calls) => (calls === 1 ? failed("No such image") : "sha256:a"));
  expect((await pull(docker)).outcome).toEqual({ kind: "pulled", id: "sha256:a", wasThere: false });
  expect(docker.lines()).toEqual([INSPECT, PULL, INSPECT]);
  expect(docker.calls[1]?.seconds).toBe(120);
});

test("a pull that fails is tried again, and the provider's own pull counts; each reason is logged once", async () => {
  const docker = new FakeDocker((line, calls) => (line === INSPECT && calls > 6 ? "sha256:a" : failed("unauthorized")));
  expect(await pull(docker)).toEqual({
    outcome: { kind: "pulled", id: "sha256:a", wasThere: false },
    log: ["s1: waiting for consul:next: unauthorized"],
    seconds: 15,
  });
});

test("an image that cannot be pulled in time denies the stop", async () => {
  const docker = new FakeDocker(() => failed("manifest unknown"));
  expect(await pull(docker, 20)).toMatchObject({
    outcome: { kind: "deny", reason: "consul:next cannot be pulled to its host: manifest unknown" },
    seconds: 20,
  });
});

test("a pull whose image the daemon does not list afterwards is no success", async () => {
  const docker = new FakeDocker(() => "");
  expect((await pull(docker, 0)).outcome).toMatchObject({
    reason: "consul:next cannot be pulled to its host: the daemon does not list it after the pull",
  });
});
