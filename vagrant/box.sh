#!/bin/bash
# Builds a Debian 12 box for vagrant-libvirt on this machine and registers it, where no catalogue of boxes can be reached, or where
# boxes that have the cluster's packages inside are wanted: those are up minutes earlier under software emulation.
#
#   vagrant/box.sh [DIRECTORY]      what is built goes there, build/vagrant by default; HAWSER_BOX names the box
#
# Neither a loop device nor KVM is needed: mmdebstrap makes the tree, mke2fs -d the file system inside a partitioned file, and GRUB is
# what grub-mkimage makes, written to where the BIOS looks.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dir=$(realpath -m "${1:-$here/../build/vagrant}")
box=${HAWSER_BOX:-hawser/bookworm64}
# shellcheck disable=SC2016 # apt replaces it
# repository SUITE is where this machine's apt has that suite of Debian from, if it has it: that can be reached from here.
repository() { apt-get indextargets --format '$(REPO_URI)' "Release: $1" 2>/dev/null | head -1 || true; }
mirror=${HAWSER_MIRROR:-$(repository bookworm)}
security=${HAWSER_MIRROR_SECURITY:-$(repository bookworm-security)}
sources=() # none: those of mmdebstrap
if [ -n "$mirror" ]; then
	sources=("deb $mirror bookworm main" "deb $mirror bookworm-updates main")
	[ -z "$security" ] || sources+=("deb $security bookworm-security main")
fi

fail() {
	echo "vagrant/box.sh: $*" >&2
	exit 1
}
[ "$(id -u)" = 0 ] || fail "building the box needs root, to own its files: sudo make vagrant-box"
for tool in mmdebstrap mke2fs sfdisk grub-mkimage qemu-img vagrant; do
	command -v "$tool" >/dev/null || fail "there is no $tool: run vagrant/deps.sh, or install the package that has it"
done
grub=/usr/lib/grub/i386-pc
[ -e "$grub/boot.img" ] || fail "there is no $grub/boot.img: apt-get install grub-pc-bin"
mkdir -p "$dir"
free=$(df --output=avail -B 1M "$dir" | tail -1)
[ "$free" -ge 4096 ] || fail "$dir has $free MiB free, and building the box takes 4096"

