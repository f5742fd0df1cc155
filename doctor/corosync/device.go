package corosync

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/corosync"
)

// deviceUnit is the service that speaks for the device on a node.
const deviceUnit = "corosync-qdevice.service"

// checkDevice checks the quorum device, if there is one.
func checkDevice(v *view) []doctor.Finding {
	d := corosync.DeviceOf(v.keys, v.votes)
	if !d.Configured {
		return nil
	}
	found := v.deviceVotes(d)
	if on := v.keys["quorum.two_node"]; on == "1" || on == "yes" {
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: "two_node",
			What: "two_node is set together with a quorum device",
			Why: "Corosync lets the device not vote, and each node goes on alone when they lose sight of " +
				"each other",
			Fix: []string{
				"sed -i '/two_node:/d' " + confFile + "    # on every node",
				"corosync-cfgtool -R    # on one node, once the file is the same on every node",
			},
		})
		return found // what else is wrong follows from it
	}
	return append(found, v.deviceAnswers(d)...)
}

// deviceVotes reports votes by which the algorithm does not do what it is for.
func (v *view) deviceVotes(d corosync.DeviceState) []doctor.Finding {
	nodes := len(v.keys.Members())
	word := v.keys["quorum.device.votes"]
	wrong := func(severity doctor.Severity, what, why string, fix ...string) []doctor.Finding {
		return []doctor.Finding{{
			Severity: severity, Subject: "quorum device", What: what, Why: why, Todo: fix,
		}}
	}
	const again = "in " + confFile + " on every node, then `corosync-cfgtool -R` on one"
	switch {
	case d.Model != "net":
		return nil
	case d.Algorithm == corosync.FFSplit && word != "1":
		return wrong(doctor.Error, fmt.Sprintf("the quorum device uses ffsplit and has %s",
			votesText(word, v.keys.Tally().Device)),
			"ffsplit is for one vote: with more of them the device alone outvotes nodes, or is needed always",
			"write `votes: 1` into the section device "+again)
	case d.Algorithm == corosync.FFSplit && !v.sameVotes():
		return wrong(doctor.Error, "the quorum device uses ffsplit, and the nodes do not have one vote each",
			"which half has more votes is then no matter of the device",
			"take the lines quorum_votes out "+again)
	case d.Algorithm == corosync.FFSplit && nodes%2 != 0:
		return wrong(doctor.Warning, fmt.Sprintf("the quorum device uses ffsplit in a cluster of %d nodes",
			nodes), "ffsplit tells two halves apart: an odd number of nodes has none, and the device's vote "+
			"makes it no better",
			"add or remove a node (`hawser corosync add`, `hawser corosync remove`), or remove the "+
				"device and "+
				"add it again with `--algorithm lms`")
	case d.Algorithm == corosync.LMS && word != "" && word != strconv.Itoa(v.keys.Tally().Nodes-1):
		return wrong(doctor.Error, fmt.Sprintf("the quorum device uses lms and has %s",
			votesText(word, 0)),
			fmt.Sprintf("the last node that is left needs %d votes of the device to go on",
				v.keys.Tally().Nodes-1),
			"take the line `votes:` out of the section device "+again)
	}
	return nil
}

func votesText(word string, byDefault int) string {
	switch word {
	case "":
		return fmt.Sprintf("%d votes, since none are written down", byDefault)
	case "1":
		return "1 vote"
	}
	return word + " votes"
}

// deviceAnswers reports a device of which this node hears nothing, or which is too old. It is one
// finding: each of them follows from the one before.
func (v *view) deviceAnswers(d corosync.DeviceState) []doctor.Finding {
	missing := doctor.Finding{
		Severity: doctor.Error, Subject: "quorum device",
		Why: "its vote is missing: the loss of one more node may take the quorum",
	}
	at := deviceAt(v, d.Model)
	switch {
	case v.device == nil && errors.Is(v.deviceErr, corosync.ErrNotRunning):
		missing.What = fmt.Sprintf("the quorum device (%s) is configured, and corosync-qdevice does not run "+
			"here", at)
		missing.Fix = []string{
			"systemctl enable --now corosync-qdevice", "journalctl -u corosync-qdevice -n 20",
		}
		return doctor.At(v.Node, []doctor.Finding{missing})
	case v.device != nil && !v.device.Connected(), !d.Connected:
		state := ""
		if v.device != nil && v.device.State != "" {
			state = ": " + strings.ToLower(v.device.State)
		}
		missing.What = fmt.Sprintf("the quorum device (%s) is configured and not connected%s", at, state)
		missing.Fix = []string{
			"systemctl enable --now corosync-qdevice", "corosync-qdevice-tool -s",
		}
		if d.Host != "" {
			missing.Todo = []string{fmt.Sprintf("on %s, corosync-qnetd has to run and to be reached at TCP "+
				"port %d", d.Host, corosync.QnetdPort)}
		}
		return doctor.At(v.Node, []doctor.Finding{missing})
	}
	var found []doctor.Finding
	if v.deviceService != nil && !v.deviceService.Enabled() {
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Subject: "quorum device",
			What: "corosync-qdevice runs and does not start at boot",
			Why:  "after a restart of this node the device's vote is missing here",
			Fix:  []string{"systemctl enable corosync-qdevice"},
		})
	}
	if v.device != nil && v.device.Split() {
		found = append(found, v.tieBreaker()...)
	}
	return doctor.At(v.Node, found)
}

// tieBreaker reports a tie breaker that takes the vote from the half that has it.
func (v *view) tieBreaker() []doctor.Finding {
	f := doctor.Finding{
		Severity: doctor.Warning, Subject: "quorum device",
		Why: "when both halves come back, the one with the lowest node id gets the vote, whichever served: " +
			"everything stops and moves once more",
	}
	switch v.device.KeepActive {
	case "":
		f.What = "corosync-qdevice here is older than 3.0.1: it does not know " +
			"keep_active_partition_tie_breaker"
		f.Todo = []string{"upgrade corosync-qdevice on every node, and corosync-qnetd on " +
			v.keys["quorum.device.net.host"] + ", to 3.0.1 or later"}
	case "Disabled":
		f.What = "keep_active_partition_tie_breaker is off"
		f.Todo = []string{"take keep_active_partition_tie_breaker out of the section net in " + confFile +
			" on every node, `corosync-cfgtool -R` on one, then `systemctl restart " +
			"corosync-qdevice` on each, " +
			"one after the other"}
	default:
		return nil
	}
	return []doctor.Finding{f}
}
