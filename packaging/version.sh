#!/bin/sh
# Turns what `git describe --tags --always --dirty` says into a version that dpkg and rpm both accept and sort as time went:
#
#   v1.2.3-rc1             1.2.3~rc1             before 1.2.3
#   v1.2.3                 1.2.3
#   v1.2.3-dirty           1.2.3+0.dirty         after it, before the next commit
#   v1.2.3-4-gabc1234      1.2.3+4.gabc1234      four commits after it, before 1.2.4
#   abc1234 (no tag)       0~412.gabc1234        the 412th commit, before any release
#
# "~" sorts before the end of the text and "+" after it, in both (deb-version(7); rpm-version(7) treats "+" as a separator).
# usage: version.sh DESCRIPTION [NUMBER-OF-COMMITS]
set -eu

described=${1:?usage: version.sh DESCRIPTION [NUMBER-OF-COMMITS]}
commits=${2:-0}

dirty=
case $described in
*-dirty) dirty=.dirty described=${described%-dirty} ;;
esac

after=
if echo "$described" | grep -Eq -- '-[0-9]+-g[0-9a-f]+$'; then
	hash=${described##*-}
	rest=${described%-*}
	after=${rest##*-}.$hash
	described=${rest%-*}
fi

case $described in
v[0-9]* | [0-9]*.[0-9]*)
	base=$(echo "${described#v}" | sed 's/-/~/; s/-/./g')
	[ -z "$dirty" ] || after=${after:-0}
	version=$base${after:+"+$after"}$dirty
	;;
*) # no tag, only a hash, or a word such as dev
	version=0~$commits.g$described$dirty
	;;
esac

if ! echo "$version" | grep -Eq '^[0-9][A-Za-z0-9.+~]*$'; then
	echo "version.sh: \"$1\" gives \"$version\", which is no version of a package: name the tag v1.2.3 or v1.2.3-rc1, or give VERSION=1.2.3" >&2
	exit 1
fi
echo "$version"
