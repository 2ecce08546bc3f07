import { operatorScript, type Run, runAsTerraform } from "../../docker-stand-in";

const give = ({ docker = ":", env = {} }: Pick<Run, "docker" | "env">) =>
  runAsTerraform({
    script: operatorScript("docker", "deliver-token"),
    docker,
    env: {
      ...{
        GIVE_FILE: "../secrets/registrator.token",
        GIVE_PLACE: "/registrator.token",
        GIVE_DOCKER: "-H ssh://root@10.0.0.4",
      },
      ...{ GIVE_CONTAINER: "registrator", GIVE_SECONDS: "0", ...env },
    },
  });

test("the token goes into the container as a file, and registrator starts again: no secret is an argument", () => {
  const { status, calls, stdout } = give({});
  expect(status).toBe(0);
  expect(calls).toEqual([
    "-H ssh://root@10.0.0.4 cp ../secrets/registrator.token registrator:/registrator.token",
    "-H ssh://root@10.0.0.4 restart -t 5 registrator",
  ]);
  expect(stdout).toBe("registrator: has its token\n");
});
test("registrator is not restarted if its token could not be delivered", () => {
  const { status, calls, stderr } = give({ docker: "echo 'no such container' >&2; exit 1" });
  expect([status, calls.length]).toEqual([1, 1]);
  expect(stderr).toBe("registrator: its token cannot be delivered: no such container\n");
});
test("an unreachable daemon is tried again", () => {
  const { status, calls } = give({ docker: "[ $calls -ge 2 ]", env: { GIVE_SECONDS: "9" } });
  expect([status, calls.length]).toEqual([0, 3]);
});
