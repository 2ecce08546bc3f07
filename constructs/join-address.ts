import { bracketed, family, hostAndPort, isDnsName } from "../consul/address";
import { DEFAULT_PORTS } from "../consul/ports";

/** The address at which other agents join an agent, and the port of its gossip. */
export class JoinAddress {
  private constructor(
    /** An IP address, a DNS name, or a container's name in its bridge network. */
    readonly host: string,
    /** The port of the agent's gossip. */
    readonly port: number,
  ) {}

  /**
   * An address whose parts are known.
   * @param host an IP address, a DNS name, or a container's name in its bridge network
   * @param port the agent's port `serf_lan`; without one, Consul's default
   */
  static of(host: string, port: number = DEFAULT_PORTS.serf_lan): JoinAddress {
    return new JoinAddress(host, port);
  }

  /**
   * Reads `host`, `host:port` or `[ipv6]:port`.
   * @throws Error if the text has another format
   */
  static parse(text: string): JoinAddress {
    const at = hostAndPort(text);
    if (!at || !(family(at.host) || isDnsName(at.host))) {
      throw new Error(`"${text}" is no address to join; expected an IP address or DNS name, with or without a port`);
    }
    return JoinAddress.of(at.host, at.port);
  }

  /**
   * The address in Consul's format. Without a port Consul assumes the joining agent's own, so the port is omitted only
   * if both are the same.
   * @param ownPort the joining agent's port `serf_lan`
   */
  toString(ownPort: number = DEFAULT_PORTS.serf_lan): string {
    return this.port === ownPort ? this.host : `${bracketed(this.host)}:${this.port}`;
  }

  /** Whether both have the same host and port. */
  equals(other: JoinAddress): boolean {
    return this.host === other.host && this.port === other.port;
  }
}
