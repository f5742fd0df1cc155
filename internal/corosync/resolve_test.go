package corosync_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
)

func TestLinks(t *testing.T) {
	m := corosync.Member{
		Addresses: []string{
			"10.132.0.11", "::ffff:10.133.0.11", "localhost", "no-such-host.invalid", "fd00::1",
		},
	}
	a, b := netip.MustParseAddr("10.132.0.11"), netip.MustParseAddr("10.133.0.11")
	c := netip.MustParseAddr("fd00::1")
	require.Equal(t, [][]netip.Addr{
		{a}, {b}, nil, nil, {c},
	}, m.Links(t.Context()), "one entry for each link, and none of the loopback by name")
}

func TestLabel(t *testing.T) {
	require.Equal(t, "lb-1", corosync.Member{
		Name: "lb-1", Addresses: []string{"10.132.0.11"},
	}.Label())
	require.Equal(t, "10.132.0.11", corosync.Member{Addresses: []string{"10.132.0.11"}}.Label())
	require.Empty(t, corosync.Member{}.Label())
}
