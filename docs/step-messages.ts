/** A message without a code, for docs/errors.md. */
export interface StepMessage {
  /** As it is printed, with `...` in place of names, numbers and reasons. Several have one meaning and one fix. */
  readonly messages: readonly string[];
  readonly meaning: string;
  readonly fix: string;
}

/** A section of docs/errors.md, to which other pages link. */
interface MessageSection {
  readonly heading: string;
  /** How the messages are printed. */
  readonly text: readonly string[];
  readonly messages: readonly StepMessage[];
}

const SERVERS_DOWN =
  "start the servers that are down; their data is on their volumes. If they will not come back: [a permanently lost quorum](lost-quorum.md)";
const DEPLOY_AGAIN = "deploy again";
const READ_LOG = "read the log of the agent that the message names, and see `npm run status`; then deploy again";

const NOT_STOPPED: MessageSection = {
  heading: "### An agent is not stopped",
  text: [
    "The [pre-stop check](changing.md#how-servers-are-replaced) prints `AGENT: not stopped: ...`. An adoption, the end of",
    "an agent with `decommission: true`, and `npm run maintain` run the same check.",
  ],
  messages: [
    {
      messages: ["waiting: ... is being replaced, or leaves"],
      meaning: "this server holds the deploy lock: it was replaced, and is not ready",
      fix: "fix that server: [an agent is not ready](#an-agent-is-not-ready). If no deploy replaces it, run `npm run doctor -- --fix`",
    },
    {
      messages: ["waiting: ... being replaced"],
      meaning: "these client agents hold the rollout slots: they were replaced, and are not ready",
      fix: "fix them, and deploy again. If no deploy replaces them, run `npm run doctor -- --fix`",
    },
    {
      messages: ["waiting: the host of ... is in maintenance since ..."],
      meaning: "a host is in [maintenance](maintenance.md), and its agent holds the deploy lock or a rollout slot",
      fix: "when the maintenance is over, run `npm run maintain -- HOST --end`",
    },
    {
      messages: ["only ... of ... voters would be healthy without it, ... are needed; not healthy: ..."],
      meaning: "another server is down: its gossip status is in parentheses, as in `(failed)`",
      fix: "start that server (`npm run status` names it), and deploy again",
    },
    {
      messages: ["not healthy: ... (hangs, or falls behind)"],
      meaning: "gossip and autopilot find that server healthy, but it has not stored a new Raft entry for 5 s",
      fix: "read its log, and look at its disk and its load; restart it if it hangs, then deploy again",
    },
    {
      messages: ["not healthy: ... (unreachable at ...)"],
      meaning:
        "gossip and autopilot find that server healthy, but it accepts no connection from the server that was asked",
      fix: "check the network and the [ports](ports.md) between the two hosts, and deploy again",
    },
    {
      messages: [
        "... of ... voters are healthy now and then, but have not all answered autopilot within ... s, for ... s",
      ],
      meaning: "other servers become healthy and unhealthy in turn",
      fix: "look at the logs of the other servers, their load and the network; then deploy again",
    },
    {
      messages: ["... of ... servers, which are no voters yet"],
      meaning: "the cluster has fewer voters than the file has servers",
      fix: "wait until the new servers are voters (`npm run status`), and deploy again",
    },
    {
      messages: [
        "unreachable so far: ... this server knows no leader, or gave no answer",
        "this agent knows no leader, or does not list the members",
      ],
      meaning: "the quorum is lost already, or the agent is cut off from the servers",
      fix: SERVERS_DOWN,
    },
    {
      messages: [
        "this server's API gives no answer",
        "this server has never been part of a cluster",
        "the leader does not know the names of all servers yet",
        "this server does not tell who holds the deploy lock",
        "this agent does not tell who holds the deploy lock",
        "this agent does not list the rollout slots",
        "this agent does not tell the others' security",
      ],
      meaning: "none of the agents that the check asks can answer it",
      fix: READ_LOG,
    },
    {
      messages: ["what the check acquired is not released"],
      meaning: "the stop was denied, and the lock or the slot of the check could not be released",
      fix: "run `npm run doctor -- --fix`, which releases it",
    },
    {
      messages: [
        "the deploy lock cannot be acquired: the KV store rejects the entry",
        "its rollout slot cannot be acquired: the KV store rejects the entry",
      ],
      meaning: "Consul's configuration does not let the agent's own host write to the KV store",
      fix: "allow it under `config:`: `http_config: { allow_write_http_from: [...] }`, `limits`",
    },
    {
      messages: ["it is the only voter, and the cluster would end with it"],
      meaning: "the agent has `decommission: true`, and no other server votes",
      fix: "add other servers first; to end the cluster, run `npm run destroy`",
    },
    {
      messages: ["all servers that stay are deployed elsewhere, and none can see to its removal"],
      meaning: "the server has `decommission: true`, and the program has no other server of the cluster",
      fix: "decommission it in the program that deploys the others. Or see that those are healthy, and deploy with `CONSUL_ALLOW_QUORUM_LOSS=1`, which checks nothing",
    },
    {
      messages: ["its rollout slot is not released"],
      meaning:
        "the client agent has `decommission: true`, the program has no server of the cluster, and the cluster gives no answer",
      fix: "see `npm run status` where the servers are deployed; then deploy again",
    },
    {
      messages: ['its next container has security at "...", too far from ...'],
      meaning: "the agent could not talk to agents that still have another stage of `security`",
      fix: "go [one stage at a time](security.md#turning-security-on-in-a-running-cluster), with a deploy of all agents for each",
    },
    {
      messages: ["its daemon is unreachable: ..."],
      meaning: "the Docker daemon of the agent's host is unreachable",
      fix: "bring the host and its daemon back, or [deploy without it](changing.md#unreachable-hosts); if it has failed permanently: [a permanently failed host](failed-host.md)",
    },
    {
      messages: ["its container is paused"],
      meaning: "its agent answers nobody, and may go on at any moment",
      fix: "wait until `docker commit`, or what else has paused it, has ended; or `docker unpause CONTAINER`; deploy again",
    },
    {
      messages: ["... cannot be pulled to its host: ..."],
      meaning: "the image is not available",
      fix: "correct `image`, `mirror`, the registry, or the credentials of the docker CLI, and deploy again",
    },
    {
      messages: ["its next image cannot be tried on its host: ...", "its next container cannot be tried: ..."],
      meaning: "a container of the next image does not run on the host",
      fix: "check that `image` is one of Consul, for the platform of the host, and deploy again",
    },
    {
      messages: ["its networks are unknown: ..."],
      meaning: "the Docker daemon does not tell in which network the running container is",
      fix: "look at the Docker daemon of its host, and deploy again",
    },
    {
      messages: ["its next image prints no version of Consul", "the version that has written its data is unknown: ..."],
      meaning: "nobody knows whether the next version can read the data of the running one",
      fix: "check the image; or allow any version for one deploy, with [`CONSUL_ALLOW_DOWNGRADE=yes`](changing.md#settings)",
    },
    {
      messages: ["... is older than ..., which has written its data"],
      meaning: "the file names an older image than the running one",
      fix: "use the newer image, or allow the downgrade with [`CONSUL_ALLOW_DOWNGRADE=yes`](changing.md#settings)",
    },
    {
      messages: [
        "from ... to ...: Consul 2.0 follows 1....",
        "from ... to ... are ... minor versions, and Consul supports ... at a time",
      ],
      meaning: "the next image skips versions of Consul",
      fix: "[upgrade](upgrading-consul.md) to a version in between first",
    },
    {
      messages: ["... rejects its next configuration: ..."],
      meaning: "the agent would not start with this configuration, for example `invalid config key x`",
      fix: "correct `config:`, and deploy again",
    },
    {
      messages: ["... rejects its next configuration: it has script checks"],
      meaning:
        "the next configuration disables script checks, and the agent has [declared](declaring.md) checks that run programs. It would not start",
      fix: "remove the checks, deploy, then disable script checks",
    },
    {
      messages: [
        "... was not seen to accept its next configuration: the trial broke off",
        "its declared services cannot be read, which may have script checks",
      ],
      meaning: "the container that tries the next configuration ended early",
      fix: DEPLOY_AGAIN,
    },
    {
      messages: ["Terraform's -parallelism is ..., and no operation would be left to start ..."],
      meaning: "there are more agents to replace than Terraform has operations at the same time",
      fix: "deploy again; with the CDKTF CLI alone, use `--terraform-parallelism=100`, or use `npm run deploy`",
    },
    {
      messages: ["the deploy was interrupted", "the command that deploys was killed"],
      meaning: "the deploy [was stopped](changing.md#stopping-a-deploy), and stops no further agent",
      fix: "run `npm run deploy`, which does the rest",
    },
    {
      messages: [
        "its restart policy cannot be changed, and it would join again: ...",
        "its container cannot be stopped: ...",
      ],
      meaning: "the Docker daemon does not stop the container of an agent that leaves",
      fix: "check the host and its Docker daemon, and deploy again",
    },
    {
      messages: ["it has not left after ... s: ..."],
      meaning: "an agent with `decommission: true` is stopped, and the servers still list it",
      fix: "read the log of a server, and deploy again",
    },
  ],
};

