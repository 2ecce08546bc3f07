import { TerraformStack } from "cdktf";
import { BackupSchedule, type BackupScheduleProps } from "../../constructs/backup-schedule";
import { ConsulServer } from "../../constructs/consul-server";
import { DockerHost } from "../../constructs/docker-host";
import { BRIDGE, FOUR_HOSTS, HEAD } from "../cluster-files";
import { type ContainerJson, containersOf, readable, synthesize, synthesizeText } from "../synthesized";

interface Saving extends ContainerJson {
  readonly upload: readonly {
    file: string;
    content: string;
    source?: string;
    source_hash?: string;
    permissions?: string;
  }[];
  readonly networks_advanced?: readonly { name: string; ipv4_address?: string }[];
  readonly lifecycle?: { precondition: readonly { condition: string; error_message: string }[] };
}

/** A schedule in a user's own stack. */
function schedule(props: Partial<BackupScheduleProps> = {}) {
  const { stacks } = synthesize((app) => {
    const stack = new TerraformStack(app, "mine");
    const host = new DockerHost(stack, "h1", { address: "10.0.0.1", daemon: "ssh://root@{address}" });
    const server = new ConsulServer(stack, "s1", { host, bootstrapExpect: 1, container: "co" });
    new BackupSchedule(stack, "s1_backups", { server, ...props });
  });
  const { resource } = stacks.mine as NonNullable<typeof stacks.mine>;
  return { container: resource.docker_container.s1_backups as Saving, images: resource.docker_image };
}

const secured = (text: string): string => text.replace("security: off", "security: on");
const saving = (text: string, id = "s1_backups"): Saving => containersOf(synthesizeText(text))[id] as Saving;

test("the container beside a server has these defaults", () =>
  expect(readable(schedule().container)).toMatchSnapshot());

test("the container uses the server's image, which is pulled once", () => {
  const { container, images } = schedule();
  expect([container.image, Object.keys(images)]).toEqual(["${docker_image.s1.image_id}", ["s1"]]);
});
test("the image can be set", () => {
  const { container, images } = schedule({ image: "hashicorp/consul:1.21.5" });
  expect([container.image, images.s1_backups?.name]).toEqual([
    "${docker_image.s1_backups.image_id}",
    "hashicorp/consul:1.21.5",
  ]);
});
test("the interval and the number of stored snapshots can be set", () => {
  expect(schedule({ every: 5, keep: 2 }).container.command).toEqual(["5", "2", "co-backups"]);
});
test.each([
  ["vol", { container_path: "/consul/backups", volume_name: "vol" }],
  ["/srv/backups", { container_path: "/consul/backups", host_path: "/srv/backups" }],
])("snapshots can be stored in %s", (to, volume) => expect(schedule({ to }).container.volumes).toEqual([volume]));
test("the container has no capability and no port", () => {
  expect(schedule().container).toMatchObject({
    capabilities: { drop: ["ALL"] },
    security_opts: ["no-new-privileges:true"],
  });
  expect(schedule().container).not.toHaveProperty("ports");
});
test("the container has no pre-stop check, and depends on no other container", () => {
  const container = saving(`${FOUR_HOSTS}backups: {}\n`);
  expect(container).not.toHaveProperty("provisioner");
  expect(container).not.toHaveProperty("depends_on");
  expect(JSON.stringify(container)).not.toContain("docker_container.");
});

describe("in a cluster", () => {
  test("exists for each server, and for no client agent", () => {
    const ids = Object.keys(containersOf(synthesizeText(`${FOUR_HOSTS}backups: {}\n`)));
    expect(ids).toEqual(["c1", "s1", "s1_backups", "s2", "s2_backups", "s3", "s3_backups"]);
  });
  test("is in its server's stack, and is removed with a server that leaves", () => {
    const { stacks } =
      synthesizeText(`${HEAD}hosts: { s1: 10.0.0.1, s2: { address: 10.0.0.2, group: rack }, s3: 10.0.0.3, s4: 10.0.0.4 }
servers: [s1, s2, s3, { name: s4, decommission: true }]
join: [s1, s2, s3]
backups: {}
`);
    expect(Object.keys(stacks.c?.resource.docker_container ?? {})).toEqual([
      "s1",
      "s1_backups",
      "s3",
      "s3_backups",
      "s4",
    ]);
    expect(Object.keys(stacks["c-rack"]?.resource.docker_container ?? {})).toEqual(["s2", "s2_backups"]);
  });
  test("escapes text of the cluster file for Terraform", () => {
    expect(saving(`${FOUR_HOSTS}backups: { to: "/srv/\${x}" }\n`).volumes).toEqual([
      { container_path: "/consul/backups", host_path: "/srv/$${x}" },
    ]);
  });
});

