package corosync

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
)

// provokeNodes provokes the findings of the check corosync-nodes.
func provokeNodes() []provoked {
	return []provoked{
		{name: "a node that Corosync has not", provoke: func(t *testing.T, r *ring) {
			r.Edit(t, `<node id="3" uname="lb-3"/>`,
				`<node id="3" uname="lb-3"/><node id="4" uname="old-lb"/>`)
			r.Edit(t, `<status>`,
				`<status><node_state id="4" uname="old-lb" in_ccm="false" crmd="offline" `+
					`join="down" expected="down"/>`)
		}, want: doctor.Warning, says: "old-lb is a node of Pacemaker's"},
		{name: "a node that Pacemaker has not", provoke: func(t *testing.T, r *ring) {
			r.replace(t, &r.cmap, "nodelist.node.2.name (str) = lb-3",
				"nodelist.node.2.name (str) = lb-three")
			r.replace(t, &r.conf, "name: lb-3", "name: lb-three")
		}, want: doctor.Warning, says: "lb-"},
		{name: "nodes without names", provoke: func(t *testing.T, r *ring) {
			r.replace(t, &r.cmap, "nodelist.node.2.name (str) = lb-3\n", "")
			r.replace(t, &r.conf, "\t\tname: lb-3\n", "")
		}, want: doctor.Warning, says: "have no name"},
	}
}
