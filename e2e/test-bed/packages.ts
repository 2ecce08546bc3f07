import { run } from "./command";
import { type Progress, timed } from "./progress";

/** Debian's packages that the test bed and its tests need. */
const PACKAGES = [
  "apache2-utils", // htpasswd, for the registry with a password
  "busybox-static", // the userland of the Consul image
  "chromium", // opens Consul's UI
  "curl",
  "dnsmasq-base", // a DNS server for other names than Consul's
  "dnsutils",
  "docker-registry",
  "docker.io",
  "dumb-init",
  "gosu", // stands in for su-exec in the Consul image
  "iproute2",
  "iptables",
  "jq",
  "libcap2-bin", // setcap, which the Consul image's entrypoint calls
  "openssh-client",
  "openssh-server",
  "openssl",
  "postgresql", // a backend of Terraform states
  "prometheus", // scrapes agents; with promtool
  "prometheus-alertmanager", // with amtool
  "prometheus-node-exporter", // exports the file of `status --prometheus`
  "util-linux",
];

/** Installs missing packages; does not run apt-get if there are none. */
export async function installPackages(progress: Progress): Promise<void> {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  await timed(progress, `installing ${missing.join(", ")}`, async () => {
    await aptGet("update");
    // Debian would start the machine's own docker, sshd and registry at once; the test bed needs only their programs.
    await aptGet("install", "--yes", "--no-install-recommends", ...missing);
  });
}

async function missingPackages(): Promise<string[]> {
  const known = await run("dpkg-query", ["--show", "--showformat=${Package} ${db:Status-Status}\n", ...PACKAGES], {
    check: false,
  });
  const installed = new Set(
    known.stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return PACKAGES.filter((name) => !installed.has(name));
}

async function aptGet(...args: string[]): Promise<void> {
  await run("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=300", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    timeoutMs: 900_000,
  });
}
