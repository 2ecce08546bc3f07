import { AGENT_FAILURES, failureIn } from "../../consul/agent-failures";
import { containerReport, reasonText } from "../../rollout/container-report";
import { FakeDocker } from "../rollout/docker-fake";

/**
 * Lines as Consul prints them. `seen` ones are of Consul 1.22.7, run with a wrong configuration; the others have the
 * format of its sources, or of the kernel's and the image's.
 */
const LINES: readonly (readonly [line: string, meaning: string])[] = [
  // seen
  ["flag provided but not defined: -no-such-flag", "does not know a flag"],
  ["==> error parsing flags: flag provided but not defined: -log-level debug", "does not know a flag"],
  ["==> Unexpected extra arguments: [debug]", "does not know a flag"],
  ["\t* invalid config key log_levle", "does not know a key"],
  [
    "==> failed to parse f/syn.json: invalid character '}' looking for beginning of object key string",
    "missing, or has a value of the wrong type",
  ],
  [
    "==> failed to parse f/typ.json: decoding failed due to the following error(s):",
    "missing, or has a value of the wrong type",
  ],
  ["'enable_debug' expected type 'bool', got unconvertible type 'string'", "missing, or has a value of the wrong type"],
  [
    "==> config: Open failed on /nope.json. open /nope.json: no such file or directory",
    "missing, or has a value of the wrong type",
  ],
  ["==> Invalid log level: loud. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]", "does not accept a value"],
  ['\t* max_query_time: invalid duration: "10": time: missing unit in duration "10"', "does not accept a value"],
  ["==> performance.raft_multiplier cannot be 11. Must be between 1 and 10", "does not accept a value"],
  ["==> auto_encrypt.tls can only be used on a client.", "does not accept a value"],
  ["==> Advertise address cannot be 0.0.0.0, :: or [::]", "an address that nobody can reach"],
  [
    '2026-11-29T11:51:39.144Z [ERROR] agent: Error starting agent: error="Failed to start Consul server: Failed to start RPC layer: listen tcp 10.254.254.254:8300: bind: cannot assign requested address"',
    "the host has no such address",
  ],
  ["  | \\t* listen udp 10.254.254.254:8600: bind: cannot assign requested address", "the host has no such address"],
  ["  | \\t* listen tcp 127.77.13.1:53: bind: permission denied", "below 1024"],
  ["  | \\t* listen tcp 127.77.1.1:8600: bind: address already in use", "another program of the host"],
  [
    '[ERROR] agent: Error starting agent: error="Failed to start Consul client: Failed to start lan serf: Failed to create memberlist: Could not set up network transport: failed to obtain an address: Failed to start TCP listener on \\"127.77.1.1\\" port 8301: listen tcp 127.77.1.1:8301: bind: address already in use"',
    "another program of the host",
  ],
  [
    "==> failed to setup node ID: failed to write NodeID to disk: open d/ro/node-id: permission denied",
    "cannot write the agent's data",
  ],
  [
    "==> failed to setup node ID: NodeID in d/17/node-id is invalid: uuid string is wrong length",
    "node-id in the agent's data is damaged",
  ],
  ["==> Failed to setup logging: open /var/log/consul/x.log: no such file or directory", "cannot write its log file"],
  [
    '[ERROR] agent: Error starting agent: error="Could not open pid file: open /run/x.pid: permission denied"',
    "file of the process id",
  ],
  [
    '[ERROR] agent: Error starting agent: error="Failed to configure keyring: Invalid key: key size must be 16, 24 or 32 bytes"',
    "is not 16, 24 or 32 bytes",
  ],
  [
    '[ERROR] agent: Error starting agent: error="Failed to configure keyring: unexpected end of JSON input"',
    "local.keyring",
  ],
  [
    "==> Failed to load cert/key pair: open /nope.pem: no such file or directory",
    "certificate, its key or the CA is missing",
  ],
  [
    "==> Error loading from /nope.pem: open /nope.pem: no such file or directory",
    "certificate, its key or the CA is missing",
  ],
  ["==> VerifyIncoming set but no CA certificates were provided", "certificate, its key or the CA is missing"],
  [
    "[ERROR] agent: Error starting agent: error=\"Failed to register check 'x': Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or 'enable_local_script_checks' to true &{ x }\"",
    "a check runs a script",
  ],
  [
    '[ERROR] agent: Error starting agent: error="Failed to start Consul server: Failed to start Raft: invalid database"',
    "raft.db in the server's data is damaged",
  ],
  [
    '[ERROR] agent: startup error: error="refusing to rejoin cluster because server has been offline for more than the configured server_rejoin_age_max (168h0m0s) - consider wiping your data dir"',
    "was away for longer",
  ],
  ['==> CRITICAL: Deprecated data folder found at "d/21/mdb"!', "Consul 0.5 or older"],
  ["  | \\t* Failed to join 127.77.1.1:8301: No installed keys could decrypt the message", "different gossip keys"],
  [
    "  | \\t* Failed to join 127.77.1.1:8301: Remote state is encrypted and encryption is not configured",
    "some agents encrypt gossip",
  ],
  [
    "  | \\t* Failed to join 127.77.1.1:8301: Member 's1' part of wrong datacenter 'dc1'",
    "servers of another datacenter",
  ],
  [
    "  | \\t* Failed to join 127.77.1.1:8301: Member 's1' has conflicting node ID 'f721c8b6-141d-b1aa-e494-50d6d4a9441d' with this agent's ID",
    "one node ID",
  ],
  [
    '[WARN]  agent.fsm: EnsureRegistration failed: error="failed inserting node: Error while renaming Node ID: \\"7d\\": Node name s1 is reserved by node 1c with name s1 (10.0.0.1)"',
    "data was deleted",
  ],
  [
    "[ERROR] agent.client.memberlist.lan: memberlist: Conflicting address for s1. Mine: 127.77.8.1:8301 Theirs: 127.77.1.1:8301 Old state: 0",
    "has the same node name",
  ],
  [
    "[WARN]  agent.client.serf.lan: serf: minority in name conflict resolution, quiting [0 / 0]",
    "has the same node name",
  ],
  [
    '[ERROR] agent.server: Member has bootstrap mode. Expect disabled.: member="{s1 127.77.1.1 8301 map[acls:0] alive}"',
    "different numbers of servers",
  ],
  [
    "  | \\t* Failed to join 127.77.99.1:8301: dial tcp 127.77.99.1:8301: connect: connection refused",
    "no agent listens",
  ],
  ['[ERROR] agent: Retry join failed: error="agent: max join LAN retry exhausted, exiting"', "joined nobody"],
  [
    "  | \\t* Failed to resolve no.such.host.invalid: lookup no.such.host.invalid on 10.255.255.53:53: no such host",
    "resolver does not know",
  ],
  ["[WARN]  agent.server.raft: no known peers, aborting election", "waits for more servers"],
  ["[WARN]  agent.server.raft: failed to contact quorum of nodes, stepping down", "cannot reach a majority"],
  ['[ERROR] agent.anti_entropy: failed to sync remote state: error="No known Consul servers"', "knows no server"],
  [
    '[ERROR] agent.auto_config: AutoEncrypt.Sign RPC failed: addr=127.77.31.1:8300 error="rpcinsecure: error making call: tls: failed to verify certificate: x509: certificate signed by unknown authority"',
    "a certificate of another CA",
  ],
  [
    "[ERROR] agent.auto_config: No servers successfully responded to the auto-encrypt request",
    "gives the client agent its certificate",
  ],
  ['[WARN]  agent: Coordinate update blocked by ACLs: accessorID="anonymous token"', "lacks a permission"],
  // by the sources
  ["exec /usr/local/bin/docker-entrypoint.sh: exec format error", "for another platform"],
  ["su-exec: setgroups: Operation not permitted", "may not become Consul's user"],
  ["chown: /consul/data: Operation not permitted", "may not become Consul's user"],
  [
    '[ERROR] agent.server.raft: failed to commit logs: error="write /consul/data/raft/raft.db: no space left on device"',
    "disk of the data",
  ],
  ["==> mkdir /consul/data/raft: read-only file system", "mounted read-only"],
  [
    "[ERROR] agent.http: http: Accept error: accept tcp 127.0.0.1:8500: accept4: too many open files; retrying in 5ms",
    "open files",
  ],
  [
    "==> Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.",
    "cannot choose an address",
  ],
  ["==> raft_protocol version 2 is not supported by this version of Consul", "version 3 of the Raft protocol"],
  ["==> Syslog setup did not succeed within timeout (1m30s).", "no syslog"],
  [
    '[ERROR] agent: Error starting agent: error="Failed to start Consul server: Failed to start Raft: recovery failed to parse peers.json: invalid character"',
    "peers.json",
  ],
  [
    '[ERROR] agent.server.raft: failed to restore snapshot: id=2-10-1 error="Unrecognized msg type 62"',
    "a newer version of Consul wrote",
  ],
  [
    '[ERROR] agent: Error starting agent: error="Failed to register service "web": Check is not valid"',
    "a service or check of the configuration",
  ],
  [
    "[ERROR] agent.server: Member has a conflicting expect value. All nodes should expect the same number.: member=x",
    "different numbers of servers",
  ],
  [
    '[ERROR] agent.server.rpc: failed to read byte: error="x509: certificate has expired or is not yet valid: current time is after 2026-11-29"',
    "the clock of a host",
  ],
  ['error="x509: certificate is valid for localhost, not server.dc1.consul"', "lacks the name"],
  ['[ERROR] agent.http: rpc error: error="remote error: tls: certificate required"', "demands a certificate"],
  [
    "[WARN]  agent.server.rpc: Non-TLS connection attempted with VerifyIncoming set: conn=from=10.0.0.4:40112",
    "uses TLS, and the other does not",
  ],
  [
    '[ERROR] agent.anti_entropy: failed to sync remote state: error="rpc error making call: ACL not found"',
    "do not know the agent's token",
  ],
  [
    "[ERROR] agent.anti_entropy: failed to sync remote state: error=\"rpc error making call: Permission denied: token with AccessorID '00000000-0000-0000-0000-000000000002' lacks permission 'node:write'\"",
    "lacks a permission",
  ],
  ["  | \\t* Failed to join 10.0.0.9:8301: dial tcp 10.0.0.9:8301: i/o timeout", "network does not let"],
];

