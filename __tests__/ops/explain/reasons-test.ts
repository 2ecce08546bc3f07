import { changesOf } from "../../../ops/explain/changes";
import { stackText, summaryText } from "../../../ops/explain/changes-text";
import { type Reason, reasonsOf } from "../../../ops/explain/reasons";
import type { Plan, ResourceChange, Values } from "../../../ops/terraform/plan";

/** A container as the provider reads it, with its defaults, and as the JSON configures it: excerpts of a real plan. */
const READ: Values = {
  command: ["agent", "-server", "-bind=10.0.0.1", "-retry-join=10.0.0.2", "-retry-join=10.0.0.3", "-node=s1"],
  env: [],
  image: "sha256:bff584826a8f",
  labels: [{ label: "SERVICE_IGNORE", value: "true" }],
  memory: 0,
  must_run: true,
  privileged: false,
  restart: "always",
  storage_opts: {},
  upload: [
    {
      content: '{"log_level": "info", "limits": {"http_max_conns_per_client": 200}}\n',
      content_base64: "",
      executable: false,
      file: "/consul/config/agent.json",
    },
    { content: "#!/bin/sh\n", content_base64: "", executable: false, file: "/consul/health.sh" },
  ],
  volumes: [
    { container_path: "/consul/data", from_container: "", host_path: "", read_only: false, volume_name: "s1-data" },
  ],
};
const CONFIGURED: Values = {
  ...READ,
  env: undefined,
  memory: null,
  privileged: null,
  storage_opts: null,
  volumes: [
    { container_path: "/consul/data", from_container: null, host_path: null, read_only: null, volume_name: "s1-data" },
  ],
};

const resource = (change: Partial<ResourceChange["change"]>, more: Partial<ResourceChange> = {}): ResourceChange => ({
  address: "docker_container.s1",
  mode: "managed",
  type: "docker_container",
  name: "s1",
  change: {
    actions: ["delete", "create"],
    before: READ,
    after: CONFIGURED,
    after_unknown: { env: true, id: true },
    ...change,
  },
  ...more,
});
const reasons = (after: Values, change: Partial<ResourceChange["change"]> = {}, plan: Plan = {}): Reason[] =>
  reasonsOf(resource({ after: { ...CONFIGURED, ...after }, ...change }), plan);

