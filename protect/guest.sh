#!/bin/bash
# Runs the tests and the benchmark of this package on Debian's cloud kernel, which has what many others lack: the plug qdisc and nftables'
# own queue. The kernel runs under qemu's software emulation, so that neither KVM nor a disk image is needed: it boots in ten seconds, and
# its figures compare with each other only.
#
#   protect/guest.sh DIRECTORY [ARGUMENT OF THE TEST BINARY…]
#
# The directory keeps the unpacked kernel for the next time. qemu-system-x86, busybox-static and kmod have to be installed.
set -euo pipefail

dir=$(realpath -m "$1")
shift
for tool in qemu-system-x86_64 busybox depmod; do
	command -v $tool >/dev/null || { echo "there is no $tool: apt-get install qemu-system-x86 busybox-static kmod" >&2; exit 2; }
done

mkdir -p "$dir"
if ! compgen -G "$dir/kernel/boot/vmlinuz-*" >/dev/null; then
	package=$(apt-cache depends linux-image-cloud-amd64 | grep -o 'linux-image-[0-9][^ ]*' | head -1)
	(cd "$dir" && apt-get download "$package" >/dev/null && dpkg -x "$package"_*.deb kernel && rm "$package"_*.deb)
fi
vmlinuz=$(ls "$dir"/kernel/boot/vmlinuz-*)
version=${vmlinuz##*/vmlinuz-}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,sbin,etc,proc,sys,dev,run,tmp,var/log/nginx,var/lib/nginx,lib/modules,usr/bin,usr/sbin}
CGO_ENABLED=0 go test -c -o "$root/protect.test" github.com/hawser-ha/hawser/protect
cp "$(command -v busybox)" "$root/bin/busybox"
for program in haproxy nginx ip tc setpriv; do
	path=$(readlink -f "$(command -v $program)")
	cp "$path" "$root/usr/sbin/$program"
	ldd "$path" | { grep -o '/[^ ]*' || true; } | while read -r library; do
		mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library"
	done
done
modules=lib/modules/$version
mkdir -p "$root/$modules/kernel/net" "$root/$modules/kernel/lib"
cp -r "$dir/kernel/$modules"/kernel/net/{core,ipv4,ipv6,netfilter,netlink,sched} "$root/$modules/kernel/net/" 2>/dev/null || true
cp -r "$dir/kernel/$modules"/kernel/lib/. "$root/$modules/kernel/lib/"
cp "$dir/kernel/$modules"/modules.{order,builtin,builtin.modinfo} "$root/$modules/"
depmod -b "$root" "$version"
printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
cat >"$root/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
rm -f /bin/ip /bin/tc /bin/setpriv # iproute2's and util-linux' own
ln -s /bin/busybox /sbin/modprobe
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HAWSER_EMULATED=1
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
ln -s /proc/self/fd /dev/fd 2>/dev/null
ip link set lo up
modprobe nf_tables; modprobe nfnetlink_queue; modprobe nft_queue; modprobe sch_plug; modprobe sch_prio; modprobe tcp_diag
cd /tmp
/protect.test $*
echo "guest: the tests exit with \$?"
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$dir/initrd"

# The answer is on the serial console.
timeout 900 qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 1024 -nographic -no-reboot -kernel "$vmlinuz" -initrd "$dir/initrd" \
	-append "console=ttyS0 quiet panic=-1 loglevel=3" </dev/null | sed -u 's,\r,,g' | tee "$dir/console"
grep -qx 'guest: the tests exit with 0' "$dir/console"
