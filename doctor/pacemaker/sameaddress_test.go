package pacemaker

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// provokeSameAddress provokes the findings of the check same-address.
func provokeSameAddress() []provoked {
	const (
		own    = "hawser configure primitive --force p_ip ocf:heartbeat:IPaddr2 params ip=203.0.113.10 op monitor interval=10s timeout=20s"
		follow = "hawser configure colocation p_ip-haproxy inf: p_ip haproxy-clone"
		stay   = "hawser configure primitive --force p_ip ocf:heartbeat:IPaddr2 params ip=203.0.113.10 op monitor interval=10s timeout=20s meta target-role=Stopped"
	)
	return []provoked{
		{
			name: "of another agent",
			provoke: func(t *testing.T, b *bench.Cluster) {
				b.Sh(t, own)
				b.Sh(t, follow)
			},
			want: doctor.Error, live: true, says: "203.0.113.10 is the address of several resources: FloatIP, p_ip",
			also: []string{"recovery"},
		},
		{
			name: "of one that IPv6addr writes in another way, in a group",
			provoke: func(t *testing.T, b *bench.Cluster) {
				b.Sh(t, "hawser configure primitive --force p_ip6 ocf:heartbeat:IPv6addr params "+
					"ipv6addr=2001:DB8:ff:0::10/64 op monitor interval=10s timeout=20s")
				b.Sh(t, "hawser configure group g p_ip6")
				b.Sh(t, "hawser configure colocation g-haproxy inf: g haproxy-clone")
			},
			want: doctor.Error, live: true, says: "2001:db8:ff::10 is the address of several resources: FloatIP6, p_ip6",
			also: []string{"recovery"},
		},
		{
			name: "one that is kept stopped, which another check reports",
			provoke: func(t *testing.T, b *bench.Cluster) {
				b.Sh(t, stay)
				b.Sh(t, follow)
				b.Sh(t, "crm_resource --resource FloatIP --set-parameter ip --parameter-value 203.0.113.11")
				b.Sh(t, "crm_resource --resource FloatIP6 --set-parameter ip --parameter-value 203.0.113.11")
			},
			want: doctor.Error, says: "203.0.113.11 is the address of several resources: FloatIP, FloatIP6",
			live: true, also: []string{"recovery", "unmanaged"},
		},
	}
}

// TestSameAddressOnceOneIsStopped: the remedy leaves one of the two.
func TestSameAddressOnceOneIsStopped(t *testing.T) {
	b := bench.New(t)
	b.Commands = bench.Hawser(t)
	b.Sh(t, "hawser configure primitive --force p_ip ocf:heartbeat:IPaddr2 params ip=203.0.113.10 op monitor interval=10s timeout=20s")
	of := func() (found []doctor.Finding) {
		for _, f := range findings(t, b) {
			if f.Check == "same-address" {
				found = append(found, f)
			}
		}
		return found
	}
	found := of()
	require.Len(t, found, 1)
	require.Len(t, found[0].Fix, 1)
	require.Contains(t, found[0].Fix[0], "--resource p_ip ")
	b.Sh(t, found[0].Fix[0])
	require.Empty(t, of())
}
