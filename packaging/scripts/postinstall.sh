#!/bin/sh
# dpkg: configure, abort-remove …; rpm: 1 at an installation, 2 at an upgrade. Nothing is started, stopped, enabled or reloaded: Pacemaker
# runs the new agents from their next action on, and the keeper of the old ones is replaced by the next monitor.
set -e

resources=/usr/lib/ocf/resource.d

# The agents are also found under the names of the shell agents that they replace, unless another file is there.
link() {
	at=$resources/$1/$2
	if [ -L "$at" ] && [ "$(readlink "$at")" = "../hawser/$2" ]; then
		return 0
	fi
	if [ -e "$at" ] || [ -L "$at" ]; then
		echo "hawser: $at belongs to something else and stays: ocf:$1:$2 is not hawser's agent, ocf:hawser:$2 is"
		return 0
	fi
	mkdir -p "$resources/$1"
	ln -s "../hawser/$2" "$at"
}

case "$1" in
configure | abort-upgrade | abort-remove | abort-deconfigure | 1 | 2)
	link heartbeat haproxy
	link digitalocean floatip
	;;
esac
