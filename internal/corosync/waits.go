package corosync

import "context"

// WaitsForAll asks the running Corosync whether it has not seen all nodes since it started, and so
// gives no quorum yet (wait_for_all of votequorum(5)).
func WaitsForAll(ctx context.Context) (bool, error) {
	keys, err := AskKeys(ctx)
	return keys.WaitsForAll(), err
}

// WaitsForAll reports whether Corosync waits for all nodes.
func (k Keys) WaitsForAll() bool { return k["runtime.votequorum.wait_for_all_status"] == "1" }

// StopWaiting is the command that has Corosync go on with the nodes that are there.
const StopWaiting = "corosync-cmapctl -s quorum.cancel_wait_for_all u8 1"
