import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "./command";

/**
 * A stand-in for the official Consul image: the same paths, user, entrypoint script, ENTRYPOINT, CMD, VOLUME, EXPOSE
 * and ENV, and the official image's tools that the product's scripts call, from Debian's packages instead of Alpine's.
 */

/** The image's configuration, as values of --change for `docker import`; copied from the official Dockerfile. */
export const CONSUL_IMAGE_CHANGES = [
  "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "ENV BIN_NAME=consul",
  "ENV PRODUCT_NAME=consul",
  "VOLUME /consul/data",
  "EXPOSE 8300 8301 8301/udp 8302 8302/udp 8500 8600 8600/udp",
  'ENTRYPOINT ["docker-entrypoint.sh"]',
  'CMD ["agent", "-dev", "-client", "0.0.0.0"]',
];

/** The user that consul runs as in the official image. */
const CONSUL_USER = { uid: 100, gid: 1000 };

const BUSYBOX = "/usr/bin/busybox";

/** Dynamically linked programs, by their path in the image. gosu stands in for the official image's su-exec. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "/usr/bin/curl": "/usr/bin/curl",
  "/usr/bin/dumb-init": "/usr/bin/dumb-init",
  "/usr/bin/jq": "/usr/bin/jq",
  "/usr/sbin/setcap": "/usr/sbin/setcap",
  "/usr/sbin/getcap": "/usr/sbin/getcap",
  "/sbin/su-exec": "/usr/sbin/gosu",
};

/** glibc loads these by name when it resolves a host name, so ldd does not list them. */
const NAME_SERVICE_LIBRARIES = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"];

/** Fills an empty folder with the image's files. */
export async function layOutConsulImage(root: string, consul: string, source: string): Promise<void> {
  await layOutBusyboxImage(root);
  for (const [target, program] of Object.entries(PROGRAMS)) await copyProgram(root, program, target);
  fs.copyFileSync(consul, path.join(root, "bin/consul"));

  const entrypoint = path.join(root, "usr/local/bin/docker-entrypoint.sh");
  fs.mkdirSync(path.dirname(entrypoint), { recursive: true });
  fs.copyFileSync(path.join(source, ".release/docker/docker-entrypoint.sh"), entrypoint);
  fs.chmodSync(entrypoint, 0o755);

  const { uid, gid } = CONSUL_USER;
  fs.appendFileSync(path.join(root, "etc/passwd"), `consul:x:${uid}:${gid}:consul:/home/consul:/sbin/nologin\n`);
  fs.appendFileSync(path.join(root, "etc/group"), `consul:x:${gid}:\n`);
  fs.writeFileSync(path.join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
  for (const folder of ["home/consul", "consul", "consul/data", "consul/config"]) {
    fs.mkdirSync(path.join(root, folder), { recursive: true });
    fs.chownSync(path.join(root, folder), uid, gid);
  }
}

/** Fills an empty folder with busybox and its applets only. */
export async function layOutBusyboxImage(root: string): Promise<void> {
  for (const folder of ["bin", "sbin", "usr/bin", "usr/sbin", "etc", "root", "proc", "sys", "dev", "run"]) {
    fs.mkdirSync(path.join(root, folder), { recursive: true });
  }
  fs.mkdirSync(path.join(root, "tmp"));
  fs.chmodSync(path.join(root, "tmp"), 0o1777);
  fs.copyFileSync(BUSYBOX, path.join(root, "bin/busybox"));
  const applets = (await run(BUSYBOX, ["--list"])).stdout.trim().split("\n");
  // The list contains busybox itself: a link would overwrite the program that it points to.
  for (const applet of applets.filter((name) => name !== "busybox")) {
    fs.symlinkSync("/bin/busybox", path.join(root, "bin", applet));
  }
  fs.writeFileSync(path.join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  fs.writeFileSync(path.join(root, "etc/group"), "root:x:0:\n");
}

async function copyProgram(root: string, program: string, target: string): Promise<void> {
  const place = path.join(root, target);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.copyFileSync(fs.realpathSync(program), place);
  fs.chmodSync(place, 0o755);
  // Fails for a statically linked program, which needs none.
  const listed = await run("ldd", [program], { check: false });
  const libraries = [...listed.stdout.matchAll(/(\/\S+) \(0x/g)].flatMap((match) => match[1] ?? []);
  const libc = libraries.find((library) => path.basename(library) === "libc.so.6");
  if (libc) libraries.push(...NAME_SERVICE_LIBRARIES.map((library) => path.join(path.dirname(libc), library)));
  for (const library of libraries) {
    const copy = path.join(root, library);
    if (fs.existsSync(copy) || !fs.existsSync(library)) continue;
    fs.mkdirSync(path.dirname(copy), { recursive: true });
    fs.copyFileSync(fs.realpathSync(library), copy);
    fs.chmodSync(copy, 0o755);
  }
}