const NOT_READY: MessageSection = {
  heading: "### An agent is not ready",
  text: [
    "The readiness check prints `AGENT: is not ready after 120 s: ...`: the new container does not work, often because of a",
    "bad flag or a wrong address. The lock stays, so no other server is stopped. Correct the file, and deploy again: the",
    "broken server is replaced first, then the rest. If the container's log shows [a known",
    "cause](#an-agent-that-does-not-become-ready), the message has its meaning and its fix too.",
  ],
  messages: [
    {
      messages: ["waiting for its agent to answer"],
      meaning: "the agent does not run, or its API is unreachable",
      fix: "read its log with `npm run logs -- AGENT`; correct the file, and deploy again",
    },
    {
      messages: ["waiting for a leader"],
      meaning: "the agent runs, and reaches no servers that have a leader",
      fix: "check `join:` and the [ports](ports.md); if the other servers are down, start them",
    },
    {
      messages: ["sees ... of the ... servers that the first bootstrap needs"],
      meaning: "too few servers have found each other to elect the first leader",
      fix: "check `join:` and the [ports](ports.md) between the servers, and deploy again",
    },
    {
      messages: ["a leader is known, waiting to become a voter"],
      meaning: "the leader does not make the server a voter: it is behind, or it joined under another address",
      fix: "read its log and the leader's; deploy again with a larger `ready_timeout` if it only needs time",
    },
    {
      messages: ["a voter, waiting until the leader knows it instead of its lost predecessor"],
      meaning: "gossip still has the lost server of the same name",
      fix: DEPLOY_AGAIN,
    },
    {
      messages: ["a voter, releasing the deploy lock", "ready, releasing its rollout slot"],
      meaning: "the agent is ready, and the KV store does not take the release",
      fix: "run `npm run doctor -- --fix`, which releases it; then deploy again",
    },
  ],
};

