#!/bin/bash
# Installs what make vagrant-box and make vagrant-up need on Debian: Vagrant, libvirt, qemu and the makers of a box. No daemon of theirs is
# started or enabled: make vagrant-up starts those that it needs, and make vagrant-down ends them.
set -euo pipefail

packages=(
	vagrant vagrant-libvirt libvirt-daemon-system libvirt-clients dnsmasq-base qemu-system-x86 qemu-utils # the machines
	mmdebstrap grub-pc-bin grub2-common fdisk e2fsprogs                                                # the box
	openssh-client rsync iproute2                                                                      # the way into them
)

# VirtualBox's own Vagrant needs none of this.
if [ "${HAWSER_PROVIDER:-}" = virtualbox ]; then exit 0; fi
missing=()
for p in "${packages[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

# Whoever has Vagrant with a provider from elsewhere is left alone.
if command -v vagrant >/dev/null && command -v VBoxManage >/dev/null && ! command -v libvirtd >/dev/null; then exit 0; fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "vagrant/deps.sh: these Debian packages are missing: ${missing[*]}" >&2
	echo "vagrant/deps.sh: install them as root, or Vagrant and VirtualBox by their own means" >&2
	exit 1
fi
echo "installing ${missing[*]}"
policy=/usr/sbin/policy-rc.d # asked before a daemon is started; 101 is "no" (policy-rc.d(8))
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 0755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp /tmp/hawser-vagrant-deps.XXXXXX)
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"; } </dev/null >"$log" 2>&1; then
	tail -20 "$log" >&2
	echo "vagrant/deps.sh: apt-get failed; the whole output is in $log" >&2
	exit 1
fi
rm -f "$log"
# Enabled anyway, by deb-systemd-helper.
if [ -d /run/systemd/system ]; then
	for unit in libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirt-guests.service virtlogd.socket virtlockd.socket; do
		systemctl disable --quiet "$unit" 2>/dev/null || true
	done
fi
