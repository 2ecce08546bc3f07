#!/bin/sh
# What pid 1 of a machine does before it settles down: gives the machine a name and a /run of its own.
# Usage: machine-init.sh NAME FOLDER   (inside new mount, uts and pid namespaces; FOLDER is the machine's, on the real disk)
set -eu
name=$1
folder=$2

hostname "$name"

# A private /run: Docker's and sshd's default paths stay the defaults, hidden from the real machine and from each other, and the
# real machine's own docker.sock and containerd.sock, if it has them, are out of sight (dockerd would take the latter for its own).
# The named network namespaces go first: copies of their mounts would keep them alive.
umount -R -l /run/netns 2>/dev/null || true
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/sshd

# Nobody on this LAN answers DNS. The address is one that refuses at once; a loopback one would make dockerd put a public
# resolver into its containers instead.
resolv=$(readlink -m /etc/resolv.conf)
case $resolv in
/run/*) mkdir -p "$(dirname "$resolv")" && : >"$resolv" ;;
esac
if [ -e "$resolv" ]; then mount --bind "$folder/resolv.conf" "$resolv"; fi

# Each shell that sshd starts reads its start-up files, and a version manager in the real machine's can wait for a lock that nobody
# holds any more: no daemon would answer.
home=$(getent passwd root | cut -d: -f6)
for file in /etc/bash.bashrc /etc/zsh/zshenv "$home/.bashrc" "$home/.zshenv"; do
  if [ -e "$file" ]; then mount --bind /dev/null "$file"; fi
done

# sshd refuses a locked account without asking for a key; whether root's is locked depends on how the machine was installed.
mount --bind "$folder/shadow" /etc/shadow

: >"$folder/ready"
exec /usr/bin/dumb-init -- sleep infinity