const LATER_STEPS: MessageSection = {
  heading: "### A later step fails",
  text: ["Agents are ready, and a step after that fails. The message names the agent or the step first."],
  messages: [
    {
      messages: ["its secrets cannot be delivered: ..."],
      meaning: "the agent's container, or a file of its secrets, is missing",
      fix: "check that its container runs, run `npm run secrets -- check`, and deploy again",
    },
    {
      messages: ["its token cannot be delivered: ..."],
      meaning: "the container does not exist, or its Docker daemon is unreachable",
      fix: "check both, and deploy again",
    },
    {
      messages: ["... has no SecretIDs"],
      meaning: "the file of the tokens is damaged",
      fix: "run `npm run secrets -- init`, which writes it again, and deploy",
    },
    {
      messages: ["not all servers are voters of one cluster after ... s, missing: ..."],
      meaning: "a server runs, and is no voter of the cluster of the others",
      fix: "check its log, its address and the [ports](ports.md), and deploy again",
    },
    {
      messages: ["not set after ... s: ..."],
      meaning: "the servers did not take the settings under `autopilot:`",
      fix: "read the log of a server, and deploy again",
    },
    {
      messages: ["not changed after ... s: ..."],
      meaning: "an agent does not take the new gossip key, or does not give up the old one",
      fix: "bring back the agent that is unreachable, or remove it from the members; then deploy again",
    },
    {
      messages: ["this server's gossip key could not be read"],
      meaning: "the container of the server that was asked is unreachable, or has no gossip key",
      fix: "check that its container runs, and deploy again",
    },
    {
      messages: ["not done after ... s: ..."],
      meaning:
        "the servers did not take policies or tokens, or something that the file declares ([below](#declared-keys-config-entries-intentions-prepared-queries))",
      fix: "correct what Consul rejects, or read the log of a server, and deploy again",
    },
    {
      messages: ["waiting for a leader that knows the management token"],
      meaning: "no server has a leader, or the cluster has another management token than the secrets folder",
      fix: "check the servers with `npm run status`, and the secrets with `npm run secrets -- check`; then deploy again",
    },
    {
      messages: ["..., for ... s"],
      meaning: "none of the agents that a step asks could answer for so long",
      fix: "look at the host that the message names, its Docker daemon and its agent's log",
    },
    {
      messages: [
        "the synthesized JSON makes requests of version ..., and rollout.cjs beside it understands version ...",
      ],
      meaning: "the folder of the synthesized JSON has parts of two versions of this product",
      fix: "synthesize again with `npm run synth`, or run `npm run deploy`, which does",
    },
  ],
};

