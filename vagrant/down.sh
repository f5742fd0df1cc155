#!/bin/bash
# Takes the machines of the Vagrantfile away, with their disks, networks and secrets, and ends the daemons that make vagrant-up started.
# The box stays: vagrant box remove hawser/bookworm64 takes that away.
set -euo pipefail
cd "$(dirname "$0")"
state=$PWD/.vagrant/hawser
[ -d .vagrant ] || { echo "there is nothing to take away" && exit 0; }
mkdir -p "$state"
exec 9>"$state/lock"
flock --nonblock 9 || { echo "make vagrant-down: make vagrant-up is at work here: end it with Ctrl-C, and it takes away what it has made" >&2 && exit 1; }
if compgen -G '.vagrant/machines/*/libvirt' >/dev/null; then ./daemons.sh start 9>&-; fi # the machines outlive their daemons
vagrant destroy --force </dev/null 9>&-
if command -v virsh >/dev/null; then ./sweep.sh; fi
./daemons.sh stop
rm -rf .vagrant
