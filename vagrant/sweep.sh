#!/bin/bash
# Takes away what a vagrant that was interrupted leaves in libvirt: machines that it has not written down yet, their disks, and networks that
# no machine uses. The names of machines to be left alone are the arguments.
set -euo pipefail
prefix=${HAWSER_PREFIX:-hawser-}
spare=" $* "
spare=${spare//$'\n'/ }
v() { timeout 60 virsh --connect qemu:///system "$@"; }
v version >/dev/null 2>&1 || exit 0
left=''
for name in cloud app-1 app-2 lb-1 lb-2 lb-3; do
	if [[ $spare == *" $name "* ]]; then
		left=1
		continue
	fi
	if v domuuid "$prefix$name" >/dev/null 2>&1; then
		v destroy "$prefix$name" >/dev/null 2>&1 || true # not running
		v undefine "$prefix$name" --remove-all-storage >/dev/null
	fi
	if v vol-info --pool default "$prefix$name.img" >/dev/null 2>&1; then v vol-delete --pool default "$prefix$name.img" >/dev/null; fi
	rm -rf "$(dirname "$0")/.vagrant/machines/$name"
done
[ -z "$left" ] || exit 0
for network in management private public; do
	v net-uuid "$prefix$network" >/dev/null 2>&1 || continue
	v net-destroy "$prefix$network" >/dev/null 2>&1 || true # not active
	v net-undefine "$prefix$network" >/dev/null
done
