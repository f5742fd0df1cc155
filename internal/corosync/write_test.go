package corosync_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/corosync/corosynctest"
	"github.com/hawser-ha/hawser/internal/golden"
)

// cluster is one as setup-balancer makes it, with so many nodes; each format is a link's addresses.
func cluster(nodes int, timing corosync.Timing, formats ...string) corosync.Cluster {
	c := corosync.Cluster{Name: "hawser", Cipher: "aes256", Hash: "sha256", Timing: timing}
	for n := 1; n <= nodes; n++ {
		m := corosync.Member{Name: fmt.Sprintf("lb-%d", n)}
		for _, format := range formats {
			m.Addresses = append(m.Addresses, fmt.Sprintf(format, 10+n))
		}
		c.Nodes = append(c.Nodes, m)
	}
	return c
}

// TestConf compares what is written with files that are kept, and has Corosync itself check each.
func TestConf(t *testing.T) {
	const v4, v6 = "10.132.0.%d", "fd00:132::%d"
	clusters := map[string]corosync.Cluster{
		"token": cluster(
			3,
			corosync.Timing{Token: 5 * time.Second, Coefficient: corosync.Default},
			v4,
			"10.133.0.%d",
		),
		"lan":     cluster(3, corosync.LAN, v4),
		"two-lan": cluster(2, corosync.LAN, v4, v6),
	}
	for _, nodes := range []int{1, 2, 3, 5} {
		clusters[fmt.Sprintf("%d-ipv4", nodes)] = cluster(nodes, corosync.Cloud, v4)
		clusters[fmt.Sprintf("%d-ipv6", nodes)] = cluster(nodes, corosync.Cloud, v6)
	}
	for name, c := range clusters {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, c.Validate())
			golden.Equal(t, name+".conf", c.Conf())
			corosynctest.Accepts(t, c.Conf(), "lb-1")
		})
	}
}

// TestConfIsRead has what is written read back.
func TestConfIsRead(t *testing.T) {
	c := cluster(3, corosync.LAN, "10.132.0.%d", "fd00::%d")
	read, err := corosync.ParseConf(c.Conf())
	require.NoError(t, err)
	require.Equal(t, corosync.LAN, read.Timing)
	require.Equal(t, []int{3, 2}, []int{read.Nodes, read.Links})
	keys, err := corosync.ConfKeys(c.Conf())
	require.NoError(t, err)
	members := keys.Members()
	require.Len(t, members, 3)
	require.Equal(
		t,
		corosync.Member{ID: "2", Name: "lb-2", Addresses: []string{"10.132.0.12", "fd00::12"}},
		members[1],
	)
}

// TestLoggedConf has a cluster with a log file, in which one of two nodes may start alone.
func TestLoggedConf(t *testing.T) {
	c := cluster(2, corosync.LAN, "10.132.0.%d")
	c.LogFile, c.StartAlone, c.Cipher, c.Hash = "/var/log/corosync/corosync.log", true, "", ""
	golden.Equal(t, "logged.conf", c.Conf())
	corosynctest.Accepts(t, c.Conf(), "lb-2")
}

func TestValidate(t *testing.T) {
	good := func() corosync.Cluster { return cluster(3, corosync.LAN, "10.132.0.%d", "fd00::%d") }
	require.NoError(t, good().Validate())
	for want, spoil := range map[string]func(c *corosync.Cluster){
		`the cluster's name "a b"`:                                     func(c *corosync.Cluster) { c.Name = "a b" },
		"0 nodes: a cluster has 1 to 384":                              func(c *corosync.Cluster) { c.Nodes = nil },
		`the node's name "lb_1" is not a host name`:                    func(c *corosync.Cluster) { c.Nodes[0].Name = "lb_1" },
		"lb-1 is given twice":                                          func(c *corosync.Cluster) { c.Nodes[1].Name = "LB-1" },
		"10.132.0.11 is given twice":                                   func(c *corosync.Cluster) { c.Nodes[1].Addresses[0] = "10.132.0.11" },
		"node lb-2 does not have as many addresses as lb-1 (1, not 2)": func(c *corosync.Cluster) { c.Nodes[1].Addresses = c.Nodes[1].Addresses[:1] },
		"node lb-1 has 0 addresses":                                    func(c *corosync.Cluster) { c.Nodes[0].Addresses = nil },
		`node lb-3: "lb-3" is not an IP address`:                       func(c *corosync.Cluster) { c.Nodes[2].Addresses[0] = "lb-3" },
		`node lb-3: "fe80::1%eth1" is not an IP addre`:                 func(c *corosync.Cluster) { c.Nodes[2].Addresses[0] = "fe80::1%eth1" },
		"a token of 100ms would be retransmitted":                      func(c *corosync.Cluster) { c.Timing.Token = 100 * ms },
	} {
		c := good()
		spoil(&c)
		require.ErrorContains(t, c.Validate(), want)
	}
}
