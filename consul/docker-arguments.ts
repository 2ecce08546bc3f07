/** The docker CLI's arguments that reach a daemon. @param certs of a daemon with TLS: the folder of its certificates */
export function dockerArguments(url: string, certs: string | undefined): string[] {
  if (certs === undefined) return ["-H", url];
  return [
    "-H",
    url,
    "--tlsverify",
    `--tlscacert=${certs}/ca.pem`,
    `--tlscert=${certs}/cert.pem`,
    `--tlskey=${certs}/key.pem`,
  ];
}
