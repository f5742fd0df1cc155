package corosync

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
	"github.com/hawser-ha/hawser/internal/systemd"
)

// provokeQuorum provokes the findings of the check corosync-quorum.
func provokeQuorum() []provoked {
	return []provoked{
		{name: "two nodes without fencing", provoke: func(t *testing.T, r *ring) {
			r.twoNodes(t)
			r.set(t, "quorum", "two_node", "1")
			unfenced(t, r)
		}, want: doctor.Warning, says: "only the providers"},
		{name: "two nodes without fencing, on a LAN", provoke: func(t *testing.T, r *ring) {
			r.twoNodes(t)
			r.set(t, "quorum", "two_node", "1")
			unfenced(t, r)
			r.Edit(t, `name="provider" value="digitalocean"`, `name="provider" value="lan"`)
		}, want: doctor.Error, says: "both take FloatIP"},
		{name: "one of two nodes has booted alone", provoke: func(t *testing.T, r *ring) {
			r.twoNodes(t)
			r.set(t, "quorum", "two_node", "1")
			r.cmap += "runtime.votequorum.wait_for_all_status (u8) = 1\n"
			r.replace(t, &r.cmap, "runtime.members.2.status (str) = joined",
				"runtime.members.2.status (str) = left")
		}, want: doctor.Error, says: "waits for all nodes (wait_for_all): lb-2 has not been seen"},
		{name: "two nodes, wait_for_all off", provoke: func(t *testing.T, r *ring) {
			r.twoNodes(t)
			r.set(t, "quorum", "two_node", "1")
			r.set(t, "quorum", "wait_for_all", "0")
		}, want: doctor.Warning, says: "wait_for_all is off"},
		{
			name: "two nodes, no two_node", provoke: func(t *testing.T, r *ring) { r.twoNodes(t) },
			want: doctor.Error, says: "no failover at all",
		},
		{
			name:    "two_node of three",
			provoke: func(t *testing.T, r *ring) { r.set(t, "quorum", "two_node", "1") },
			want:    doctor.Error, says: "cluster of 3 nodes",
		},
		{name: "two nodes and sbd", provoke: func(t *testing.T, r *ring) {
			r.twoNodes(t)
			r.set(t, "quorum", "two_node", "1")
			r.File(t, "/proc/77/comm", "sbd\n")
		}, want: doctor.Error, says: "neither watchdog fires"},
		{name: "the device is not connected", provoke: func(t *testing.T, r *ring) {
			r.withDevice(t)
			r.replace(t, &r.qdevice, "Connected\n", "Connect failed\n")
			r.quorum = strings.NewReplacer("A,V,NMW", "NA,NV,NMW", "Total votes:      3",
				"Total votes:      2").Replace(r.quorum)
		}, want: doctor.Error, says: "net at qnetd.example) is configured and not connected: connect failed"},
		{name: "the device's daemon does not run", provoke: func(t *testing.T, r *ring) {
			r.withDevice(t)
			r.qdevice = ""
			r.quorum = strings.NewReplacer("A,V,NMW", "     NR", "Quorate Qdevice", "Quorate").Replace(r.quorum)
		}, want: doctor.Error, says: "corosync-qdevice does not run here"},
		{name: "the device's daemon is not enabled", provoke: func(t *testing.T, r *ring) {
			r.withDevice(t)
			r.unit.File = "disabled"
		}, want: doctor.Warning, says: "does not start at boot"},
		{name: "an old corosync-qdevice", provoke: func(t *testing.T, r *ring) {
			r.withDevice(t)
			r.replace(t, &r.qdevice, "KAP Tie-breaker:        Enabled\n", "")
		}, want: doctor.Warning, says: "older than 3.0.1"},
		{name: "the tie breaker is off", provoke: func(t *testing.T, r *ring) {
			r.withDevice(t)
			r.replace(t, &r.qdevice, "Enabled", "Disabled")
		}, want: doctor.Warning, says: "keep_active_partition_tie_breaker is off"},
		{name: "two_node together with the device", provoke: func(t *testing.T, r *ring) {
			r.withDevice(t)
			r.set(t, "quorum", "two_node", "1")
			r.qdevice = ""
			r.quorum = strings.NewReplacer("Expected votes:   3", "Expected votes:   2", "Quorate Qdevice",
				"2Node Quorate").Replace(r.quorum)
		}, want: doctor.Error, says: "two_node is set together with a quorum device"},
		{name: "votes of ffsplit", provoke: func(t *testing.T, r *ring) {
			r.withDevice(t)
			r.replace(t, &r.conf, "votes: 1", "votes: 2")
			r.replace(t, &r.cmap, "quorum.device.votes (str) = 1", "quorum.device.votes (str) = 2")
			r.quorum = strings.NewReplacer("Expected votes:   3", "Expected votes:   4",
				"0          1 ", "0          2 ").Replace(r.quorum)
		}, want: doctor.Error, says: "uses ffsplit and has 2 votes"},
		{name: "votes of lms", provoke: func(t *testing.T, r *ring) {
			r.withDevice(t)
			r.replace(t, &r.conf, "votes: 1", "votes: 2")
			r.replace(t, &r.conf, "algorithm: ffsplit", "algorithm: lms")
			r.replace(t, &r.cmap, "quorum.device.votes (str) = 1", "quorum.device.votes (str) = 2")
			r.replace(t, &r.cmap, "(str) = ffsplit", "(str) = lms")
			r.replace(t, &r.qdevice, "Fifty-Fifty split", "LMS")
			r.quorum = strings.NewReplacer("Expected votes:   3", "Expected votes:   4",
				"0          1 ", "0          2 ").Replace(r.quorum)
		}, want: doctor.Error, says: "uses lms and has 2 votes"},
		{name: "ffsplit of three", provoke: func(t *testing.T, r *ring) {
			r.device(t)
			r.quorum = strings.NewReplacer("Expected votes:   3", "Expected votes:   4", "Quorate \n",
				"Quorate Qdevice \n", "     NR lb", "A,V,NMW lb").Replace(r.quorum)
			r.quorum += "         0          1            Qdevice\n"
		}, want: doctor.Warning, says: "uses ffsplit in a cluster of 3 nodes"},
		{name: "votes that are expected", provoke: func(t *testing.T, r *ring) {
			r.set(t, "quorum", "expected_votes", "5")
			r.replace(t, &r.quorum, "Expected votes:   3", "Expected votes:   5")
		}, want: doctor.Warning, says: "expects 5 votes, and the nodes have 3"},
	}
}

