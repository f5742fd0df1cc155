#!/bin/bash
# Makes a root file system of a Debian release, with everything in it that the laboratory, and
# unless it is for the demo, the tests use. One that is there already and has all that is kept.
#
#   dist/root.sh RELEASE [DIRECTORY [demo|test]]   build/.roots/RELEASE and test by default (root)
#
# Debian comes from where this machine's apt has its own release from. Go tools pass over a
# directory whose name begins with a dot.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
release=${1:?which release? for instance: dist/root.sh trixie}
dir=$(realpath -m "${2:-$here/../build/.roots/$release}")

fail() {
	echo "dist/root.sh: $*" >&2
	exit 1
}
[[ $release =~ ^[a-z]+$ ]] || fail "\"$release\" is no name of a Debian release, such as trixie"
[ "$(id -u)" = 0 ] || fail "making $dir needs root, to own its files: sudo make root DIST=$release"
"$here/../deps.sh" root

case ${3:-test} in
demo) needs_mib=1024 ;;
test) needs_mib=3072 ;;
*) fail "\"$3\" is nothing that a root is made for: demo or test" ;;
esac
mapfile -t packages < <("$here/../deps.sh" --list "${3:-test}")
# What a machine has that somebody installed, and minbase lacks.
packages+=(ca-certificates iputils-ping systemd-sysv)
[ "${3:-test}" = demo ] || packages+=(make)
stamp=$(printf '%s\n' "$release" "${packages[@]}")
if [ -d "$dir" ] && [ -e "$dir.stamp" ] &&
	[ -z "$(comm -23 <(sort <<<"$stamp") <(sort "$dir.stamp"))" ]; then
	exit 0
fi

# repository is where this machine's apt has a suite of Debian from: that can be reached from here.
# shellcheck disable=SC2016 # apt replaces it
repository() { apt-get indextargets --format '$(REPO_URI)' "Release: $1" 2>/dev/null | head -1; }
# shellcheck disable=SC1091 # every Debian has it
here_release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mirror=${HAWSER_MIRROR:-$(repository "$here_release" || true)}
security=${HAWSER_MIRROR_SECURITY:-$(repository "$here_release-security" || true)}
sources=() # none: those of mmdebstrap
if [ -n "$mirror" ]; then
	sources=("deb $mirror $release main" "deb $mirror $release-updates main")
	[ -z "$security" ] || sources+=("deb $security $release-security main")
fi

mkdir -p "$(dirname "$dir")"
free=$(df --output=avail -B 1M "$(dirname "$dir")" | tail -1)
[ "$free" -ge "$needs_mib" ] ||
	fail "$(dirname "$dir") has $free MiB free, and a root for the ${3:-test} takes $needs_mib"
echo "making the root file system of Debian $release in $dir: some minutes"
rm -rf "$dir" "$dir.new" "$dir.stamp"
trap 'rm -rf "$dir.new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
include=$(IFS=,; echo "${packages[*]}")
mmdebstrap --quiet --mode=root --variant=minbase --include="$include" \
	--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
	"$release" "$dir.new" "${sources[@]}" >"$dir.log" 2>&1 ||
	fail "mmdebstrap failed; its output is in $dir.log: $(tail -3 "$dir.log")"
# Every node makes one of its own.
: >"$dir.new/etc/machine-id"
mv "$dir.new" "$dir"
printf '%s\n' "$stamp" >"$dir.stamp"