describe("why a container changes", () => {
  test("the provider's defaults, and what it finds out by itself, are no reason", () =>
    expect(reasons({})).toEqual([]));

  test("a flag with another value is one reason; flags that come and go are each one", () => {
    const command = ["agent", "-server", "-bind=10.0.0.9", "-retry-join=10.0.0.2", "-node=s1", "-ui"];
    expect(reasons({ command })).toEqual([
      { what: "command", before: "-bind=10.0.0.1", after: "-bind=10.0.0.9" },
      { what: "command", before: "-retry-join=10.0.0.3" },
      { what: "command", after: "-ui" },
    ]);
  });
  test("flags in another order are one", () =>
    expect(reasons({ command: [...(READ.command as string[])].reverse() })).toEqual([
      { what: "command", item: "in another order" },
    ]));

  test("of the agent's configuration, each key; of another file only that it changed", () => {
    const upload = [
      {
        content: '{"log_level":"debug","limits":{"http_max_conns_per_client":200,"rpc_max_conns_per_client":9}}',
        file: "/consul/config/agent.json",
      },
      { content: "#!/bin/sh\necho secret\n", file: "/consul/health.sh" },
      { content: "x", file: "/consul/new.sh" },
    ];
    expect(reasons({ upload })).toEqual([
      {
        what: "upload",
        item: "/consul/config/agent.json: limits.rpc_max_conns_per_client",
        before: undefined,
        after: "9",
      },
      { what: "upload", item: "/consul/config/agent.json: log_level", before: '"info"', after: '"debug"' },
      { what: "upload", item: "/consul/health.sh: other content" },
      { what: "upload", item: "/consul/new.sh: new" },
    ]);
  });

  test("files that only lie in another folder are one reason, which names both folders", () => {
    const files = (folder: string) =>
      ["cert.pem", "key.pem"].map((name) => ({
        file: `/consul/secrets/${name}`,
        source: `${folder}/agents/s1/${name}`,
      }));
    const before = { ...READ, upload: files("../../../secrets/c") };
    expect(reasons({ upload: files("../../../../c-private/secrets/c") }, { before, after_unknown: {} })).toEqual([
      {
        what: "upload",
        item: "/consul/secrets: its files' folder",
        before: "../../../secrets/c",
        after: "../../../../c-private/secrets/c",
      },
    ]);
  });

  test("labels and variables by name, ports and volumes as docker writes them, anything else as a whole", () => {
    const change = {
      before: {
        ...READ,
        env: ["A=1", "B=2"],
        ports: [{ external: 8500, internal: 8500, ip: "127.0.0.1", protocol: "tcp" }],
      },
    };
    const after = {
      env: ["A=1", "B=3=3"],
      labels: [{ label: "owner", value: "me" }],
      ports: [{ external: 9500, internal: 8500, ip: "127.0.0.1", protocol: "tcp" }],
      restart: "on-failure",
    };
    expect(reasons(after, { ...change, after_unknown: {} })).toEqual([
      { what: "env", item: "B", before: "2", after: "3=3" },
      { what: "label", item: "SERVICE_IGNORE", before: "true", after: undefined },
      { what: "label", item: "owner", before: undefined, after: "me" },
      { what: "port", before: "127.0.0.1:8500->8500/tcp", after: "127.0.0.1:9500->8500/tcp" },
      { what: "restart", before: "always", after: "on-failure" },
    ]);
  });

  test("a value that Terraform calls sensitive is not shown", () => {
    const said = JSON.stringify(
      reasons({ env: ["TOKEN=hidden"] }, { after_unknown: {}, after_sensitive: { env: [true] } }),
    );
    expect(said).toContain("sensitive");
    expect(said).not.toContain("hidden");
  });

  describe("its image, which is known only after the pull,", () => {
    const unknown = {
      after: { ...CONFIGURED, image: undefined },
      after_unknown: { image: true },
      replace_paths: [["image"]],
    };
    const image = (change: Partial<ResourceChange["change"]>) => ({
      resource_changes: [resource(change, { address: "docker_image.s1", type: "docker_image" })],
    });
    test("is another", () => {
      const plan = image({ before: { name: "hashicorp/consul:1.21.5" }, after: { name: "hashicorp/consul:1.22.2" } });
      expect(reasonsOf(resource(unknown), plan)).toEqual([
        { what: "image", before: "hashicorp/consul:1.21.5", after: "hashicorp/consul:1.22.2" },
      ]);
    });
    test("has been removed from the host", () => {
      const plan = image({ actions: ["create"], before: null, after: { name: "hashicorp/consul:1.22.2" } });
      expect(reasonsOf(resource(unknown), plan)).toEqual([
        { what: "image", item: "hashicorp/consul:1.22.2 is gone from its host, and pulled again" },
      ]);
    });
  });

  test("it is new, gone from its host, stopped, tainted, decommissioned, or no longer in the file", () => {
    const created = resource({ actions: ["create"], before: null });
    const drift = { resource_drift: [resource({ actions: ["delete"], after: null })] };
    expect(reasonsOf(created, {})).toEqual([{ what: "container", item: "new" }]);
    expect(reasonsOf(created, drift)).toEqual([{ what: "container", item: "gone from its host" }]);
    expect(reasons({}, { before: { ...READ, must_run: false } })).toEqual([{ what: "container", item: "not running" }]);
    expect(reasonsOf(resource({}, { action_reason: "replace_because_tainted" }), {})).toEqual([
      { what: "container", item: "tainted: it was not made completely" },
    ]);
    const deleted = (action_reason: string) =>
      reasonsOf(resource({ actions: ["delete"], after: null }, { action_reason }), {});
    expect(deleted("delete_because_count_index")).toEqual([{ what: "container", item: "decommissioned" }]);
    expect(deleted("delete_because_no_resource_config")).toEqual([
      { what: "container", item: "no longer in the file" },
    ]);
  });
});

