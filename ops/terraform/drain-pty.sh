#!/bin/sh
# Terraform for the CDKTF CLI, in TERRAFORM_BINARY_NAME's place: CONSUL_CDKTF_TERRAFORM is the program, terraform by default.
#
# The CDKTF CLI has Terraform write to a pseudo-terminal, by node-pty. What is still in there when the program ends is lost on Linux: often enough
# all that Terraform says at once when it fails, so the reason. Here the terminal stays for a moment after the last word.
set -u

# Terraform gets Ctrl-C as well, and takes its time to end.
trap : INT
"${CONSUL_CDKTF_TERRAFORM:-terraform}" "$@"
status=$?
[ ! -t 1 ] || sleep 0.3
exit "$status"
