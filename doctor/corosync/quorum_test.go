package corosync

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
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
			r.replace(t, &r.conf, "quorum {\n",
				"quorum {\n\tdevice {\n\t\tmodel: net\n\t\tnet {\n\t\t\thost: qnetd.example\n"+
					"\t\t}\n\t}\n")
			r.cmap += "quorum.device.model (str) = net\nquorum.device.net.host (str) = " +
				"qnetd.example\n"
		}, want: doctor.Error, says: "net at qnetd.example"},
		{name: "votes that are expected", provoke: func(t *testing.T, r *ring) {
			r.set(t, "quorum", "expected_votes", "5")
			r.replace(t, &r.quorum, "Expected votes:   3", "Expected votes:   5")
		}, want: doctor.Warning, says: "expects 5 votes, and the nodes have 3"},
	}
}

// unfenced takes the fencing away.
func unfenced(t *testing.T, r *ring) {
	t.Helper()
	r.Edit(t, bench.PrimitiveFence, "")
	r.Edit(t, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`)
}
