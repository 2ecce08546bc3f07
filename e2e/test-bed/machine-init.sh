#!/bin/sh
# Pid 1 of a machine: sets the machine's name, mounts its own /run, then sleeps.
# Usage: machine-init.sh NAME FOLDER   (inside new mount, uts and pid namespaces; FOLDER is the machine's)
set -eu
name=$1
folder=$2

hostname "$name"

# A private /run: each machine has Docker's and sshd's default paths, and does not see the real machine's docker.sock and
# containerd.sock (dockerd would use the latter). The named network namespaces are unmounted first: copies of their mounts would
# keep them alive.
umount -R -l /run/netns 2>/dev/null || true
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/sshd

# The LAN has no DNS server. This address refuses at once; with a loopback address, dockerd would put a public resolver into its
# containers instead.
resolv=$(readlink -m /etc/resolv.conf)
case $resolv in
/run/*) mkdir -p "$(dirname "$resolv")" && : >"$resolv" ;;
esac
if [ -e "$resolv" ]; then mount --bind "$folder/resolv.conf" "$resolv"; fi

# Each shell that sshd starts reads its start-up files. A version manager in the real machine's files can wait for a stale lock, and
# then no daemon would be reachable.
home=$(getent passwd root | cut -d: -f6)
for file in /etc/bash.bashrc /etc/zsh/zshenv "$home/.bashrc" "$home/.zshenv"; do
  if [ -e "$file" ]; then mount --bind /dev/null "$file"; fi
done

# sshd rejects a locked account without asking for a key; root's may be locked, depending on how the machine was installed.
mount --bind "$folder/shadow" /etc/shadow

: >"$folder/ready"
exec /usr/bin/dumb-init -- sleep infinity
