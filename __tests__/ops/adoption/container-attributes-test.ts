import { comparedFiles, containerAttributes } from "../../../ops/adoption/container-attributes";
import type { Container } from "../../../ops/docker/container";
import { sha256 } from "../../../ops/sha256";

const HASHED = "digest\n";
/** What a plan would create. */
const PLANNED = {
  name: "s1",
  destroy_grace_seconds: 30,
  env: ["A=1"],
  labels: [{ label: "role", value: "server" }],
  log_opts: { "max-file": "3" },
  volumes: [
    { container_path: "/consul/data", volume_name: "s1-data", host_path: "", read_only: null },
    { container_path: "/srv", volume_name: "", host_path: "/srv/consul/", read_only: null },
  ],
  networks_advanced: [{ name: "net", ipv4_address: "10.0.0.2" }],
  upload: [
    { file: "/agent.json", content: "{}", source_hash: "" },
    { file: "/health.sh", content: "", source: "./health.sh", source_hash: sha256("script") },
    { file: "/secret", content: "", source: "../secret", source_hash: "" },
    { file: "/token", content: "", source: "../token", source_hash: sha256(sha256(HASHED)) },
  ],
};
/** A container that was created by that plan. */
const container = {
  Id: "1f",
  Image: "sha256:2e",
  Config: { Env: ["A=1", "PATH=/bin"], Labels: { role: "server", version: "1" } },
  HostConfig: {
    Binds: ["s1-data:/consul/data:rw", "/srv/consul:/srv:rw"],
    LogConfig: { Config: { "max-file": "3" } },
  },
  NetworkSettings: { Networks: { net: { IPAMConfig: { IPv4Address: "10.0.0.2" } } } },
} as unknown as Container;
const image = { Env: ["PATH=/bin"], Labels: { version: "1" } };
const FILES = { "/agent.json": "{}", "/health.sh": "script", "/token": HASHED };

const attributes = (
  files: Readonly<Record<string, string>> = FILES,
  config: object = {},
  hostConfig: object = {},
  rest: object = {},
) =>
  containerAttributes(PLANNED, {
    container: {
      ...container,
      Config: { ...container.Config, ...config },
      HostConfig: { ...container.HostConfig, ...hostConfig },
      ...rest,
    },
    image,
    files: new Map(Object.entries(files)),
  });

test("a container that is as planned has what is planned, and its own ids", () =>
  expect(attributes()).toEqual({ ...PLANNED, id: "1f", image: "sha256:2e" }));

test.each<[string, ReturnType<typeof attributes>, object]>([
  ["variables", attributes(FILES, { Env: ["B=2", "PATH=/bin"] }), { env: ["B=2"] }],
  [
    "labels, without those of its image",
    attributes(FILES, { Labels: { mine: "x", version: "1" } }),
    { labels: [{ label: "mine", value: "x" }] },
  ],
  ["log options", attributes(FILES, {}, { LogConfig: { Config: null } }), { log_opts: {} }],
  [
    "volumes and folders",
    attributes(FILES, {}, { Binds: ["old-data:/consul/data:rw", "/etc/x:/x:ro"] }),
    {
      volumes: [
        expect.objectContaining({ container_path: "/consul/data", volume_name: "old-data", host_path: "" }),
        expect.objectContaining({ container_path: "/x", volume_name: "", host_path: "/etc/x", read_only: true }),
      ],
    },
  ],
  [
    "its address in a network",
    attributes(FILES, {}, {}, { NetworkSettings: { Networks: { net: { IPAMConfig: { IPv4Address: "10.0.0.9" } } } } }),
    { networks_advanced: [{ name: "net", ipv4_address: "10.0.0.9" }] },
  ],
  [
    "networks that it has not joined",
    attributes(FILES, {}, {}, { NetworkSettings: { Networks: {} } }),
    { networks_advanced: [] },
  ],
])("where a container differs, the state has the container's %s", (_, found, expected) =>
  expect(found).toMatchObject(expected),
);

test("of an uploaded file that differs, the state has what the container has; of secrets without a hash, what is planned", () => {
  const [config, script, secret, ...rest] = PLANNED.upload;
  expect(attributes({ "/agent.json": '{"a":1}', "/health.sh": "older" }).upload).toEqual([
    { ...config, content: '{"a":1}' },
    { ...script, source_hash: sha256("older") },
    secret,
  ]);
  expect(rest).toHaveLength(1);
});

test("files are compared that have a content or a hash", () =>
  expect(comparedFiles(PLANNED)).toEqual(["/agent.json", "/health.sh", "/token"]));
