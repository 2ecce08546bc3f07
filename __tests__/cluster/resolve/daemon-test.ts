import { daemonOf } from "../../../cluster/resolve/daemon";

const host = { name: "h1", address: "fd00::1" };

test.each([
  ["unix:///var/run/docker.sock", { kind: "unix", url: "unix:///var/run/docker.sock" }],
  ["ssh://root@{address}:22", { kind: "ssh", url: "ssh://root@[fd00::1]:22" }],
  ["ssh://{host}.example.com", { kind: "ssh", url: "ssh://h1.example.com" }],
  ["tcp://{address}:2376", { kind: "tls", url: "tcp://[fd00::1]:2376", certs: "~/.docker" }],
  ["tcp+insecure://{address}:2375", { kind: "plain", url: "tcp://[fd00::1]:2375" }],
])("%s is read for its host", (url, daemon) => expect(daemonOf(url, host)).toEqual(daemon));

test("the certificates' folder may be named after the host", () => {
  expect(daemonOf({ url: "tcp://h:2376", certs: "tls" }, host).certs).toBe("tls");
});
