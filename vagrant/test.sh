#!/bin/bash
# Plays what make vagrant-test promises on the machines that make vagrant-up has brought up, and takes them down, whatever came of it;
# with KEEP=1 they stay, to be looked at, until make vagrant-down.
#
#   vagrant/test.sh BEGAN      when bringing them up began, in seconds since 1970
set -euo pipefail
cd "$(dirname "$0")/.."
later=$(mktemp -d)
trap 'rm -rf "$later"; [ -n "${KEEP:-}" ] || vagrant/down.sh' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# The later version, to which the machines are upgraded, is the same programs with a higher number.
VERSION=1000.0.0 ARCHES=amd64 OUT=$later packaging/build.sh >/dev/null
HAWSER_VAGRANT_UPGRADE=$(compgen -G "$later/hawser_*_amd64.deb")
export HAWSER_VAGRANT_BEGAN=$1 HAWSER_VAGRANT_RUN=$PWD/docs/vagrant-run.md HAWSER_VAGRANT_UPGRADE
go test -tags vagrant -count=1 -run . -timeout 60m -v ./vagrant
