import { backupsContainer, hostId, hostOfAlias, imageId, stackName } from "../../consul/contract";

test("a host's stack is named after its cluster and group, and nothing else", () => {
  expect([stackName("c", undefined), stackName("c", "rack1")]).toEqual(["c", "c-rack1"]);
});
test.each([
  ["nginx", "nginx"],
  ["gliderlabs/registrator:latest", "gliderlabs-registrator-latest"],
  ["registry:5000/a/b_c@sha256:0f", "registry-5000-a-b-c-sha256-0f"],
])("the image %s is %s in an id", (image, id) => expect(imageId(image)).toBe(id));
test("the container and the volume of scheduled backups are named after the server's container", () =>
  expect(backupsContainer("co")).toBe("co-backups"));
test("a provider's alias identifies its host", () =>
  expect(hostOfAlias(hostId("consul-server1"))).toBe("consul-server1"));
