#!/bin/sh
# parallelism.sh: Terraform runs a number of operations at a time (-parallelism, 10 by default), first come, first served, and a question holds its slot while it
# waits. When all slots hold questions, the agent that was stopped has none to be started and gated in. Whoever would take the last one is told here.
# Each question of a run has a file in a folder of the run's own, among what Terraform keeps beside the configuration. In front of pre-stop.sh and
# pre-leave.sh.

# shellcheck disable=SC2154 # docker.sh gives run
# The command line wins over TF_CLI_ARGS_*, which wins over TF_CLI_ARGS.
slots=$(printf '%s\n' "$(command_of "$run")" "${TF_CLI_ARGS_apply:-}" "${TF_CLI_ARGS_destroy:-}" "${TF_CLI_ARGS:-}" |
  sed -n 's/.*-parallelism[= ]\([0-9][0-9]*\).*/\1/p' | head -n 1)
slots=${slots:-10}

runs=${TF_DATA_DIR:-.terraform}/questions
questions=$runs/$run
asking() {
  for file in "$questions"/asking.*; do
    [ -e "$file" ] && kill -0 "$(cat "$file")" 2>/dev/null && echo "$file"
  done
}
# The agents whose containers were stopped in this run, and that have not passed their gates since.
missing() {
  for file in "$questions"/stopped.*; do
    [ ! -e "$file" ] || echo "${file##*/stopped.}"
  done
}

# Takes a place among the questions of this run, or says why there is none.
take_place() {
  for other in "$runs"/*; do kill -0 "${other##*/}" 2>/dev/null || rm -rf "$other"; done
  mkdir -p "$questions"
  trap 'rm -f "$questions/asking.$STOP_OWNER"' EXIT
  [ "$(asking | grep -c .)" -lt "$((slots - 1))" ] || waiting=$(missing | tr '\n' ' ')
  if [ -n "${waiting:-}" ]; then
    echo "$STOP_OWNER: not stopped: Terraform's -parallelism is $slots, and no slot would be left to start ${waiting}in. Deploy again for the rest, or" \
      "all at once with npm run deploy, or cdktf deploy --terraform-parallelism=100" >&2
    exit 1
  fi
  echo "$$" >"$questions/asking.$STOP_OWNER"
}
note_stop() { : >"$questions/stopped.$STOP_OWNER"; }
