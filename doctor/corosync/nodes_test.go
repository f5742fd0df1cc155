package corosync

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
			r.Edit(t, `<node id="3" uname="lb-3"/>`, "")
			r.Cut(t, `<node_state id="3"`, `</node_state>`)
		}, want: doctor.Warning, says: "has not seen yet: lb-3"},
		{name: "a node renamed while it runs", provoke: func(t *testing.T, r *ring) {
			r.replace(t, &r.cmap, "nodelist.node.2.name (str) = lb-3",
				"nodelist.node.2.name (str) = lb-three")
			r.replace(t, &r.conf, "name: lb-3", "name: lb-three")
		}, want: doctor.Error, says: "lb-3 is online, and "},
		{name: "nodes without names", provoke: func(t *testing.T, r *ring) {
			r.replace(t, &r.cmap, "nodelist.node.2.name (str) = lb-3\n", "")
			r.replace(t, &r.conf, "\t\tname: lb-3\n", "")
		}, want: doctor.Warning, says: "have no name"},
	}
}

// A member that is online is never to be removed, whatever corosync.conf calls it.
func TestNobodyRemovesANodeThatIsOnline(t *testing.T) {
	r := newRing(t)
	r.replace(t, &r.cmap, "nodelist.node.2.name (str) = lb-3",
		"nodelist.node.2.name (str) = web-3")
	r.replace(t, &r.conf, "name: lb-3", "name: web-3")
	for _, f := range r.findings(t) {
		require.NotContains(t, strings.Join(f.Remedies(), "\n"), "--remove", "%+v", f)
	}
}