packages=(
	linux-image-cloud-amd64 initramfs-tools zstd
	systemd-sysv dbus udev kmod procps iproute2 iputils-ping ifupdown isc-dhcp-client netbase openssh-server sudo rsync ca-certificates
	curl less man-db nftables iptables conntrack socat
	corosync pacemaker pacemaker-cli-utils crmsh haproxy nginx-light sbd
)
work=$(mktemp -d "$dir/box.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
start=$SECONDS

# What the tree needs before the kernel's package makes its initrd: only what a guest of libvirt boots from, so that little is unpacked.
cat >"$work/initrd.sh" <<'HOOK'
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=list\nCOMPRESS=zstd\nRESUME=none\n' >"$1/etc/initramfs-tools/conf.d/box"
printf 'virtio_pci\nvirtio_blk\nvirtio_net\nvirtio_scsi\nsd_mod\nata_piix\next4\ncrc32c_generic\n' >"$1/etc/initramfs-tools/modules"
HOOK

cat >"$work/system.sh" <<'HOOK'
set -eu
root=$1
inside() { chroot "$root" "$@"; }
echo bookworm >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 bookworm\n::1 localhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
echo '/dev/vda1 / ext4 noatime,errors=remount-ro 0 0' >"$root/etc/fstab"
printf 'source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n' >"$root/etc/network/interfaces"
mkdir -p "$root/var/log/journal"

# As https://developer.hashicorp.com/vagrant/docs/boxes/base wants it: the user vagrant, who may do everything, with the well-known key.
inside useradd --create-home --shell /bin/bash vagrant
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/vagrant"
chmod 0440 "$root/etc/sudoers.d/vagrant"
inside install -d -m 0700 -o vagrant -g vagrant /home/vagrant/.ssh
install -m 0600 "$HAWSER_VAGRANT_KEY" "$root/home/vagrant/.ssh/authorized_keys"
inside chown vagrant:vagrant /home/vagrant/.ssh/authorized_keys
printf 'UseDNS no\nPasswordAuthentication no\n' >"$root/etc/ssh/sshd_config.d/box.conf"

# Each of these costs seconds under emulation, at every boot or in the middle of a test.
inside systemctl mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer man-db.timer dpkg-db-backup.timer \
	logrotate.timer systemd-timesyncd.service systemd-pstore.service getty@tty1.service console-getty.service systemd-binfmt.service \
	logd.service dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount 2>/dev/null
# It waits for every device there is; those of the network are there before the root file system.
inside systemctl mask ifupdown-pre.service 2>/dev/null
# The index of manual pages would be rebuilt whenever a package is installed, which takes as long as installing it.
rm -f "$root/var/lib/man-db/auto-update"
# A box has roles to come: provisioning enables what the machine is for. haproxy.service stays as Debian's package leaves it.
inside systemctl disable corosync.service pacemaker.service sbd.service nginx.service 2>/dev/null
inside systemctl enable serial-getty@ttyS0.service 2>/dev/null

version=$(basename "$root"/boot/vmlinuz-*)
version=${version#vmlinuz-}
mkdir -p "$root/boot/grub"
cat >"$root/boot/grub/grub.cfg" <<CFG
set timeout=0
linux /boot/vmlinuz-$version root=/dev/vda1 ro net.ifnames=0 console=ttyS0,115200 quiet loglevel=3 mitigations=off panic=10
initrd /boot/initrd.img-$version
boot
CFG
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/apt "$root"/usr/share/locale/*/LC_MESSAGES
HOOK

# The key that vagrant brings with itself (keys/vagrant.pub of its source).
HAWSER_VAGRANT_KEY=$(find /usr/share /opt/vagrant -name vagrant.pub -path '*keys*' -print -quit 2>/dev/null || true)
export HAWSER_VAGRANT_KEY
[ -n "$HAWSER_VAGRANT_KEY" ] || fail "vagrant's own key, keys/vagrant.pub, is below neither /usr/share nor /opt/vagrant"

echo "a tree of Debian 12 with the cluster's packages, from ${mirror:-the mirror that mmdebstrap knows}"
include=$(IFS=,; echo "${packages[*]}")
mmdebstrap --variant=minbase --include="$include" --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
	--essential-hook="sh $work/initrd.sh \"\$1\"" --customize-hook="sh $work/system.sh \"\$1\"" \
	bookworm "$work/root" ${sources[@]+"${sources[@]}"} \
	>"$dir/mmdebstrap.log" 2>&1 || {
	tail -20 "$dir/mmdebstrap.log" >&2
	fail "mmdebstrap failed; the whole output is in $dir/mmdebstrap.log. Another mirror: HAWSER_MIRROR=http://… HAWSER_MIRROR_SECURITY=http://…"
}

echo "a disk of it that boots"
disk=$work/disk.raw
truncate -s 6G "$disk"
echo 'start=2048, type=83, bootable' | sfdisk --quiet "$disk"
# In MiB: what is before the partition is GRUB's.
mke2fs -q -t ext4 -L root -O '^metadata_csum_seed,^orphan_file' -E offset=$((2048 * 512)) -d "$work/root" "$disk" $((6 * 1024 - 1))M
grub-mkimage -d "$grub" -O i386-pc -o "$work/core.img" -p '(hd0,msdos1)/boot/grub' biosdisk part_msdos ext2 normal linux configfile
dd if="$grub/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none # what follows is the partition table
dd if="$work/core.img" of="$disk" bs=512 seek=1 conv=notrunc status=none
cp "$work"/root/boot/vmlinuz-* "$dir/vmlinuz" # for vagrant/kvm.sh
qemu-img convert -c -o compression_type=zstd -O qcow2 "$disk" "$work/box.img"

printf '{"provider":"libvirt","format":"qcow2","virtual_size":6}\n' >"$work/metadata.json"
cat >"$work/Vagrantfile" <<'RUBY'
Vagrant.configure("2") do |config|
  config.vm.synced_folder ".", "/vagrant", disabled: true
  config.vm.provider :libvirt do |libvirt|
    libvirt.disk_bus = "virtio"
  end
end
RUBY
cp "$dir/vmlinuz" "$work" # in the box too, which stays where build/ is cleaned
tar -C "$work" -cf "$dir/hawser.box" metadata.json Vagrantfile box.img vmlinuz
vagrant box add --force --name "$box" --provider libvirt "$dir/hawser.box" >"$dir/boxadd.log" 2>&1 || {
	tail -20 "$dir/boxadd.log" >&2
	fail "vagrant box add failed; the whole output is in $dir/boxadd.log"
}
size=$(du -m "$dir/hawser.box" | cut -f1)
rm -f "$dir/hawser.box"
echo "the box $box is registered: $size MB, built in $((SECONDS - start)) s"
