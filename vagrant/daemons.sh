#!/bin/bash
# Starts libvirt's daemons where none is running, and ends those that it started.
#
#   vagrant/daemons.sh start|stop
#
# Where libvirt runs, under systemd or by hand, it is left alone by both.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
state=$here/.vagrant/hawser/daemons

fail() {
	echo "vagrant/daemons.sh: $*" >&2
	exit 1
}
answers() { timeout 20 virsh --connect qemu:///system version >/dev/null 2>&1; }

start() {
	if answers; then return; fi
	if [ -d /run/systemd/system ] && systemctl cat libvirtd.socket >/dev/null 2>&1; then
		fail "libvirt does not answer: sudo systemctl start libvirtd.socket virtlogd.socket; and sudo adduser $(id -un) libvirt"
	fi
	[ "$(id -u)" = 0 ] || fail "libvirt's daemons do not run, and starting them needs root"
	for daemon in virtlogd libvirtd; do
		command -v "$daemon" >/dev/null || fail "there is no $daemon: run vagrant/deps.sh"
	done
	mkdir -p "$state"
	echo "starting virtlogd and libvirtd, which make vagrant-down ends again"
	virtlogd --daemon --pid-file "$state/virtlogd.pid" || fail "virtlogd does not start"
	# libvirt asks two ways whether there is KVM, as root and as the user of the machines, and asks again for seconds, at every step, while the
	# answers differ. Where udev has not given /dev/kvm to that user's group, libvirtd gets to see one that is the group's.
	# shellcheck disable=SC2016 # the inner shell's own
	unshare --mount sh -ec '
		if [ -c /dev/kvm ] && [ "$(stat -c %G /dev/kvm)" != kvm ] && getent group kvm >/dev/null; then
			mkdir -p /run/hawser-libvirt
			mount -t tmpfs -o mode=0755 hawser /run/hawser-libvirt
			mknod -m 0660 /run/hawser-libvirt/kvm c 10 232
			chgrp kvm /run/hawser-libvirt/kvm
			mount --bind /run/hawser-libvirt/kvm /dev/kvm
		fi
		exec libvirtd --daemon --pid-file "$1"' - "$state/libvirtd.pid" || fail "libvirtd does not start"
	local deadline=$((SECONDS + 60))
	until answers; do
		[ $SECONDS -lt $deadline ] || fail "libvirtd does not answer within a minute: $(virsh --connect qemu:///system version 2>&1 | tail -1)"
		sleep 0.5
	done
}

stop() {
	local daemon pid deadline
	for daemon in libvirtd virtlogd; do
		[ -e "$state/$daemon.pid" ] || continue
		pid=$(cat "$state/$daemon.pid")
		# A number may have become somebody else's.
		if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$daemon" ]; then
			echo "ending $daemon"
			kill "$pid"
			deadline=$((SECONDS + 30))
			while [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$daemon" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
				[ $SECONDS -lt $deadline ] || fail "$daemon, process $pid, does not end: kill -KILL $pid"
				sleep 0.2
			done
		fi
		rm -f "$state/$daemon.pid"
	done
	rmdir "$state" /run/hawser-libvirt 2>/dev/null || true
}

case ${1:-} in
start | stop) "$1" ;;
*) fail "start or stop?" ;;
esac
