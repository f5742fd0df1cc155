#!/bin/bash
# Prints "kvm" if a Linux kernel boots under KVM here, else "qemu", and why on standard error. /dev/kvm alone says little: there are
# machines that have it, inside other virtual machines, on which a guest's kernel never gets to its first line.
#
#   vagrant/kvm.sh [VMLINUZ]      a kernel to try; by default the one that make vagrant-box left in build/vagrant and in its box, or this machine's
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
limit=${HAWSER_KVM_LIMIT:-10} # seconds; under a KVM that works a kernel takes one

slow() {
	echo "software emulation: $*" >&2
	echo qemu
	exit 0
}
[ -c /dev/kvm ] || slow "there is no /dev/kvm"
[[ -r /dev/kvm && -w /dev/kvm ]] || slow "/dev/kvm may not be used by $(id -un): sudo adduser $(id -un) kvm, and log in again"
command -v qemu-system-x86_64 >/dev/null || slow "there is no qemu-system-x86_64 to try KVM with"
kernel=''
shopt -s globstar nullglob
for at in "$@" "$here"/../build/vagrant/vmlinuz "${VAGRANT_HOME:-$HOME/.vagrant.d}"/boxes/hawser-VAGRANTSLASH-bookworm64/**/vmlinuz \
	/boot/vmlinuz /boot/vmlinuz-*; do
	[ ! -r "$at" ] || { kernel=$at && break; }
done
if [ -z "$kernel" ]; then
	echo "KVM: /dev/kvm is there; no kernel was found to try it with. If the machines get no address within two minutes: Ctrl-C, then" \
		"make vagrant-up HAWSER_DRIVER=qemu, or make vagrant-box first, which leaves a kernel to try" >&2
	echo kvm
	exit 0
fi
console=$(mktemp)
trap 'rm -f "$console"' EXIT
# Without a root file system it panics as soon as it has booted, and panic=-1 with -no-reboot ends qemu.
timeout "$limit" qemu-system-x86_64 -accel kvm -cpu host -m 256 -nographic -no-reboot -kernel "$kernel" \
	-append "console=ttyS0 panic=-1" </dev/null >"$console" 2>&1 || true
if grep -q 'Kernel panic' "$console"; then
	echo "KVM: a kernel boots under it" >&2
	echo kvm
else
	slow "a kernel did not boot under /dev/kvm within $limit s: $(tail -1 "$console" | tr -d '\r' | cut -c1-120)"
fi