describe("a line of the log", () => {
  test.each(LINES)("%s", (line, meaning) => {
    expect(failureIn(["[INFO] agent: before", line, "[INFO] agent: after"])).toEqual({
      failure: expect.objectContaining({ meaning: expect.stringContaining(meaning) }),
      line,
    });
  });
  test("has a class of which each is tested", () => {
    const found = new Set(LINES.map(([line]) => failureIn([line])?.failure));
    expect(AGENT_FAILURES.filter((failure) => !found.has(failure))).toEqual([]);
  });
  test.each([
    "==> failed to parse f/10.json: 1 error occurred:",
    "[INFO]  agent: Synced node info",
    "[WARN]  agent.server.raft: heartbeat timeout reached, starting election: last-leader-addr= last-leader-id=",
    '[ERROR] agent: Failed to check for updates: error="Get \\"https://checkpoint-api.hashicorp.com\\": dial tcp: lookup checkpoint-api.hashicorp.com: no such host"',
    "[WARN]  agent: bootstrap_expect > 0: expecting 3 servers",
    '[ERROR] agent: Error starting agent: error="context canceled"',
  ])("of no class: %s", (line) => expect(failureIn([line])).toBeUndefined());
});

test("the cause counts, not what follows from it", () => {
  const lines = [
    '[ERROR] agent.anti_entropy: failed to sync remote state: error="No known Consul servers"',
    "  | \\t* Failed to join 127.77.1.1:8301: No installed keys could decrypt the message",
    "[ERROR] agent.http: Request error: No cluster leader",
  ];
  expect(failureIn(lines)?.line).toBe(lines[1]);
});

