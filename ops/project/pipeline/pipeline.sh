#!/bin/sh
# The steps of a pipeline, for every CI: sh pipeline.sh plan | deploy | nightly | clean
#
#   plan     plans a deploy: plan.md is the text, for a comment or a summary, and plans.tar is for the step `deploy`
#   deploy   deploys plans.tar, exactly as it was planned
#   nightly  fails if containers differ from the cluster file, if the cluster is unhealthy, or if certificates are due
#   clean    removes the credentials of a job that was killed; the other steps remove their own
#
# Node.js, Terraform, the docker CLI and ssh have to be installed. These variables come from the CI's secret store:
#
#   CONSUL_SECRETS    the line that `npm run --silent secrets -- export --without-ca-key` prints. If it is too long for
#                     the store, CONSUL_SECRETS_2, _3 and _4 contain the rest of it
#   SSH_PRIVATE_KEY   a private key that the Docker hosts accept: its text, or the name of a file with it
#   SSH_KNOWN_HOSTS   the hosts' lines of a known_hosts file, or the name of such a file
#   SSH_CONFIG        optional lines for ssh_config, for example a jump host, or the name of such a file
#
# The backend's credentials are variables with Terraform's own names.
set -eu
umask 077
cd "$(dirname "$0")"

# The link to the folder with the credentials. A later process finds the folder by it.
link=.pipeline

clean() {
  if [ -x node_modules/.bin/consul-cdktf ]; then node_modules/.bin/consul-cdktf secrets clean >/dev/null || true; fi
  rm -rf plans
  [ -L "$link" ] || return 0
  folder=$(readlink "$link")
  case $folder in */consul-??????) ;; *) return 0 ;; esac
  for socket in "$folder"/*; do
    # ssh closes the connection.
    if [ -S "$socket" ]; then ssh -S "$socket" -O exit host 2>/dev/null || true; fi
  done
  rm -rf "$folder" "$link"
}

# Runs a program. A signal that this script gets goes to the program. The script ends when the program has ended.
run() {
  [ -z "$stopped" ] || exit "$stopped"
  "$@" &
  program=$!
  result=0
  wait "$program" || result=$?
  while kill -0 "$program" 2>/dev/null; do
    result=0
    wait "$program" || result=$?
  done
  program=""
  [ -z "$stopped" ] || exit "$stopped"
  return "$result"
}

# The exit code after a signal, and the program that runs.
stopped="" program=""

stop() {
  stopped=$1
  if [ -n "$program" ]; then kill -TERM "$program" 2>/dev/null || true; fi
}

consul_cdktf() { run node_modules/.bin/consul-cdktf "$@"; }

# Prints a value, or the content of the file that it names.
content() { if [ -f "$1" ]; then cat "$1"; else printf '%s\n' "$1"; fi; }

# ssh takes its home folder from passwd, so this job's settings reach it as an option.
prepare_ssh() {
  content "$ssh_key" | tr -d '\r' >"$folder/key"
  content "$ssh_known_hosts" >"$folder/known_hosts"
  {
    content "$ssh_config"
    echo "Host *"
    echo "  IdentityFile $folder/key"
    echo "  IdentitiesOnly yes"
    echo "  UserKnownHostsFile $folder/known_hosts"
    echo "  StrictHostKeyChecking yes"
    echo "  BatchMode yes"
    echo "  ServerAliveInterval 5"
    # All calls to a host share a connection, unless its socket's path would be longer than the system allows.
    if [ "${#folder}" -lt 50 ]; then
      echo "  ControlMaster auto"
      echo "  ControlPath $folder/%C"
      echo "  ControlPersist 60"
    fi
  } >"$folder/config"
  mkdir "$folder/bin"
  printf '#!/bin/sh\nexec "%s" -F "%s" "$@"\n' "$(command -v ssh)" "$folder/config" >"$folder/bin/ssh"
  chmod 700 "$folder/bin/ssh"
  PATH=$folder/bin:$PATH
}

prepare() {
  clean
  trap clean EXIT
  trap 'stop 130' INT
  trap 'stop 143' TERM HUP
  # Scripts of packages would see the backend's credentials.
  run npm ci --ignore-scripts --no-audit --no-fund
  folder=$(mktemp -d "${TMPDIR:-/tmp}/consul-XXXXXX")
  ln -s "$folder" "$link"
  # Whatever a killed program leaves is in there too.
  export TMPDIR="$folder"
  if [ -n "$ssh_key" ]; then prepare_ssh; fi
  if [ -n "$secrets" ]; then
    export CONSUL_SECRETS="$secrets"
    consul_cdktf secrets import
    unset CONSUL_SECRETS
  fi
}

plan() {
  prepare
  status=0
  rm -f plan.md plans.tar
  consul_cdktf plan --out plans --markdown >plan.md || status=$?
  [ -s plan.md ] || echo "### There is no plan: the job's log has the reason" >plan.md
  cat plan.md
  [ "$status" -ne 0 ] || tar -cf plans.tar plans
  return "$status"
}

deploy() {
  prepare
  tar -xpf plans.tar
  consul_cdktf deploy --plan plans
}

nightly() {
  prepare
  failed=""
  consul_cdktf diff --detailed-exitcode || failed="$failed diff"
  consul_cdktf status || failed="$failed status"
  consul_cdktf secrets check --detailed-exitcode || failed="$failed secrets"
  [ -z "$failed" ] || { echo "something has to be done:$failed" >&2 && return 1; }
}

# The programs that this script starts do not get them.
secrets=${CONSUL_SECRETS-}${CONSUL_SECRETS_2-}${CONSUL_SECRETS_3-}${CONSUL_SECRETS_4-}
ssh_key=${SSH_PRIVATE_KEY-} ssh_known_hosts=${SSH_KNOWN_HOSTS-} ssh_config=${SSH_CONFIG-}
unset CONSUL_SECRETS CONSUL_SECRETS_2 CONSUL_SECRETS_3 CONSUL_SECRETS_4 SSH_PRIVATE_KEY SSH_KNOWN_HOSTS SSH_CONFIG

case ${1-} in
plan | deploy | nightly | clean) "$1" ;;
*)
  echo "usage: sh pipeline.sh plan | deploy | nightly | clean" >&2
  exit 2
  ;;
esac