describe("reaches its server", () => {
  const api = (text: string) => saving(text).env;
  test("on the host's loopback, with security too", () => {
    expect(api(`${FOUR_HOSTS}backups: {}\n`)).toBeUndefined();
    expect(api(`${secured(FOUR_HOSTS)}backups: {}\n`)).toBeUndefined();
  });
  test("at the server's own client address", () => {
    expect(
      api(`${FOUR_HOSTS}client_addr: 10.9.9.9\nports: { http: 9500 }\nignore: [open-http]\nbackups: {}\n`),
    ).toEqual(["CONSUL_HTTP_ADDR=http://10.9.9.9:9500"]);
  });
  const bridged = `${BRIDGE}servers: [{ name: s1, host: local, container: co }]\nbackups: {}\n`;
  test("by its container's name in a bridge network, with security by HTTPS", () => {
    expect(api(bridged)).toEqual(["CONSUL_HTTP_ADDR=http://co:8500"]);
    expect(api(secured(bridged))).toEqual(["CONSUL_HTTP_ADDR=https://co:8501"]);
  });
  test("unless the server's API listens in its own container alone", () => {
    expect(() =>
      synthesize((app) => {
        const stack = new TerraformStack(app, "mine");
        const host = new DockerHost(stack, "h1", {
          address: "10.0.0.1",
          daemon: "ssh://root@{address}",
          bridge: "net",
        });
        new BackupSchedule(stack, "b", {
          server: new ConsulServer(stack, "s1", { host, bootstrapExpect: 1, clientAddr: "127.0.0.1" }),
        });
      }),
    ).toThrow("mine/b: the API of mine/s1 cannot be reached from another container");
  });
});

test("in a bridge network each container has its own address, which no agent has", () => {
  const containers = containersOf(
    synthesizeText(
      `${BRIDGE}servers: [{ name: s1, host: local }, { name: s2, host: local }, { name: s3, host: local }]\nbackups: {}\n`,
    ),
  );
  const addresses = Object.values(containers).map((one) => (one as Saving).networks_advanced?.[0]?.ipv4_address);
  expect(new Set(addresses.filter((address) => /^172\.30\.86\.\d+$/.test(address ?? ""))).size).toBe(6);
});

describe("with security", () => {
  const text = `${secured(FOUR_HOSTS)}backups: {}\n`;
  test("the container has its own token in a file, which is not in the JSON; a new token recreates the container", () => {
    const [, token, ...more] = saving(text).upload;
    expect(more).toEqual([]);
    expect(token).toMatchObject({
      file: "/consul/secrets/backups.header",
      source: "../../../secrets/c/backups.header",
      permissions: "0400",
    });
    expect(token?.source_hash).toContain('filesha256("../../../secrets/c/${name}")');
  });
  test("the container has its server's certificate if the server has HTTPS only", () => {
    const { upload, lifecycle } = saving(secured(`${BRIDGE}servers: [{ name: s1, host: local }]\nbackups: {}\n`));
    expect(upload.slice(2).map(({ source }) => source)).toEqual(
      ["ca.pem", "cert.pem", "key.pem"].map((file) => `../../../secrets/c/agents/s1/${file}`),
    );
    expect(lifecycle?.precondition[0]?.condition.match(/fileexists/g)).toHaveLength(4);
  });
  test("a plan without the token fails, and names the command that creates it", () => {
    expect(saving(text).lifecycle?.precondition[0]).toMatchObject({
      condition: '${path.root != "" && fileexists("../../../secrets/c/backups.header")}',
      error_message: expect.stringContaining("npm run secrets -- init"),
    });
  });
});