describe("lines that count no more", () => {
  const refused = "  | \\t* Failed to join 10.0.0.9:8301: dial tcp 10.0.0.9:8301: connect: connection refused";
  const started = "==> Starting Consul agent...";
  test.each([
    ["before the agent knew a leader", [refused, "[INFO]  agent.server: New leader elected: payload=s1"], false],
    ["before it was a member", [refused, "[INFO]  agent: Synced node info"], false],
    ["of an agent that was stopped", [started, refused, "[INFO]  agent: Caught: signal=terminated", refused], false],
    ["after the agent had worked", ["[INFO]  agent: Synced node info", refused], true],
    ["of a new start", ["[INFO]  agent: Caught: signal=terminated", started, refused], true],
    ["of an agent that was told to reload", [started, "[INFO]  agent: Caught: signal=hangup", refused], true],
  ])("%s", (_, lines, counts) => expect(failureIn(lines) !== undefined).toBe(counts));
});

describe("a report", () => {
  const log = (lines: readonly string[]) =>
    lines.map((line, at) => `2026-11-28T21:00:0${at}.000000000Z ${line}\n`).join("");
  const report = (...lines: string[]) => {
    const state = { status: "restarting", exitCode: 1, outOfMemory: false, error: "", restarts: 2 };
    const answer = (command: string) => (command.startsWith("container inspect") ? JSON.stringify(state) : log(lines));
    return containerReport(new FakeDocker(answer), "s1");
  };

  test("names the reason and the fix, and shows causes that are on lines of their own", async () => {
    const found = await report(
      "[ERROR] agent: Error starting agent:",
      "  error=",
      "  | 2 errors occurred:",
      "  | \\t* listen tcp 127.0.0.1:8600: bind: address already in use",
      "  ",
    );
    expect(found.lines).toEqual([
      "its container is restarting, exit code 1, restarted 2 times",
      "reason: another program of the host listens on a port of the agent's",
      expect.stringMatching(/^hint: stop it/),
      "last problems in its log:",
      "  [ERROR] agent: Error starting agent:",
      "    error=",
      "    | \\t* listen tcp 127.0.0.1:8600: bind: address already in use",
    ]);
    expect(reasonText(found)).toBe(
      ": another program of the host listens on a port of the agent's (| \\t* listen tcp 127.0.0.1:8600: bind: address already in use)",
    );
  });
  test("of an unknown reason has the last line", async () => {
    const found = await report("[ERROR] agent: a", "panic: runtime error");
    expect(found.failure).toBeUndefined();
    expect(reasonText(found)).toBe(" (last log line: panic: runtime error)");
  });
  test("of an empty log has none", async () => expect(reasonText(await report())).toBe(""));
});