// The votes of a device are expected also while it does not vote, and where it is not registered.
func TestExpectedVotesOfASilentDevice(t *testing.T) {
	const line = "         0          1            Qdevice\n"
	for _, with := range []string{"", "         0          0            Qdevice (votes 1)\n"} {
		r := newRing(t)
		r.withDevice(t)
		r.replace(t, &r.qdevice, "Connected\n", "Connect failed\n")
		r.quorum = strings.NewReplacer("A,V,NMW", "NA,NV,NMW", "Total votes:      3", "Total votes:      2",
			line, with).Replace(r.quorum)
		found := r.findings(t)
		require.Len(t, found, 1, "%+v", found)
		require.Equal(t, "quorum device", found[0].Subject)
	}
}

// unfenced takes the fencing away.
func unfenced(t *testing.T, r *ring) {
	t.Helper()
	r.Edit(t, bench.PrimitiveFence, "")
	r.Edit(t, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`)
}

// device configures a quorum device that works, with ffsplit.
func (r *ring) device(t *testing.T) {
	t.Helper()
	r.replace(t, &r.conf, "quorum {\n", "quorum {\n\tdevice {\n\t\tmodel: net\n\t\tvotes: 1\n"+
		"\t\tnet {\n\t\t\thost: qnetd.example\n\t\t\talgorithm: ffsplit\n\t\t}\n\t}\n")
	r.cmap += "quorum.device.model (str) = net\nquorum.device.votes (str) = 1\n" +
		"quorum.device.net.host (str) = qnetd.example\nquorum.device.net.algorithm (str) = ffsplit\n"
	r.qdevice = "QNetd host:             qnetd.example:5403\nAlgorithm:              Fifty-Fifty split\n" +
		"KAP Tie-breaker:        Enabled\nState:                  Connected\n"
	r.unit = systemd.Unit{Load: "loaded", Active: "active", File: "enabled"}
}

// withDevice is a pair with a quorum device that works.
func (r *ring) withDevice(t *testing.T) {
	t.Helper()
	r.twoNodes(t)
	r.device(t)
	r.quorum = `Quorate:          Yes
Expected votes:   3
Total votes:      3
Quorum:           2
Flags:            Quorate Qdevice

Membership information
----------------------
    Nodeid      Votes    Qdevice Name
         1          1    A,V,NMW lb-1 (local)
         2          1    A,V,NMW lb-2
         0          1            Qdevice
`
}
