import type { KvEntry, Member, RaftServer, ServerHealth } from "../../rollout/queries";

/** Answers of Consul's API, as 1.22.2 gives them, without the fields that the product does not read. */

export const member = (Name: string, { Addr = "10.0.0.1", Status = 1, role = "consul" } = {}): Member => ({
  Name,
  Addr,
  Port: 8301,
  Status,
  Tags: { role },
});

export const raftServer = (Node: string, Address: string, Voter = true): RaftServer => ({
  ID: `id-${Node}`,
  Node,
  Address,
  Voter,
  Leader: false,
});

export const health = (Name: string, parts: Partial<ServerHealth> = {}): ServerHealth => ({
  ID: `id-${Name}`,
  Name,
  Address: `${Name}:8300`,
  SerfStatus: "alive",
  Voter: true,
  Healthy: true,
  LastIndex: 42,
  LastContact: "12.5ms",
  ...parts,
});

export const kvEntry = (Key: string, value: string, ModifyIndex: number, Flags = 0): KvEntry => ({
  Key,
  Value: Buffer.from(value).toString("base64"),
  CreateIndex: ModifyIndex,
  ModifyIndex,
  Flags,
});
