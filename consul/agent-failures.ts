/** A class of errors with which Consul's agent ends when it starts, or waits. */
export interface AgentFailure {
  /** Lines of the container's log that show it, by the format strings of Consul 1.22 and what it is built of. */
  readonly pattern: RegExp;
  /** The message in short, as an operator finds it in the log. */
  readonly line: string;
  readonly meaning: string;
  readonly hint: string;
}

const INTO_FILE = "correct the cluster file, and deploy again";
const EMPTY_DATA =
  "if the other servers are a majority, give it empty data: docs/recovery.md; otherwise restore its data folder or a snapshot";
const SAME_SECRETS = "run `npm run secrets -- check`, and deploy; docs/secrets.md";

/**
 * From causes to what follows from them: an agent that cannot join also says that it knows no server. The first that a
 * log shows is its reason.
 */
export const AGENT_FAILURES: readonly AgentFailure[] = [
  // Before the agent begins
  {
    pattern: /exec format error/,
    line: "exec format error",
    meaning: "the image is for another platform than the host's",
    hint: "use an image for the host's platform; unset DOCKER_DEFAULT_PLATFORM on the host where it was pulled",
  },
  {
    pattern: /su-exec: |\b(setcap|chown): .*(not permitted|unable to set)/i,
    line: "su-exec: ...; setcap: ...; chown: ...: Operation not permitted",
    meaning: "the image's entrypoint may not become Consul's user, or own its folders",
    hint: "allow the daemon's containers the capabilities CHOWN, SETUID, SETGID and SETFCAP, and keep the data on a local file system",
  },
  {
    pattern: /no space left on device/i,
    line: "no space left on device",
    meaning: "the disk of the data or of the log is full",
    hint: "free space on the host; then the container starts by itself",
  },
  {
    pattern: /read-only file system/i,
    line: "read-only file system",
    meaning: "the agent's data is on a file system that is mounted read-only",
    hint: "repair the host's file system, or mount it for writing",
  },
  {
    pattern: /too many open files/i,
    line: "too many open files",
    meaning: "the agent has as many open files as the daemon allows",
    hint: "raise `default-ulimits` (nofile) in the host's daemon.json, and restart the daemon",
  },
  // Flags and configuration
  {
    pattern:
      /flag provided but not defined|flag needs an argument|invalid (boolean )?value ".*" for (flag )?-|Unexpected extra arguments/,
    line: "flag provided but not defined: -...; Unexpected extra arguments",
    meaning: "this version of Consul does not know a flag, or not its value",
    hint: "correct `flags:` in the cluster file: one flag with its value in each item, as in -log-level=debug",
  },
  {
    pattern: /invalid config key/,
    line: "invalid config key ...",
    meaning: "this version of Consul does not know a key of the configuration",
    hint: "correct `config:` in the cluster file, and deploy again",
  },
  {
    pattern:
      /(?<!recovery )failed to parse \S+: (?!\d+ errors? occurred)|expected type '|config: (Open|Stat|Readdir) failed|has unknown extension; must be/,
    line: "failed to parse ...; 'KEY' expected type '...'; config: Open failed on ...",
    meaning: "a file of the configuration is missing, or has a value of the wrong type",
    hint: INTO_FILE,
  },
  {
    pattern: /Deprecated data folder found/,
    line: "CRITICAL: Deprecated data folder found",
    meaning: "the data is of Consul 0.5 or older",
    hint: EMPTY_DATA,
  },
  {
    pattern: /(Multiple|No) (private|public) IPv[46] address(es)? found|Error detecting \S+ address/,
    line: "Multiple private IPv4 addresses found; No private IPv4 address found",
    meaning: "Consul cannot choose an address by itself",
    hint: "set `bind_addr:` or `advertise_addr:` in the cluster file",
  },
  {
    pattern: /advertise( WAN)? address cannot be|is not advertisable/i,
    line: "Advertise address cannot be 0.0.0.0, :: or [::]",
    meaning: "the agent would tell others an address that nobody can reach",
    hint: "set `advertise_addr:` in the cluster file to an address of the host",
  },
  {
    pattern: /raft_protocol version \d+ is not supported/,
    line: "raft_protocol version ... is not supported",
    meaning: "this version of Consul has version 3 of the Raft protocol alone",
    hint: "remove `raft_protocol` from `config:`",
  },
  {
    pattern: /Failed to setup logging|Syslog setup/,
    line: "Failed to setup logging: ...; Syslog setup did not succeed",
    meaning: "the agent cannot write its log file, or the container has no syslog",
    hint: "remove `log_file` and `enable_syslog`; the agent logs to Docker, and `log:` sets how",
  },
  {
    pattern: /Could not (open|write to|remove) pid file/,
    line: "Could not open pid file",
    meaning: "Consul's user cannot write the file of the process id",
    hint: "remove `pid_file` from `config:`",
  },
  // Certificates and keys in files
  {
    pattern:
      /Failed to load cert\/key pair|Error loading from \S+: |no CA certificates were provided|VerifyIncoming requires either/,
    line: "Failed to load cert/key pair; Error loading from ...; VerifyIncoming set but no CA certificates were provided",
    meaning: "a certificate, its key or the CA is missing in the container, or is no PEM file",
    hint: SAME_SECRETS,
  },
  {
    pattern: /Failed to configure keyring: Invalid key|encrypt has invalid key/,
    line: "Failed to configure keyring: Invalid key",
    meaning: "the gossip key is not 16, 24 or 32 bytes in base64",
    hint: SAME_SECRETS,
  },
  {
    pattern: /Failed to configure keyring|no keys present in keyring/,
    line: "Failed to configure keyring: ...",
    meaning: "serf/local.keyring in the agent's data is damaged",
    hint: "remove serf/local.keyring from the agent's data; the agent takes the key of its configuration then",
  },
  // Its data
  {
    pattern: /refusing to rejoin cluster because server has been offline/,
    line: "refusing to rejoin cluster because server has been offline",
    meaning: "the server was away for longer than `server_rejoin_age_max` (a week)",
    hint: EMPTY_DATA,
  },
  {
    pattern: /NodeID in \S+ is invalid|specified NodeID is invalid/,
    line: "NodeID in ... is invalid",
    meaning: "the file node-id in the agent's data is damaged",
    hint: "restore the file, or remove it: then the agent gets a new node ID, and the old one has to be removed with `consul force-leave`",
  },
  {
    pattern:
      /Permission denied for data folder|(failed to setup node ID|failed to write|mkdir|open) .*: permission denied/,
    line: "failed to setup node ID: ... permission denied",
    meaning: "Consul's user cannot write the agent's data",
    hint: "give the data folder of the host to the image's user: chown -R 100:1000 FOLDER",
  },
  {
    pattern: /recovery failed/,
    line: "recovery failed: ...",
    meaning: "raft/peers.json in the server's data is not valid",
    hint: "correct or remove raft/peers.json: docs/lost-quorum.md",
  },
  {
    pattern:
      /Unrecognized msg type|unrecognized raft log|unknown snapshot version|failed to load any existing snapshots/i,
    line: "Unrecognized msg type ...; failed to load any existing snapshots",
    meaning: "a newer version of Consul wrote the server's data, or its snapshots are damaged",
    hint: `deploy the newer version again; ${EMPTY_DATA}`,
  },
  {
    pattern: /Failed to start Raft|fail to open write-ahead-log/,
    line: "Failed to start Raft: invalid database",
    meaning: "raft/raft.db in the server's data is damaged",
    hint: EMPTY_DATA,
  },
  // Ports and addresses
  {
    pattern: /bind: address already in use/,
    line: "listen tcp ...: bind: address already in use",
    meaning: "another program of the host listens on a port of the agent's",
    hint: "stop it (`ss -lntup` on the host names it), or give the agent another port under `ports:`",
  },
  {
    pattern: /bind: permission denied/,
    line: "listen tcp ...: bind: permission denied",
    meaning: "Consul's user may not listen on a port below 1024",
    hint: "use an image that grants the capability NET_BIND_SERVICE, as the official one, or a higher port under `ports:`",
  },
  {
    pattern: /bind: cannot assign requested address/,
    line: "listen tcp ...: bind: cannot assign requested address",
    meaning: "the host has no such address",
    hint: "correct the host's address, `bind_addr:` or `client_addr:` in the cluster file",
  },
  // Declared in its configuration
  {
    pattern: /Scripts are disabled on this agent/,
    line: "Scripts are disabled on this agent",
    meaning: "a check runs a script, and the agent does not allow that",
    hint: "set `config: { enable_local_script_checks: true }`, or use a check of another kind",
  },
  {
    pattern: /Failed to (register|validate) (service|sidecar|check|checks)\b/,
    line: "Failed to register service ...",
    meaning: "a service or check of the configuration is not valid",
    hint: INTO_FILE,
  },
  {
    pattern:
      /cannot be \S+\. Must be|can only be used on a (client|server)|Must be (between|positive)|must be (one of|strictly positive|greater than zero|positive)|requires 'server = true'|Invalid log level|invalid (duration|mode|strategy|cidr|port|TLS version)|mutually exclusive|please provide only one|should only be configured in a secondary|is not a valid CA provider/,
    line: "... cannot be ... Must be ...; ... can only be used on a client; invalid duration",
    meaning: "Consul does not accept a value of its configuration, or not on an agent of this role",
    hint: "correct `config:` or `flags:` in the cluster file, and deploy again",
  },
  // Who it meets
  {
    pattern: /has conflicting node ID/,
    line: "Member '...' has conflicting node ID '...'",
    meaning: "two agents have one node ID: their data, or their hosts' disks, were copied from each other",
    hint: "remove node-id and serf/ from the data of the copied agent, and restart its container",
  },
  {
    pattern: /Node name \S+ is reserved by node/,
    line: "Node name ... is reserved by node ...",
    meaning:
      "Consul's catalog has this node name with another node ID: the agent's data was deleted, or another agent has its name",
    hint: "if its data was deleted, wait until Consul has removed the former node; otherwise give one of the two another `node:`",
  },
  {
    pattern: /Conflicting address for|Node name conflicts with another node|name conflict resolution/,
    line: "Conflicting address for ...; minority in name conflict resolution, quiting",
    meaning: "another agent at another address has the same node name",
    hint: "stop the other agent, or give one of them another `node:`",
  },
  {
    pattern: /wrong datacenter/,
    line: "Member '...' part of wrong datacenter '...'",
    meaning: "the agent joins servers of another datacenter",
    hint: "correct `join:` or `datacenter:` in the cluster file; datacenters are connected as in docs/layouts.md",
  },
  {
    pattern: /No installed keys could decrypt/,
    line: "No installed keys could decrypt the message",
    meaning: "the agents have different gossip keys",
    hint: SAME_SECRETS,
  },
  {
    pattern:
      /Remote state is encrypted and encryption is not configured|Encryption is configured but remote state is not encrypted/,
    line: "Remote state is encrypted and encryption is not configured",
    meaning: "some agents encrypt gossip, and others do not",
    hint: "turn security on stage by stage: docs/security.md; the agent may also be joining another cluster: check `join:`",
  },
  {
    pattern: /conflicting expect value|has bootstrap mode|already in bootstrap mode/,
    line: "Member has a conflicting expect value; Member has bootstrap mode",
    meaning: "the servers wait for different numbers of servers at the first bootstrap",
    hint: "remove `bootstrap_expect` from the cluster file, and check that `join:` names servers of this cluster",
  },
  // TLS
  {
    pattern: /certificate has expired or is not yet valid/,
    line: "x509: certificate has expired or is not yet valid",
    meaning: "a certificate has expired, or the clock of a host is wrong",
    hint: "compare the clocks of the hosts; then `npm run secrets -- rotate --due 30d`, and deploy",
  },
  {
    pattern: /signed by unknown authority|unknown certificate authority|tls: bad certificate|tls: unknown ca/i,
    line: "x509: certificate signed by unknown authority; remote error: tls: bad certificate",
    meaning: "an agent has a certificate of another CA",
    hint: SAME_SECRETS,
  },
  {
    pattern: /certificate is valid for .*, not |doesn't contain any IP SANs|failed certificate validation/,
    line: "x509: certificate is valid for ..., not server.dc1.consul",
    meaning: "a server's certificate lacks the name of its datacenter, or its address",
    hint: "run `npm run secrets -- rotate certificates`, and deploy",
  },
  {
    pattern: /certificate required|didn't provide a certificate/,
    line: "remote error: tls: certificate required",
    meaning: "a server demands a certificate that the agent does not have yet",
    hint: `turn security on stage by stage: docs/security.md; ${SAME_SECRETS}`,
  },
  {
    pattern: /does not look like a TLS handshake|Non-TLS connection attempted/i,
    line: "tls: first record does not look like a TLS handshake; Non-TLS connection attempted with VerifyIncoming set",
    meaning: "one agent uses TLS, and the other does not",
    hint: "turn security on stage by stage: docs/security.md",
  },
  {
    pattern: /AutoEncrypt\.Sign RPC failed|auto-encrypt request/,
    line: "AutoEncrypt.Sign RPC failed; No servers successfully responded to the auto-encrypt request",
    meaning:
      "no server gives the client agent its certificate: the servers are unreachable, or have no leader or no token for it",
    hint: "check the servers with `npm run status`; it gets its certificate when they are healthy",
  },
  // ACLs
  {
    pattern: /ACL not found/,
    line: "ACL not found",
    meaning: "the servers do not know the agent's token",
    hint: `deploy, which creates the tokens; ${SAME_SECRETS}`,
  },
  {
    pattern: /Permission denied: |blocked by ACLs/,
    line: "Permission denied: token with AccessorID ... lacks permission; ... update blocked by ACLs",
    meaning: "the agent's token lacks a permission, or the agent has no token",
    hint: "deploy, which writes the policies of the product's tokens",
  },
  // Joining
  {
    pattern: /Failed to resolve \S+: lookup/,
    line: "Failed to resolve ...: lookup ...: no such host",
    meaning: "the host's resolver does not know a name of `join:`",
    hint: "use an address in `join:`, or correct the host's /etc/resolv.conf",
  },
  {
    pattern: /Failed to join \S+: .*connection refused/,
    line: "Failed to join ...: connection refused",
    meaning: "no agent listens at an address that this one joins",
    hint: "start that agent (`npm run status` shows which one), or correct `join:` and the port `serf_lan`",
  },
  {
    pattern: /Failed to join \S+: .*(i\/o timeout|no route to host|network is unreachable|operation was canceled)/,
    line: "Failed to join ...: i/o timeout; no route to host",
    meaning: "the network does not let the agent reach a server",
    hint: "open port 8301 (TCP and UDP) and 8300 (TCP) between the hosts",
  },
  {
    pattern: /max join \S+ retry exhausted/,
    line: "max join LAN retry exhausted, exiting",
    meaning: "the agent joined nobody in as many attempts as `retry_max` allows, and ended",
    hint: "remove `retry_max` from `config:`, and look for the reason in the lines before",
  },
  // The cluster
  {
    pattern: /no known peers, aborting election/,
    line: "no known peers, aborting election",
    meaning: "the server waits for more servers to bootstrap the cluster",
    hint: "deploy the other servers; see that they reach each other at port 8301",
  },
  {
    pattern: /failed to contact quorum of nodes|Election timeout reached, restarting election/,
    line: "failed to contact quorum of nodes; Election timeout reached, restarting election",
    meaning: "the server cannot reach a majority of the servers",
    hint: "bring the other servers back (`npm run status`), and open port 8300 (TCP) between them; docs/lost-quorum.md",
  },
  {
    pattern: /No cluster leader|No known Consul servers/,
    line: "No cluster leader; No known Consul servers",
    meaning: "the agent knows no server, or the servers have no leader",
    hint: "check the servers with `npm run status`",
  },
];

/** The agent works, or is a member: what it complained of before, as each agent does at its start, is over. */
const WORKS = /New leader elected|cluster leadership acquired|Synced node info/;
/** Somebody stops it. */
const STOPPED = /Caught: signal=(terminated|interrupt)/;
const STARTED = /==> Starting Consul agent/;

/** What a log's lines show: the first class, by the order of the catalogue, and the last line that shows it. */
export function failureIn(
  lines: readonly string[],
): { readonly failure: AgentFailure; readonly line: string } | undefined {
  const last = (mark: RegExp) => lines.findLastIndex((line) => mark.test(line));
  if (last(STOPPED) > last(STARTED)) return undefined;
  const since = lines.slice(last(WORKS) + 1);
  for (const failure of AGENT_FAILURES) {
    const line = since.findLast((text) => failure.pattern.test(text));
    if (line !== undefined) return { failure, line };
  }
  return undefined;
}
