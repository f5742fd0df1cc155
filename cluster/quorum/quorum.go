// Package quorum adds a quorum device to a running cluster, removes it, and says how it is: the
// corosync-qnetd of a third place votes, so that one half of the nodes goes on when it does not see
// the other half.
//
// A change is made in an order that never loses the quorum: certificates first, then corosync.conf
// on every node, then Corosync takes it over on all of them, then the daemon of each node starts.
// What is there already is not done again, so that a change that was interrupted goes on when it is
// ordered again.
//
// It imports machines, internal/corosync and outcome; programs are run by machines. Open this file
// first; add.go and remove.go have the changes, certs.go the certificates, server.go is what is
// found where corosync-qnetd is, and status.go says how things are.
package quorum

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// unit is the daemon of every node.
const unit = "corosync-qdevice"

// ours says which settings a change of the device changes.
func ours(key string) bool {
	return strings.HasPrefix(key, "quorum.device.") || key == "quorum.device" ||
		key == "quorum.two_node" || key == "totem.config_version"
}

// countable is nil if the cluster counts votes in a way that a device goes together with.
func countable(keys corosync.Keys) error {
	for _, name := range []string{"auto_tie_breaker", "last_man_standing", "allow_downscale"} {
		if v := keys["quorum."+name]; v == "1" || v == "yes" {
			return refuse("quorum.%s is set in %s: a quorum device does not go together with it. Take it "+
				"out on every node, and restart Corosync there", name, corosync.ConfFile)
		}
	}
	if v, ok := keys["quorum.expected_votes"]; ok {
		return refuse("expected_votes: %s is set in %s: it would not count the device's votes. Take the "+
			"line out on every node, then `corosync-cfgtool -R` on one", v, corosync.ConfFile)
	}
	if p := keys["quorum.provider"]; p != "corosync_votequorum" {
		return refuse("quorum.provider is %q in %s: a quorum device needs corosync_votequorum", p,
			corosync.ConfFile)
	}
	return nil
}

// refuse is the error of what is not begun.
func refuse(format string, args ...any) error {
	return outcome.Usagef("%w; nothing was changed", fmt.Errorf(format, args...))
}
