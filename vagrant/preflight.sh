#!/bin/bash
# Looks whether the machines of the Vagrantfile can be made here, and prints the provider: libvirt or virtualbox. Changes nothing. All that is
# wrong is said at once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

tun=${HAWSER_TUN:-/dev/net/tun}
meminfo=${HAWSER_MEMINFO:-/proc/meminfo}
net=${HAWSER_MANAGEMENT_NET:-192.168.121.0/24}
prefix=${HAWSER_PREFIX:-hawser-}

wrong=()
# found WHAT DO: what is wrong, and what to do about it.
found() { wrong+=("$1"$'\n'"    $2"); }
has() { command -v "$1" >/dev/null; }

provider=${HAWSER_PROVIDER:-}
case $provider in
libvirt | virtualbox | '') ;;
*) found "HAWSER_PROVIDER=$provider is no provider of this Vagrantfile" "set it to libvirt or virtualbox, or not at all" ;;
esac
has vagrant || found "there is no vagrant" "on Debian: vagrant/deps.sh; elsewhere see https://developer.hashicorp.com/vagrant/install"
if [ -z "$provider" ]; then
	if has virsh && has libvirtd; then
		provider=libvirt
	elif has VBoxManage; then
		provider=virtualbox
	else
		found "there is neither libvirt (virsh, libvirtd) nor VirtualBox (VBoxManage)" "on Debian: vagrant/deps.sh installs libvirt with qemu; or install VirtualBox"
	fi
elif [ "$provider" = libvirt ]; then
	for tool in virsh libvirtd; do
		has "$tool" || found "there is no $tool, which the provider libvirt needs" "on Debian: vagrant/deps.sh; or use HAWSER_PROVIDER=virtualbox"
	done
elif [ "$provider" = virtualbox ]; then
	has VBoxManage || found "there is no VBoxManage, which the provider virtualbox needs" "install VirtualBox, or use HAWSER_PROVIDER=libvirt"
fi

# What those take that do not run yet: memory as in the Vagrantfile, and up to a gigabyte of disk. An emulated processor's translated code
# takes up to a gigabyte of memory more for each.
machines=(cloud app-1 app-2 lb-1 lb-2 lb-3)
v() { timeout 20 virsh --connect qemu:///system "$@" 2>/dev/null; }
need=0 disk=0
for name in "${machines[@]}"; do
	if [ "$provider" = libvirt ] && [ "$(LC_ALL=C v domstate "$prefix$name" | head -1)" = running ]; then continue; fi
	case $name in
	lb-*) need=$((need + 768)) ;;
	*) need=$((need + 384)) ;;
	esac
	disk=$((disk + 1024))
done
if [ "${HAWSER_DRIVER:-}" = qemu ]; then need=$((need * 2)); fi
available=$(awk '/^MemAvailable:/ {print int($2 / 1024)}' "$meminfo")
if [ "$available" -lt "$need" ]; then
	found "the machines that do not run yet take $need MiB of memory, and $available MiB are available" \
		"end what uses it (ps aux --sort=-rss | head), or use a larger machine"
fi

if [ "$provider" = libvirt ]; then
	has qemu-system-x86_64 || found "there is no qemu-system-x86_64" "apt-get install qemu-system-x86"
	has dnsmasq || found "there is no dnsmasq, which gives the machines their addresses" "apt-get install dnsmasq-base"
	[ -c "$tun" ] || found "there is no $tun, by which virtual machines get a network" "sudo modprobe tun; in a container, give it the device (--device /dev/net/tun)"
	pool=${HAWSER_POOL:-/var/lib/libvirt/images}
	dir=$pool
	while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
	free=$(df --output=avail -B 1M "$dir" | tail -1 | tr -d ' ')
	[ "$free" -ge "$disk" ] || found "the machines' disks take up to $disk MiB in $pool, and $free MiB are free" "make room there (du -sh $dir/*)"

	# Of the network that Vagrant reaches the machines by: 192.168.121.0/24 unless told otherwise. A bridge of this cluster's own is no conflict.
	subnet=${net%.*}
	own=$(v net-dumpxml "${prefix}management" | sed -n "s/.*<bridge name='\([^']*\)'.*/\1/p" || true)
	while read -r _ nic _ address _; do
		[ "$nic" != "$own" ] || continue
		case $address in "$subnet".*) found "the network $net, by which Vagrant reaches the machines, is in use here already: $nic has $address" "HAWSER_MANAGEMENT_NET=192.168.237.0/24 make vagrant-up, or another network that is free" ;; esac
	done < <(ip -o -4 address show 2>/dev/null || true)
	# libvirt's dnsmasq listens on the gateway's address alone, which a program that has taken all addresses forbids.
	for port in 53 67; do
		holder=$(ss -Hlnup "sport = :$port" 2>/dev/null | awk -v p="$port" '$4 == "0.0.0.0:" p || $4 == "*:" p {print $NF; exit}' || true)
		[ -z "$holder" ] || found "UDP port $port is taken on every address of this machine: $holder" "stop that program, or bind it to addresses of its own; libvirt's dnsmasq needs the port for the machines"
	done
	# A machine of that name that this Vagrantfile has not made is somebody else's.
	for name in "${machines[@]}"; do
		uuid=$(v domuuid "$prefix$name" | head -1 || true)
		if [ -n "$uuid" ] && [ "$uuid" != "$(cat "$here/.vagrant/machines/$name/libvirt/id" 2>/dev/null || true)" ]; then
			found "libvirt has a machine $prefix$name that was not made from this directory" "use the directory that it was made from, or virsh undefine --remove-all-storage $prefix$name, or HAWSER_PREFIX=other-"
		fi
	done
fi

if [ ${#wrong[@]} -gt 0 ]; then
	printf 'make vagrant-up: %s\n' "${wrong[@]}" >&2
	exit 1
fi
echo "$provider"