describe("why a step of a deploy is repeated", () => {
  const step = (before: unknown[], after: unknown[], unknown: boolean[] = []): ResourceChange =>
    resource(
      {
        before: { triggers_replace: before },
        after: { triggers_replace: after },
        after_unknown: { id: true, triggers_replace: unknown },
      },
      { address: "terraform_data.c1_services", type: "terraform_data", name: "c1_services" },
    );
  const web = (port: number, more: object[] = []) =>
    JSON.stringify({ services: [{ name: "web", port, tags: ["a"] }, ...more] });

  test("what it hands over is named value by value, by the ids of services", () => {
    expect(reasonsOf(step(["id1", web(80, [{ id: "api-1", name: "api" }])], ["id1", web(81)]), {})).toEqual([
      { what: "declared", item: "services.api-1.id", before: '"api-1"', after: undefined },
      { what: "declared", item: "services.api-1.name", before: '"api"', after: undefined },
      { what: "declared", item: "services.web.port", before: "80", after: "81" },
    ]);
  });
  test("what it asks about is replaced; and what it hands over may be another too", () => {
    const replaced = { what: "trigger", item: "what it asks about is replaced" };
    expect(reasonsOf(step(["id1", web(80)], [null, web(80)], [true, false]), {})).toEqual([replaced]);
    expect(reasonsOf(step(["id1", "{}"], [null, '{"checks":[]}'], [true, false]), {})).toEqual([
      replaced,
      { what: "declared", item: "checks", before: undefined, after: "[]" },
    ]);
  });
  test("a value that is no JSON is named as a whole", () =>
    expect(reasonsOf(step(["s1=10.0.0.1"], ["s1=10.0.0.9"]), {})).toEqual([
      { what: "trigger", before: "s1=10.0.0.1", after: "s1=10.0.0.9" },
    ]));
  test("it is listed beside containers that change when what it hands over is another, else only counted", () => {
    const container = resource({ after: { ...CONFIGURED, restart: "no" } });
    const lines = (after: string) =>
      stackText(
        "c",
        changesOf({ resource_changes: [container, step(["id1", web(80)], [null, after], [true, false])] }),
      );
    expect(lines(web(80))).toContain("  with 1 terraform_data");
    expect(lines(web(81)).slice(-3)).toEqual([
      "  -/+ replace         terraform_data.c1_services",
      "        trigger    what it asks about is replaced",
      "        declared   services.web.port: 80 -> 81",
    ]);
  });
});

describe("on the screen", () => {
  const restart = { ...CONFIGURED, restart: "no" };
  const container = (name: string, change: Partial<ResourceChange["change"]>) =>
    resource(change, { address: `docker_container.${name}`, name });
  const gate = resource({}, { address: "terraform_data.s1", type: "terraform_data" });
  const kept = container("s4", { actions: ["no-op"] });

  test("containers that change alike stand together, what follows them is counted, and the most usual is first", () => {
    const plan = {
      resource_changes: [
        container("s3", { actions: ["update"], after: restart }),
        container("s1", { after: restart }),
        container("s2", { after: restart }),
        kept,
        gate,
      ],
    };
    const changes = changesOf(plan);
    expect(stackText("c", changes)).toEqual([
      "c",
      "  -/+ replace         s1, s2",
      "        restart    always -> no",
      "    ~ change in place s3",
      "        restart    always -> no",
      "  with 1 terraform_data",
    ]);
    expect(summaryText([changes])).toBe(
      "containers: 0 to create, 2 to replace, 1 to change in place, 0 to remove, 1 unchanged",
    );
  });

  test("gates are listed when nothing else changes", () => {
    const tainted = { ...gate, action_reason: "replace_because_tainted" };
    expect(stackText("c", changesOf({ resource_changes: [kept, tainted] }))).toEqual([
      "c",
      "  -/+ replace         terraform_data.s1",
      "        resource   tainted: it was not made completely",
    ]);
  });

  test("a stack without changes is not listed, and the last line says that there is nothing to do", () => {
    const changes = changesOf({ resource_changes: [kept], output_changes: { s1: { actions: ["no-op"] } } });
    expect(stackText("c", changes)).toEqual([]);
    expect(summaryText([changes])).toBe("nothing to do; containers: 1 unchanged");
  });

  test("a stack of which only outputs change says so", () => {
    const changes = changesOf({ resource_changes: [kept], output_changes: { s1: { actions: ["create"] } } });
    expect(stackText("c", changes)).toEqual(["c", "  only its outputs change"]);
  });

  test("what would move a terminal's cursor is not printed", () => {
    const changes = changesOf({
      resource_changes: [container("s1", { after: { ...CONFIGURED, restart: "a\u001b[2Jb\nc" } })],
    });
    expect(stackText("c", changes)[2]).toBe("        restart    always -> ab c");
  });
});
