#!/bin/sh
# drain-pty.sh ARGUMENT...: runs Terraform for the CDKTF CLI, which starts this script as TERRAFORM_BINARY_NAME.
# CONSUL_CDKTF_TERRAFORM names the program, terraform by default.
#
# Under the CDKTF CLI Terraform writes to a pseudo-terminal of node-pty. On Linux, output that is still in the terminal
# when the program ends is lost. That is often all the output of a failure, including its reason. So this script holds
# the terminal open for a moment after the last output.
set -u

# Terraform receives Ctrl-C as well, and needs time to end.
trap : INT
"${CONSUL_CDKTF_TERRAFORM:-terraform}" "$@"
status=$?
[ ! -t 1 ] || sleep 0.3
exit "$status"
