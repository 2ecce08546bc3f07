#!/bin/sh
# docker.sh: the docker CLI as the operator's scripts call it. It stands in front of each of them.
set -u
# The environment of whoever runs Terraform must not redirect the CLI.
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH

command -v docker >/dev/null || {
  echo "the docker CLI is needed where Terraform runs, to ask agents whether they are in" >&2
  exit 1
}

# bounded SECONDS ARGUMENT...: a daemon may hang.
bounded() {
  seconds=$1
  shift
  if command -v timeout >/dev/null; then timeout "$seconds" docker "$@"; else docker "$@"; fi
}
