#!/bin/sh
# docker.sh: the docker CLI as the operator's scripts call it. It stands in front of each of them.
set -u
# The environment of whoever runs Terraform must not redirect the CLI.
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH

command -v docker >/dev/null || {
  echo "the docker CLI is needed where Terraform runs, for the checks of agents" >&2
  exit 1
}

# bounded SECONDS ARGUMENT...: a daemon may hang.
bounded() {
  seconds=$1
  shift
  if command -v timeout >/dev/null; then timeout "$seconds" docker "$@"; else docker "$@"; fi
}

command_of() { if [ -r "/proc/$1/cmdline" ]; then tr '\0' ' ' <"/proc/$1/cmdline"; else ps -o args= -p "$1" 2>/dev/null; fi; }
parent_of() { if [ -r "/proc/$1/status" ]; then sed -n 's/^PPid:[[:space:]]*//p' "/proc/$1/status"; else ps -o ppid= -p "$1" 2>/dev/null | tr -d ' '; fi; }

# Terraform, or whoever else asks: the nearest ancestor that is no shell.
run=$PPID
for _ in 1 2 3 4; do
  program=$(command_of "$run" | cut -d ' ' -f 1)
  case ${program##*/} in
  *sh) run=$(parent_of "$run") ;;
  esac
done
