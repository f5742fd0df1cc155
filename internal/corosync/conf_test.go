package corosync_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
)

const twoLinks = `totem {
	version: 2
	transport: knet
	token: 1000
	token_retransmits_before_loss_const: 10
	interface {
		linknumber: 1
		mcastport: 5409
		knet_ping_interval: 100
		knet_ping_timeout: 300
	}
}
nodelist {
	node {
		ring0_addr: 10.0.0.1
		ring1_addr: 10.1.0.1
	}
	node {
		ring0_addr: 10.0.0.2
		ring1_addr: 10.1.0.2
	}
}
`

// TestSection replaces the timing of a configuration, for every link, and keeps the rest.
func TestSection(t *testing.T) {
	c, err := corosync.ParseConf(twoLinks)
	require.NoError(t, err)
	require.Equal(t, corosync.Timing{
		Token: time.Second, Coefficient: corosync.Default, Retransmits: 10, PingInterval: 100 * ms, PingTimeout: 300 * ms,
	}, c.Timing)
	require.Equal(t, 2, c.Nodes)
	section := c.TotemSection(corosync.Timing{Token: 300 * ms, PingInterval: 250 * ms, PingTimeout: time.Second})
	require.Equal(t, `totem {
	version: 2
	transport: knet
	token: 300
	token_coefficient: 0
	interface {
		linknumber: 1
		mcastport: 5409
		knet_ping_interval: 250
		knet_ping_timeout: 1000
	}
	interface {
		linknumber: 0
		knet_ping_interval: 250
		knet_ping_timeout: 1000
	}
}
`, section)
	again, err := corosync.ParseConf(section)
	require.NoError(t, err)
	require.Equal(t, section, again.TotemSection(again.Timing), "reading what was written and writing it changes nothing")
}

// TestOnlyKnetHasPings leaves them out of the section of another transport, where Corosync would refuse them.
func TestOnlyKnetHasPings(t *testing.T) {
	c, err := corosync.ParseConf("totem {\n\tversion: 2\n\ttransport: udpu\n}\n")
	require.NoError(t, err)
	require.NotContains(t, c.TotemSection(corosync.LAN), "knet_ping")
}

func TestFindings(t *testing.T) {
	names := func(all []corosync.Finding) (names []string) {
		for _, f := range all {
			names = append(names, f.Name)
		}
		return names
	}
	require.Empty(t, corosync.LAN.In(3).Findings())
	require.Empty(t, corosync.LAN.In(9).Findings())
	for _, ours := range []corosync.Timing{corosync.LAN, corosync.Cloud} {
		require.NoError(t, ours.Validate(9))
	}
	// what ten minutes under load have shown (docs/timing.md): a token of 400 ms takes the links down, one of 500 ms does not
	require.Contains(t, names(corosync.Timing{Token: 400 * ms}.In(3).Findings()), "knet_ping_timeout")
	for _, token := range []time.Duration{500, 600, 700, 850, 1000} {
		require.NotContains(t, names(corosync.Timing{Token: token * ms}.In(3).Findings()), "knet_ping_timeout", "%d", token)
	}
	require.Contains(t, names(corosync.Timing{Token: time.Second, Consensus: 500 * ms}.In(3).Findings()), "consensus")
	require.NotContains(t, names(corosync.Timing{Token: time.Second, Consensus: 500 * ms}.In(2).Findings()), "consensus")
}

func TestParseCmap(t *testing.T) {
	e, err := corosync.ParseCmap(`nodelist.local_node_pos (u32) = 0
nodelist.node.0.name (str) = lb-1
nodelist.node.0.nodeid (u32) = 1
nodelist.node.1.name (str) = lb-2
runtime.config.totem.consensus (u32) = 1980
runtime.config.totem.interface.0.knet_ping_interval (u32) = 412
runtime.config.totem.interface.0.knet_ping_timeout (u32) = 825
runtime.config.totem.join (u32) = 50
runtime.config.totem.token (u32) = 1650
runtime.config.totem.token_retransmit (u32) = 392
totem.token (u32) = 1000
`)
	require.NoError(t, err)
	require.Equal(t, corosync.Effective{
		Nodes: 2, Token: 1650 * ms, TokenRetransmit: 392 * ms, Consensus: 1980 * ms, Join: 50 * ms, PingInterval: 412 * ms, PingTimeout: 825 * ms,
	}, e)
	_, err = corosync.ParseCmap("nothing\n")
	require.ErrorContains(t, err, "are not among")
	_, err = corosync.ParseCmap("runtime.config.totem.token (u32) = much\n")
	require.ErrorContains(t, err, "is not a number")
}

func FuzzParseConf(f *testing.F) {
	f.Add(twoLinks)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := corosync.ParseConf(text)
		if err != nil {
			return
		}
		section := c.TotemSection(c.Timing)
		_, err = corosync.ParseConf(section)
		require.NoError(t, err, "what is written can be read: %s", section)
	})
}

func FuzzParseCmap(f *testing.F) {
	f.Add("runtime.config.totem.token (u32) = 1650\nnodelist.node.0.name (str) = a\n")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = corosync.ParseCmap(text) })
}
