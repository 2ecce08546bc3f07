import type { LiveCluster } from "../live-cluster";
import type { Random } from "../random";
import { configurationChanged, imageChanged } from "./all-changed";
import { allRestarted } from "./all-restarted";
import { badFlag } from "./bad-flag";
import { changeWithdrawn } from "./change-withdrawn";
import { deployKilled } from "./deploy-killed";
import { diskWiped } from "./disk-wiped";
import { hostCutOff } from "./host-cut-off";
import { leaderKilled } from "./leader-killed";
import { quorumDown } from "./quorum-down";
import { deployWithoutState, twoDeploysOneState, twoDeploysTwoStates } from "./two-deploys";

/** Injects a fault while users work with a cluster, and expects what must hold then; leaves the cluster whole. */
export type Fault = (cluster: LiveCluster, random: Random) => Promise<void>;

/** All faults, by their names in reports. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  "all agents get another image": imageChanged,
  "all agents get another configuration": configurationChanged,
  "the leader is killed": leaderKilled,
  "a host is cut off during a deploy": hostCutOff,
  "a server's disk is wiped": diskWiped,
  "a bad flag reaches one server": badFlag,
  "so many servers are down that the quorum is lost": quorumDown,
  "a deploy is killed": deployKilled,
  "a deploy is killed, and its change withdrawn": changeWithdrawn,
  "two deploys at once, on one state": twoDeploysOneState,
  "two deploys at once, each with the state": twoDeploysTwoStates,
  "a deploy without the state": deployWithoutState,
  "all hosts restart at once": allRestarted,
};