const SERVICES: MessageSection = {
  heading: "## Declared services",
  text: [
    "The step that delivers [declared services and checks](declaring.md#services-and-checks) to an agent prints these after",
    "the agent's name.",
  ],
  messages: [
    {
      messages: ["its services are not delivered, because Consul rejects them: ..."],
      meaning: "`consul validate` of the agent's own image rejects them. The agent keeps its previous services",
      fix: "correct them, and deploy again",
    },
    {
      messages: ["its agent rejects its services, and keeps the previous ones: ..."],
      meaning:
        "`consul validate` accepted them, but the agent cannot run one of the checks. The deploy restored the previous services",
      fix: "correct them, and deploy again",
    },
    {
      messages: ["its agent rejects its services, and its previous ones cannot be written, ..."],
      meaning: "as above, and the volume of the declared services cannot be written",
      fix: "free space on the host, correct the services, and deploy again before the agent restarts",
    },
    {
      messages: ["its services cannot be written: ..."],
      meaning: "the volume of the declared services cannot be written",
      fix: "look at the volume and the disk of the host, and deploy again",
    },
    {
      messages: ["not all of its services are there after ... s: waiting until the catalog has ..."],
      meaning: "the agent could not register a service",
      fix: "read the log of its container: `npm run logs -- AGENT`",
    },
    {
      messages: ["not all of its services are there after ... s: has its services; waiting for the agent's answer"],
      meaning: "the agent or the servers are unreachable",
      fix: "check the agent and the servers with `npm run status`, and deploy again",
    },
    {
      messages: ["the validation of its services broke off"],
      meaning: "the container of the agent was stopped meanwhile",
      fix: DEPLOY_AGAIN,
    },
  ],
};

const DEFINITIONS: MessageSection = {
  heading: "## Declared keys, config entries, intentions, prepared queries",
  text: [
    "The [last step of a deploy](declaring.md#keys-config-entries-intentions-prepared-queries) prints these as",
    "`definitions: ...`.",
  ],
  messages: [
    {
      messages: ["nothing was changed: ... exists, differs from the file, and was not created by a deploy"],
      meaning: "somebody else created an object of this name",
      fix: "write what exists into the file, or delete it in Consul, and deploy again",
    },
    {
      messages: ["not done after ... s: ..."],
      meaning: "Consul rejects one, with the reason that follows. All others are applied",
      fix: "correct it, and deploy again",
    },
    {
      messages: ["cannot be read: ..."],
      meaning: "the servers do not answer, or the key `consul-cdktf/definitions` was changed by hand",
      fix: "check the servers with `npm run status`; if the key was changed, restore it",
    },
  ],
};

