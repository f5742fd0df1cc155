package corosync

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseQuorum(t *testing.T) {
	for _, tc := range []struct {
		text string
		want Quorum
	}{
		{"quorum.provider (str) = corosync_votequorum\nruntime.votequorum.this_node_id (u32) = 1\n", Quorum{}},
		{"quorum.provider (str) = corosync_votequorum\nquorum.two_node (u8) = 1\n", Quorum{TwoNode: true}},
		{"quorum.two_node (u8) = 0\nruntime.votequorum.two_node (u8) = 1\n", Quorum{TwoNode: true}},
		{"quorum.two_node (u8) = 0\nquorum.device.model (str) = net\nquorum.device.net.host (str) = 10.0.0.9\n", Quorum{Device: true}},
	} {
		require.Equal(t, tc.want, ParseQuorum(tc.text), tc.text)
	}
}

func TestParseGroup(t *testing.T) {
	const text = "Group Name\t       PID\t   Node ID\n" +
		"crmd\\x00\n\t\t      4711\t         1 (10.0.0.11)\n\t\t      4712\t         2 (10.0.0.12)\n" +
		"sbd:cluster\\x00\n\t\t       301\t         1 (10.0.0.11)\n\t\t       302\t         3 (10.0.0.13)\n" +
		"attrd\\x00\n\t\t      4713\t         2 (10.0.0.12)\n"
	require.Equal(t, []int{1, 3}, parseGroup(text, "sbd:cluster"))
	require.Equal(t, []int{1, 2}, parseGroup(text, "crmd"))
	require.Empty(t, parseGroup(text, "sbd"))
}
