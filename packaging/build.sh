#!/bin/bash
# Builds the packages into OUT (build/packages): hawser and hawser-lab, .deb and .rpm, for each of ARCHES (amd64 arm64).
# The same commit gives the same bytes: every time in them is SOURCE_DATE_EPOCH, which is the commit's unless it is set.
# VERSION is what the programs call themselves, NFPM the program that packs (https://nfpm.goreleaser.com). NAMES and FORMATS (hawser,
# hawser-lab; deb, rpm) leave some of them out.
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."

: "${VERSION:?}" "${NFPM:?}"
OUT=$(realpath -m "${OUT:-build/packages}")
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
commits=$(git rev-list --count HEAD 2>/dev/null || echo 0)
PACKAGE_VERSION=$(packaging/version.sh "$VERSION" "$commits")
names=${NAMES:-hawser hawser-lab}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH PACKAGE_VERSION WORK=$work
# Whatever somebody has set for his own builds: the programs run on every processor of the architecture. (An empty GOFLAGS would be go env's.)
export GOFLAGS=-trimpath GOAMD64=v1 GOARM64=v8.0

# What is the same on every architecture is made by programs of this one.
GOARCH=$(go env GOHOSTARCH) make --no-print-directory build BIN="$work/bin" VERSION="$VERSION"
share=$work/share
mkdir -p "$share"
for shell in bash zsh fish; do
	"$work/bin/hawser" completion $shell >"$share/hawser.$shell"
done
"$work/bin/hawser" man >"$share/hawser.8"
"$work/bin/hawser" man hawser.yaml >"$share/hawser.yaml.5"
"$work/bin/hawser-lab" man >"$share/hawser-lab.8"
"$work/bin/fence_droplet" -o manpage >"$share/fence_droplet.8"
go run ./packaging/manual "$VERSION" "$share"
cp CHANGELOG.md "$share/changelog"
gzip -9n "$share"/*.[1-9] "$share/changelog"
mkdir -p "$share"/doc/{decisions,tutorials,plots}
for file in docs/*.md docs/tutorials/*.md docs/decisions/*.md docs/plots/*.svg; do
	install -m 0644 "$file" "$share/doc/${file#docs/}"
done
packaging/libraries.sh ./cmd/hawser ./cmd/ocf-haproxy ./cmd/ocf-floatip ./cmd/fence_droplet | gzip -9n >"$share/hawser.libraries.gz"
packaging/libraries.sh ./cmd/hawser-lab | gzip -9n >"$share/hawser-lab.libraries.gz"
for package in $names; do
	go run ./packaging/changelog -package "$package" -version "$PACKAGE_VERSION-1" -date "@$SOURCE_DATE_EPOCH" CHANGELOG.md |
		gzip -9n >"$share/$package.changelog.Debian.gz"
done

mkdir -p "$OUT"
for ARCH in ${ARCHES:-amd64 arm64}; do
	export ARCH
	if [ "$ARCH" = "$(go env GOHOSTARCH)" ]; then
		ln -s bin "$work/$ARCH"
	else
		GOARCH=$ARCH make --no-print-directory build BIN="$work/$ARCH" VERSION="$VERSION"
	fi
	for package in $names; do
		for format in ${FORMATS:-deb rpm}; do
			"$NFPM" package --config "packaging/$package.yaml" --packager "$format" --target "$OUT" >"$work/nfpm.log" 2>&1 || {
				cat "$work/nfpm.log" >&2
				exit 1
			}
		done
	done
done
ls "$OUT"/*
