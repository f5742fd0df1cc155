#!/bin/sh
# dpkg: remove, purge, upgrade …; rpm: 0 at a removal, 1 at an upgrade. What the operator put into /etc/hawser stays, also at a purge: the
# token files are not the package's.
set -e

case "$1" in
remove | 0)
	for link in heartbeat/haproxy digitalocean/floatip; do
		at=/usr/lib/ocf/resource.d/$link
		if [ -L "$at" ] && [ "$(readlink "$at")" = "../hawser/${link#*/}" ]; then
			rm -f "$at"
		fi
	done
	# What the links were alone in, where nobody else has agents.
	for dir in /usr/lib/ocf/resource.d/digitalocean /usr/lib/ocf/resource.d/heartbeat /usr/lib/ocf/resource.d /usr/lib/ocf; do
		if [ -d "$dir" ]; then
			rmdir --ignore-fail-on-non-empty "$dir"
		fi
	done
	;;
esac
