#!/bin/bash
# Runs a command on another root file system, in this directory, with this machine's Go, module
# cache and build cache, and with /run and /tmp of its own (root).
#
#   dist/run.sh DIRECTORY COMMAND [ARGUMENT...]
set -euo pipefail

[ $# -ge 2 ] || {
	echo "usage: dist/run.sh DIRECTORY COMMAND [ARGUMENT...]" >&2
	exit 2
}
root=$(realpath "$1")
shift
[ "$(id -u)" = 0 ] || {
	echo "dist/run.sh: entering $root needs root" >&2
	exit 1
}
binds=("$PWD" "$(go env GOROOT)" "$(go env GOPATH)" "$(go env GOMODCACHE)" "$(go env GOCACHE)")
mkdir -p "${binds[@]}"
# The mounts are in a namespace of their own, and end with the command.
export root
# shellcheck disable=SC2016 # the shell inside expands it
exec unshare --mount --propagation private bash -euc '
	here=$PWD
	binds=("${@:1:5}")
	shift 5
	# pivot_root wants a mount; and /run, where laboratories and their namespaces are, is a new one.
	mount --bind "$root" "$root"
	mount --rbind /dev "$root/dev"
	mount --rbind /sys "$root/sys"
	mount -t proc proc "$root/proc"
	mount -t tmpfs -o mode=0755 run "$root/run"
	mount -t tmpfs -o mode=1777 tmp "$root/tmp"
	for dir in "${binds[@]}"; do
		mkdir -p "$root$dir"
		mount --bind "$dir" "$root$dir"
	done
	cp /etc/resolv.conf /etc/hosts "$root/etc/"
	cd "$root"
	mkdir -p .machine
	pivot_root . .machine
	umount -l .machine
	rmdir .machine
	mkdir -p /run/lock
	cd "$here"
	exec "$@"
' run.sh "${binds[@]}" "$@"
