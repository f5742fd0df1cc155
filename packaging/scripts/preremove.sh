#!/bin/sh
# dpkg: remove, upgrade …; rpm: 0 at a removal, 1 at an upgrade. An upgrade leaves everything alone. A removal is refused while this
# node's resources are run by the agents: without them Pacemaker could neither monitor nor stop HAProxy, and would take it for failed.
set -e

case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac

unset CIB_file CIB_shadow CIB_server # the cluster of this node is asked
code=0
hawser removable || code=$?
if [ "$code" = 1 ]; then # it has said why; any other code is a hawser that cannot be run, which keeps nobody from removing it
	if [ "${HAWSER_REMOVE:-}" = anyway ]; then
		echo "hawser: removed anyway, because of HAWSER_REMOVE=anyway" >&2
		exit 0
	fi
	echo "hawser: the package stays. To remove it anyway, set HAWSER_REMOVE=anyway in the environment of the command" >&2
	exit 1
fi
exit 0
