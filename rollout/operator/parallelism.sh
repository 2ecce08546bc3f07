#!/bin/sh
# parallelism.sh: Terraform runs a limited number of operations in parallel (-parallelism, 10 by default), in order of arrival, and a pre-stop check that waits is
# one of them. If all operations were such checks, a stopped agent could not be started, and the checks would wait for it. So a check that would be the last
# operation is denied. Each check has a file in a folder of its Terraform run, in Terraform's data folder. In front of pre-stop.sh and pre-leave.sh.

# shellcheck disable=SC2154 # docker.sh gives run
# The command line wins over TF_CLI_ARGS_*, which wins over TF_CLI_ARGS.
slots=$(printf '%s\n' "$(command_of "$run")" "${TF_CLI_ARGS_apply:-}" "${TF_CLI_ARGS_destroy:-}" "${TF_CLI_ARGS:-}" |
  sed -n 's/.*-parallelism[= ]\([0-9][0-9]*\).*/\1/p' | head -n 1)
slots=${slots:-10}

runs=${TF_DATA_DIR:-.terraform}/questions
questions=$runs/$run
waiting_checks() {
  for file in "$questions"/asking.*; do
    [ -e "$file" ] && kill -0 "$(cat "$file")" 2>/dev/null && echo "$file"
  done
}
# The agents whose containers were stopped in this run, and that are not ready yet.
stopped_not_ready() {
  for file in "$questions"/stopped.*; do
    [ ! -e "$file" ] || echo "${file##*/stopped.}"
  done
}

# Registers this check, or denies the stop.
reserve_slot() {
  for other in "$runs"/*; do kill -0 "${other##*/}" 2>/dev/null || rm -rf "$other"; done
  mkdir -p "$questions"
  trap 'rm -f "$questions/asking.$STOP_OWNER"' EXIT
  [ "$(waiting_checks | grep -c .)" -lt "$((slots - 1))" ] || waiting=$(stopped_not_ready | tr '\n' ' ')
  if [ -n "${waiting:-}" ]; then
    echo "$STOP_OWNER: not stopped: Terraform's -parallelism is $slots, and no operation would be left to start ${waiting% }; hint: deploy again for the rest, or" \
      "all at once with npm run deploy, or cdktf deploy --terraform-parallelism=100" >&2
    exit 1
  fi
  echo "$$" >"$questions/asking.$STOP_OWNER"
}
record_stop() { : >"$questions/stopped.$STOP_OWNER"; }
