import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { loadCluster } from "../../cluster/file/load";
import { cdktfCli } from "../../package/cdktf-cli";
import { template } from "../../package/template";
import { folder, PROJECT } from "../cluster-files";

test("the CDKTF CLI makes a project from the template, whose cluster has its name", async () => {
  const server = createServer((_, response) => response.end(template())).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/template.zip`;
  const cwd = folder();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      cdktfCli(PROJECT),
      "init",
      `--template=${url}`,
      "--local",
      "--project-name=payments",
      "--project-description=mine",
      "--enable-crash-reporting=false",
    ],
    { cwd, env: { ...process.env, CI: "1", CHECKPOINT_DISABLE: "1", DISABLE_VERSION_CHECK: "1" } },
  ).finally(() => server.close());
  expect(stdout).toContain("write your hosts and their addresses into cluster.yaml");
  expect(readdirSync(cwd)).toEqual(
    expect.arrayContaining(["cluster.yaml", "main.ts", "cdktf.json", "package.json", "tsconfig.json", ".gitignore"]),
  );
  expect(loadCluster(join(cwd, "cluster.yaml"))).toMatchObject({
    name: "payments",
    stage: "strict",
    privateFolder: "../payments-private",
  });
  const { projectId, sendCrashReports } = JSON.parse(readFileSync(join(cwd, "cdktf.json"), "utf8"));
  expect([projectId, sendCrashReports]).toEqual([expect.stringMatching(/^[\da-f-]{36}$/), "false"]);
}, 120_000);
