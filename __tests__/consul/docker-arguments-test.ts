import { dockerArguments } from "../../consul/docker-arguments";

test.each(["ssh://root@10.0.0.1", "unix:///var/run/docker.sock", "tcp://h:2375"])(
  "the docker CLI reaches %s",
  (url) => {
    expect(dockerArguments(url, undefined)).toEqual(["-H", url]);
  },
);

test("the docker CLI verifies a daemon with certificates", () => {
  expect(dockerArguments("tcp://h:2376", "/c")).toEqual([
    "-H",
    "tcp://h:2376",
    "--tlsverify",
    "--tlscacert=/c/ca.pem",
    "--tlscert=/c/cert.pem",
    "--tlskey=/c/key.pem",
  ]);
});
