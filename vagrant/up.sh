#!/bin/bash
# Brings the machines of the Vagrantfile up. What this run has made is taken away again if it fails or is interrupted, with the daemons
# that it has started.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
state=$here/.vagrant/hawser
mkdir -p "$state"
chmod 0700 "$state"

# One at a time: two would take each other's machines for their own.
exec 9>"$state/lock"
flock --nonblock 9 || { echo "make vagrant-up: another make vagrant-up or vagrant-down is at work here: wait for it" >&2 && exit 1; }

provider=$(./preflight.sh)
deb=$(compgen -G "${HAWSER_DEBS:-../build/packages}/hawser_*_amd64.deb" || true)
[ -n "$deb" ] || { echo "make vagrant-up: there is no hawser_*_amd64.deb in ${HAWSER_DEBS:-build/packages}: run make package" >&2 && exit 1; }
export VAGRANT_DEFAULT_PROVIDER=$provider
boxes=$(vagrant box list 2>/dev/null || true)
if [ -z "${HAWSER_BOX:-}" ] && grep -q "^hawser/bookworm64 .*($provider" <<<"$boxes"; then
	echo "using the box hawser/bookworm64, which make vagrant-box made here; HAWSER_BOX=debian/bookworm64 uses the public one"
	export HAWSER_BOX=hawser/bookworm64
fi
if [ "$provider" = libvirt ]; then
	[ -n "${HAWSER_DRIVER:-}" ] || HAWSER_DRIVER=$(./kvm.sh)
	export HAWSER_DRIVER
	# More memory is needed for some than was looked for.
	./preflight.sh >/dev/null
	echo "$HAWSER_DRIVER" >"$state/driver"
fi

machines() { compgen -G '.vagrant/machines/*/*/id' | cut -d/ -f3 | sort -u || true; }
before=$(machines)
had_daemons=1
[ -e "$state/daemons/libvirtd.pid" ] || had_daemons=''

running=''
undo() {
	local code=$? made=()
	trap '' INT TERM
	trap - EXIT
	if [ -n "$running" ]; then # vagrant finishes the step that it is in, and does not begin another
		kill -INT "$running" 2>/dev/null || true
		timeout 120 tail --pid="$running" -f /dev/null || kill -KILL "$running" 2>/dev/null || true
	fi
	mapfile -t made < <(comm -13 <(printf '%s\n' "$before") <(machines) | grep . || true)
	echo "make vagrant-up: given up: taking away what it has made: ${made[*]:-no machine}" >&2
	[ ${#made[@]} -eq 0 ] || vagrant destroy --force "${made[@]}" </dev/null >&2 || true
	if [ "$provider" = libvirt ]; then ./sweep.sh "$before" >&2 || true; fi
	[ -n "$had_daemons" ] || ./daemons.sh stop >&2 || true
	[ -n "$before" ] || rm -rf "$state"/{payload,driver,authkey,token}
	exit "$code"
}
trap undo EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# vagrant is a child that is waited for, so that a signal is heard at once. It has a process group of its own, because a shell without job
# control starts what it does not wait for with SIGINT ignored, and because Ctrl-C is then this script's to pass on.
bring() {
	set -m
	vagrant up --provider "$provider" "$@" </dev/null 9>&- &
	running=$!
	set +m
	wait "$running"
	running=''
}
if [ "$provider" = libvirt ]; then ./daemons.sh start 9>&-; fi
start=$SECONDS
bring cloud app-1 app-2 # the balancers ask the cloud for the certificate that they have to trust
bring lb-1 lb-2 lb-3
trap - EXIT
echo "the machines are up after $((SECONDS - start)) s: cd vagrant && vagrant ssh lb-1; make vagrant-down takes them away"
