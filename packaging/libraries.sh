#!/bin/bash
# Prints the licences of what is linked into the programs: their authors ask that those go with every copy. COMMAND is ./cmd/hawser …
# usage: libraries.sh COMMAND...
set -euo pipefail
export LC_ALL=C

show() { # NAME DIRECTORY
	local found=()
	shopt -s nullglob nocaseglob
	found=("$2"/licen[cs]e* "$2"/copying* "$2"/notice*)
	if [ ${#found[@]} = 0 ]; then
		echo "libraries.sh: $1 has no file LICENSE, COPYING or NOTICE in $2: find out its licence before it is given away" >&2
		exit 1
	fi
	printf '%s\n%s\n\n' "$1" "${1//?/=}"
	awk 1 "${found[@]}"
	echo
}

echo "The programs of this package are linked with these libraries."
echo
show "The Go programming language, https://go.dev" "$(go env GOROOT)"
go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' "$@" | sort -u |
	while read -r path version dir; do
		show "$path $version" "$dir"
	done
