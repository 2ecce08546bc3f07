import * as fs from "node:fs";
import { run } from "./command";
import { initInNetns, killAndWait, processesInNetns } from "./processes";
import { LAN, LAN_PREFIX_LENGTH, type Machine, NETNS_PREFIX } from "./world";

const BRIDGE = "br0";

/** The name of a machine's network namespace. */
export function netnsOf(machine: Machine): string {
  return `${NETNS_PREFIX}${machine.name}`;
}

/** Makes the bridge that connects all machines, in a namespace that has nothing else. */
export async function ensureLan(): Promise<void> {
  if (await succeeds("-n", LAN, "link", "show", BRIDGE)) return;
  await removeNetns(LAN);
  await ip("netns", "add", LAN);
  await ip("-n", LAN, "link", "add", BRIDGE, "type", "bridge");
  await ip("-n", LAN, "link", "set", BRIDGE, "up");
}

/** Makes a machine's network namespace and connects it to the LAN, unless it is complete. */
export async function ensureNetns(machine: Machine): Promise<void> {
  const netns = netnsOf(machine);
  if (await isPluggedIn(machine)) return;
  await removeNetns(netns);
  await ip("-n", LAN, "link", "delete", port(machine)).catch(() => undefined);
  await ip("netns", "add", netns);
  await ip("-n", netns, "link", "set", "lo", "up");
  // A machine keeps its hardware address, since its neighbours would need half a minute to notice another one.
  const hardware = `02:00:${machine.address
    .split(".")
    .map((octet) => Number(octet).toString(16).padStart(2, "0"))
    .join(":")}`;
  await ip(
    "-n",
    LAN,
    "link",
    "add",
    port(machine),
    "type",
    "veth",
    "peer",
    "name",
    "eth0",
    "address",
    hardware,
    "netns",
    netns,
  );
  await ip("-n", netns, "address", "add", `${machine.address}/${LAN_PREFIX_LENGTH}`, "dev", "eth0");
  await ip("-n", netns, "link", "set", "eth0", "up");
  await ip("-n", LAN, "link", "set", port(machine), "master", BRIDGE, "up");
}

/** Unplugs the machine's cable from the bridge, or plugs it in; the machine keeps its address meanwhile. */
export async function setPlugged(machine: Machine, plugged: boolean): Promise<void> {
  await ip("-n", LAN, "link", "set", port(machine), plugged ? "up" : "down");
}

/** Ends all processes of a namespace, then removes it; a missing one is no error. */
export async function removeNetns(netns: string): Promise<void> {
  // When a machine's pid 1 ends, all its processes end, its containers' too. An interrupted start may have left others.
  const init = initInNetns(netns);
  if (init) await killAndWait([init]);
  await killAndWait(processesInNetns(netns));
  if (fs.existsSync(`/run/netns/${netns}`)) await run("ip", ["netns", "delete", netns], { check: false });
}

/**
 * Removes the folder of named namespaces, which the first `ip netns add` makes and mounts, unless others have names in
 * it.
 */
export async function removeNetnsFolder(): Promise<void> {
  if (!fs.existsSync("/run/netns") || fs.readdirSync("/run/netns").length > 0) return;
  await run("umount", ["/run/netns"], { check: false });
  await run("rmdir", ["/run/netns"], { check: false });
}

/** All namespaces of the test bed that exist, by their names. */
export function existingNetns(): string[] {
  return fs.existsSync("/run/netns")
    ? fs.readdirSync("/run/netns").filter((name) => name.startsWith(NETNS_PREFIX))
    : [];
}

/** True if the machine's network namespace exists, with its address and a cable to the LAN (which may be unplugged). */
export async function isPluggedIn(machine: Machine): Promise<boolean> {
  const shown = await run("ip", ["-n", netnsOf(machine), "-4", "address", "show", "eth0"], { check: false });
  return shown.stdout.includes(` ${machine.address}/`) && (await succeeds("-n", LAN, "link", "show", port(machine)));
}

/** The machine's port on the bridge. Named after the address, since a link's name holds 15 characters only. */
function port(machine: Machine): string {
  return `port${machine.address.split(".")[3]}`;
}

async function ip(...args: string[]): Promise<void> {
  await run("ip", args);
}

async function succeeds(...args: string[]): Promise<boolean> {
  return (await run("ip", args, { check: false })).exitCode === 0;
}
