import { ImageReference } from "../../constructs/image-reference";

describe("an image's name is parsed as in Docker", () => {
  test.each([
    ["consul", "docker.io", "library/consul", ""],
    ["nginx:1.29", "docker.io", "library/nginx", ":1.29"],
    ["hashicorp/consul:1.22.2", "docker.io", "hashicorp/consul", ":1.22.2"],
    ["docker.io/hashicorp/consul", "docker.io", "hashicorp/consul", ""],
    ["registry.example.com/a/b/c:v1", "registry.example.com", "a/b/c", ":v1"],
    ["registry:5000/a", "registry:5000", "a", ""],
    ["localhost/a:1", "localhost", "a", ":1"],
    ["[fd00::1]:5000/a:1", "[fd00::1]:5000", "a", ":1"],
    ["a@sha256:0f", "docker.io", "library/a", "@sha256:0f"],
    ["a/b:1@sha256:0f", "docker.io", "a/b", ":1@sha256:0f"],
  ])("%s", (reference, registry, repository, version) => {
    expect(ImageReference.parse(reference)).toMatchObject({ registry, repository, version });
  });
});

describe("through a mirror", () => {
  const through = (image: string, mirror?: string) => ImageReference.parse(image).through(mirror).toString();

  test("an image of Docker Hub is pulled from it", () =>
    expect(through("hashicorp/consul:1", "mirror:5000")).toBe("mirror:5000/hashicorp/consul:1"));
  test("an official image is pulled by its full name", () =>
    expect(through("nginx", "mirror:5000/hub")).toBe("mirror:5000/hub/library/nginx"));
  test("another registry's image does not change", () =>
    expect(through("ghcr.io/a/b:1", "mirror:5000")).toBe("ghcr.io/a/b:1"));
  test("a digest does not change", () =>
    expect(through("a/b@sha256:0f", "mirror:5000")).toBe("mirror:5000/a/b@sha256:0f"));
});

test.each(["nginx", "hashicorp/consul:1.22.2", "ghcr.io/a/b:1"])(
  "without one, %s is pulled as it is written",
  (image) => {
    expect(ImageReference.parse(image).through(undefined).toString()).toBe(image);
  },
);
test("`docker.io/library/` is omitted, as in `docker images`", () =>
  expect(ImageReference.parse("docker.io/library/nginx:1").toString()).toBe("nginx:1"));
