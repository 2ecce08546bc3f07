/** Files with which a secured cluster's API is used from the operator's machine. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** File with a line `X-Consul-Token: ...`, as curl reads it. */
  readonly header: string;
}
