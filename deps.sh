#!/bin/bash
# Installs the Debian packages that a target of the Makefile uses, where they are missing, without
# starting or enabling any of their daemons on this machine.
#
#   ./deps.sh [demo|test|lint|bench|root]      without an argument: all of them
#   ./deps.sh --list demo|test|lint|bench|root prints their names, and installs nothing
set -euo pipefail

# The laboratory: what `hawser-lab up`, hawser itself and `make demo` run.
lab=(
	pacemaker pacemaker-cli-utils corosync # the cluster
	haproxy nginx-light                    # what it balances
	iptables procps curl                   # nodes in namespaces
)
test=(
	crmsh pcs resource-agents   # the cluster's shells, ocf-tester and the shell agents
	keepalived                  # the peer, of which it is tested that it works
	iproute2 iputils-arping     # nodes on which somebody, or a shell agent, looks around
	psmisc                      # killall
	nftables openssl            # tests of packet filters, and of certificates that change
	dbus systemd                # nodes whose PID 1 is systemd
	libxml2-utils               # xmllint, for the schemas of the agents' meta-data
	fence-agents                # the schema of fence agents' metadata
	sbd                         # nodes that reset themselves when they have lost quorum
	corosync-qnetd              # the third place of a laboratory with sites (up --sites)
	corosync-qdevice            # by which its balancers ask it; both need libnss3-tools' certutil
	lintian rpm man-db zsh fish # the packages, their manual pages and completions
	git gcc libc6-dev           # make package, and go test -race
	jq                          # the examples of docs/json.md
)
# Nodes are told to reboot. What another init has brought along is left alone.
command -v reboot >/dev/null || test+=(systemd-sysv)
lint=(
	git shellcheck
	vagrant # which only validates there
)
bench=(
	crmsh pcs resource-agents keepalived # the peers
	iproute2 iputils-arping              # IPaddr2, and the addresses that the tests look at
	git psmisc                           # the commit that is measured; killall
	strace                               # which counts the programs that a monitor runs
)
root=(
	mmdebstrap # which makes the root file system of another release
)
list=no
if [ "${1:-}" = --list ]; then
	list=yes
	shift
fi
case "${1:-all}" in
demo) packages=("${lab[@]}") ;;
test) packages=("${lab[@]}" "${test[@]}") ;;
lint) packages=("${lint[@]}") ;;
bench) packages=("${lab[@]}" "${bench[@]}") ;;
root) packages=("${root[@]}") ;;
all) packages=("${lab[@]}" "${test[@]}" "${lint[@]}" "${bench[@]}" "${root[@]}") ;;
*)
	echo "usage: ./deps.sh [--list] [demo|test|lint|bench|root]" >&2
	exit 2
	;;
esac
if [ "$list" = yes ]; then
	printf '%s\n' "${packages[@]}" | sort -u
	exit 0
fi
missing=()
for p in $(printf '%s\n' "${packages[@]}" | sort -u); do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "these packages are missing: ${missing[*]}" >&2
	echo "installing them needs root: run make deps as root, or apt-get install them yourself" >&2
	exit 1
fi
echo "installing ${missing[*]}"

# invoke-rc.d asks this file before it starts a daemon; 101 is "no" (policy-rc.d(8)). deb-systemd-helper enables units all the same,
# so those that are new are disabled afterwards.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 0755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
log=$(mktemp /tmp/hawser-deps.XXXXXX)
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" </dev/null >"$log" 2>&1 || {
	tail -20 "$log" >&2
	echo "apt-get install failed; the whole output is in $log" >&2
	exit 1
}
rm -f "$log"
if command -v systemctl >/dev/null; then
	for p in "${missing[@]}"; do
		case "$p" in
		pacemaker | corosync | corosync-qnetd | corosync-qdevice | haproxy | keepalived | sbd) systemctl disable --quiet "$p.service" 2>/dev/null || true ;;
		nginx-light) systemctl disable --quiet nginx.service 2>/dev/null || true ;;
		pcs) systemctl disable --quiet pcsd.service 2>/dev/null || true ;;
		esac
	done
fi
