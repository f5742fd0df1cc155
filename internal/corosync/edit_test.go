package corosync_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
)

func document(t *testing.T, text string) *corosync.Document {
	t.Helper()
	d, err := corosync.ParseDocument(text)
	require.NoError(t, err)
	return d
}

// What is not changed stays, comments and empty lines too.
func TestDocument(t *testing.T) {
	const text = `# ours
totem {
	version: 2
	cluster_name: edge

	# links
	interface {
		linknumber: 0
	}
}

quorum {
	provider: corosync_votequorum
	two_node: 1
	wait_for_all: 1
}

nodelist {
	node {
		ring0_addr: 10.0.0.1
		name: a
		nodeid: 4
	}
	# the second
	node {
		ring0_addr: 10.0.0.2
		name: b
		nodeid: 7
	}
}
`
	d := document(t, text)
	require.Equal(t, text, d.Text())
	require.Zero(t, d.Version())
	d.SetVersion(3)
	d.SetDevice(corosync.Device{Host: "q.example", Algorithm: corosync.FFSplit})
	require.Equal(t, "8", d.AddNode(corosync.Member{Name: "c", Addresses: []string{"10.0.0.3"}}))
	changed := d.Text()
	for _, part := range []string{"# ours\ntotem {", "\tconfig_version: 3\n\n\t# links\n\tinterface {",
		"\twait_for_all: 1\n\tdevice {\n\t\tmodel: net\n\t\tvotes: 1\n", "\t# the second\n",
		"\t\tname: c\n\t\tnodeid: 8\n\t\tring0_addr: 10.0.0.3\n"} {
		require.Contains(t, changed, part)
	}
	require.NotContains(t, changed, "two_node")

	d = document(t, changed)
	require.EqualValues(t, 3, d.Version())
	require.True(t, d.RemoveNode("c"))
	require.False(t, d.RemoveNode("c"))
	require.NotContains(t, d.Text(), "two_node", "the device is there")
	d.RemoveDevice()
	require.Contains(t, d.Text(), "two_node: 1")
	require.NotContains(t, d.Text(), "device")
	_, err := corosync.ParseDocument("totem {\n")
	require.ErrorContains(t, err, "not closed")
}

// The writer's files come out as they went in.
func TestDocumentOfOurs(t *testing.T) {
	for _, name := range []string{"2-ipv4", "3-ipv6", "device-4", "device-lms", "lan", "logged"} {
		text, err := os.ReadFile("testdata/" + name + ".conf")
		require.NoError(t, err)
		require.Equal(t, string(text), document(t, string(text)).Text(), name)
	}
}

func TestTally(t *testing.T) {
	for _, tc := range []struct {
		nodes                     int
		device                    string
		expected, needed, device2 int
	}{{1, "", 1, 1, 0}, {2, "", 2, 1, 0}, {3, "", 3, 2, 0}, {4, "", 4, 3, 0},
		{2, corosync.FFSplit, 3, 2, 1}, {4, corosync.FFSplit, 5, 3, 1}, {2, corosync.LMS, 3, 2, 1},
		{3, corosync.LMS, 5, 3, 2}, {4, corosync.LMS, 7, 4, 3}} {
		c := corosync.Cluster{Name: "x", Timing: corosync.LAN}
		for i := range tc.nodes {
			c.Nodes = append(c.Nodes, corosync.Member{Name: string(rune('a' + i)),
				Addresses: []string{"10.0.0." + string(rune('1'+i))}})
		}
		if tc.device != "" {
			c.Device = &corosync.Device{Host: "q.example", Algorithm: tc.device}
		}
		keys, err := corosync.ConfKeys(c.Conf())
		require.NoError(t, err)
		tally := keys.Tally()
		require.Equal(t, []int{tc.expected, tc.needed, tc.device2},
			[]int{tally.Expected, tally.Needed, tally.Device}, "%+v", tc)
	}
	require.Equal(t, 5, corosync.Keys{"nodelist.node.0.ring0_addr": "x",
		"quorum.expected_votes": "5"}.Tally().Expected)
}

func TestDeviceOf(t *testing.T) {
	keys := corosync.Keys{"quorum.device.model": "net", "quorum.device.net.host": "q.example"}
	for _, tc := range []struct {
		flags  []string
		device string
		says   string
	}{
		{nil, "NR", "quorum device q.example, not connected"},
		{[]string{"Quorate", "Qdevice"}, "A,V,NMW", "quorum device q.example, connected"},
		{[]string{"Qdevice"}, "NA,NV,NMW", "quorum device q.example, not connected"},
		{[]string{"Qdevice"}, "A,NV,NMW",
			"quorum device q.example, connected, and its vote is not for this node"},
	} {
		d := corosync.DeviceOf(keys, corosync.Votes{Flags: tc.flags, Device: tc.device})
		require.Equal(t, tc.says, d.String())
		require.Equal(t, corosync.FFSplit, d.Algorithm)
	}
	require.Equal(t, "no quorum device", corosync.DeviceOf(corosync.Keys{}, corosync.Votes{}).String())
}
