/** Files with which a secured cluster's API is used from the operator's machine. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** A line `X-Consul-Token: ...`, as curl takes it. */
  readonly header: string;
}
