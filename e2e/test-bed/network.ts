import * as fs from "node:fs";
import { run } from "./command";
import { initInNetns, killAndWait, processesInNetns } from "./processes";
import { LAN, LAN_PREFIX_LENGTH, type Machine, NETNS_PREFIX } from "./world";

const BRIDGE = "br0";

/** The name of a machine's network namespace. */
export function netnsOf(machine: Machine): string {
  return `${NETNS_PREFIX}${machine.name}`;
}

/** Makes the bridge that all machines are plugged into, in a namespace that nothing else lives in. */
export async function ensureLan(): Promise<void> {
  if (await succeeds("-n", LAN, "link", "show", BRIDGE)) return;
  await removeNetns(LAN);
  await ip("netns", "add", LAN);
  await ip("-n", LAN, "link", "add", BRIDGE, "type", "bridge");
  await ip("-n", LAN, "link", "set", BRIDGE, "up");
}

/** Makes a machine's network namespace and plugs it into the LAN; leaves alone one that is whole. */
export async function ensureNetns(machine: Machine): Promise<void> {
  const netns = netnsOf(machine);
  if (await isPluggedIn(machine)) return;
  await removeNetns(netns);
  await ip("-n", LAN, "link", "delete", port(machine)).catch(() => undefined);
  await ip("netns", "add", netns);
  await ip("-n", netns, "link", "set", "lo", "up");
  // A machine that comes back has the hardware address it had, else its neighbours look for it in vain for half a minute.
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

/** Pulls the machine's cable out of the bridge, or puts it back; the machine keeps its address meanwhile. */
export async function setPlugged(machine: Machine, plugged: boolean): Promise<void> {
  await ip("-n", LAN, "link", "set", port(machine), plugged ? "up" : "down");
}

/** Ends everything that lives in a namespace, then removes it; one that is not there is no error. */
export async function removeNetns(netns: string): Promise<void> {
  // A machine's pid 1 takes all its processes along, its containers' too. The rest, if any, stayed outside by an interrupted start.
  const init = initInNetns(netns);
  if (init) await killAndWait([init]);
  await killAndWait(processesInNetns(netns));
  if (fs.existsSync(`/run/netns/${netns}`)) await run("ip", ["netns", "delete", netns], { check: false });
}

/** Removes the folder of named namespaces, which the first `ip netns add` makes and mounts; it stays while anyone has a name in it. */
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

/** True when the machine's network namespace exists, with its address and a cable to the LAN (which may be pulled). */
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