const MAINTENANCE: MessageSection = {
  heading: "## Maintenance",
  text: [
    "`npm run maintain` prints `AGENT: its host is still needed: ...` when it cannot take a host out of use, with a reason of",
    "the [pre-stop check](#an-agent-is-not-stopped) or of this table. At the end it prints `AGENT: its maintenance does not",
    "end: ...`, with a reason of this table. An agent that is not ready has [its own messages](#an-agent-is-not-ready).",
  ],
  messages: [
    {
      messages: ["its container does not run, so there is nothing to hand over"],
      meaning: "the agent is down already",
      fix: "run `npm run doctor`, which shows why",
    },
    {
      messages: ["the deploy lock is not free", "its rollout slot is not free"],
      meaning: "another agent has acquired it meanwhile",
      fix: "run the command again, which goes on",
    },
    {
      messages: ["Consul's maintenance mode cannot be turned ...: ..."],
      meaning: "the agent does not take the request, with Consul's reason",
      fix: "read the agent's log, and run the command again; or give up with `npm run maintain -- HOST --end`",
    },
    {
      messages: ["the catalog does not follow its maintenance mode"],
      meaning: "the agent does not reach the servers",
      fix: "check the agent and the servers with `npm run status`, and run the command again",
    },
    {
      messages: ["autopilot does not report it as healthy"],
      meaning: "the server is back, and has not caught up with the leader",
      fix: "read its log, and check its disk and the network; then run the command again",
    },
    {
      messages: [
        "this agent does not list its node's checks",
        "this agent does not release the lock of the maintenance",
      ],
      meaning: "the agent does not reach a leader",
      fix: "check the servers with `npm run status`, and run the command again",
    },
  ],
};

const ADOPTION_STEPS: MessageSection = {
  heading: "## An adoption that fails",
  text: [
    "Problems with a code are [above](#adoption): nothing was changed. These are printed while agents are",
    "[adopted](adopting.md#what-it-does), one after the other.",
  ],
  messages: [
    {
      messages: ["nothing was changed: fix this first", "no agent was changed: fix this first"],
      meaning: "there are problems with a code, which are printed above this line",
      fix: "fix each as its code says, and run the command again",
    },
    {
      messages: ["its successor is not ready: restoring the original container"],
      meaning:
        "a new container does not become ready. The command restores the old container at once, with the data as it is now, and ends",
      fix: "correct the file, and run the command again",
    },
    {
      messages: ["not adopted: ..."],
      meaning: "the adoption ended at this agent, for the reason that follows. Agents before it are adopted",
      fix: "if it is a reason of [the pre-stop check](#an-agent-is-not-stopped), do what that table says; run the command again: it continues where it stopped",
    },
    {
      messages: ["its original container runs again, but is not ready: ..."],
      meaning: "the old container was restored, and its agent does not become ready either",
      fix: "read its log; when the agent is ready (`npm run status`), run the command again",
    },
    {
      messages: ["the Terraform state still lacks ...", "terraform state rm ..."],
      meaning: "Terraform could not write its state",
      fix: "check the backend and its [locks](state.md), and run the command again",
    },
    {
      messages: ["there is no container to move"],
      meaning: "the container was removed while the command ran",
      fix: "run the command again",
    },
  ],
};

/** Every message without a code that a step of a deploy, of a maintenance or of an adoption prints, by section. */
export const MESSAGE_SECTIONS: readonly MessageSection[] = [
  {
    heading: "## When a deploy fails",
    text: [
      "There is nothing to clean up after a failed deploy. The next deploy runs all checks again, and completes the change. A",
      "message begins with its agent, and ends with a hint. In the tables below, `...` stands for names, numbers and reasons.",
    ],
    messages: [],
  },
  NOT_STOPPED,
  NOT_READY,
  LATER_STEPS,
  SERVICES,
  DEFINITIONS,
  MAINTENANCE,
  ADOPTION_STEPS,
];
