package corosync_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
)

func TestCompare(t *testing.T) {
	two := cluster(2, corosync.Cloud, "10.132.0.%d")
	three := cluster(3, corosync.Cloud, "10.132.0.%d")
	slower := cluster(
		3,
		corosync.Timing{Token: 5 * time.Second, Coefficient: corosync.Default},
		"10.132.0.%d",
	)
	lan := cluster(2, corosync.LAN, "10.132.0.%d")
	replaced := func(old, by string) string { return strings.ReplaceAll(two.Conf(), old, by) }
	for name, c := range map[string]struct {
		have, want string
		// reload and restart are the lines for what the one and the other takes over.
		reload, restart []string
	}{
		"the same": {have: two.Conf(), want: two.Conf()},
		"comments, layout and order": {
			have: "# ours\n" + replaced("\t", "    ") + "\n", want: two.Conf(),
		},
		"a node joins": {
			have: two.Conf(), want: three.Conf(), reload: []string{
				"nodelist.node lb-3: missing, expected name: lb-3, nodeid: 3, ring0_addr: 10.132.0.13",
				"quorum.two_node: 1, expected none",
			},
		},
		"a node has gone": {
			have: three.Conf(), want: two.Conf(),
			reload:  []string{"quorum.two_node: missing, expected 1"},
			restart: []string{"nodelist.node lb-3: name: lb-3, nodeid: 3, ring0_addr: 10.132.0.13, expected none"},
		},
		"times": {
			have: three.Conf(), want: slower.Conf(), reload: []string{
				"totem.interface.0.knet_ping_interval: 750, expected none",
				"totem.interface.0.knet_ping_timeout: 1500, expected none",
				"totem.interface.0.linknumber: 0, expected none",
				"totem.token: 3000, expected 5000", "totem.token_coefficient: 0, expected none",
				"totem.token_retransmits_before_loss_const: 10, expected none",
			},
		},
		"a link's times": {
			have: lan.Conf(), want: cluster(2, corosync.Timing{Token: 300 * ms}, "10.132.0.%d").Conf(), reload: []string{
				"totem.interface.0.knet_ping_interval: 250, expected none",
				"totem.interface.0.knet_ping_timeout: 1000, expected none", "totem.interface.0.linknumber: 0, expected none",
			},
		},
		"another cipher": {
			have: replaced("aes256", "none"), want: two.Conf(), restart: []string{"totem.crypto_cipher: none, expected aes256"},
		},
		"another name": {
			have: replaced("cluster_name: hawser", "cluster_name: debian"), want: two.Conf(),
			restart: []string{"totem.cluster_name: debian, expected hawser"},
		},
		"another address": {
			have: replaced("10.132.0.12", "10.132.0.99"), want: two.Conf(), restart: []string{
				"nodelist.node lb-2: name: lb-2, nodeid: 2, ring0_addr: 10.132.0.99, " +
					"expected name: lb-2, nodeid: 2, ring0_addr: 10.132.0.12",
			},
		},
		"ids swapped": {
			have: strings.NewReplacer("nodeid: 1", "nodeid: 2", "nodeid: 2", "nodeid: 1").Replace(two.Conf()), want: two.Conf(),
			restart: []string{
				"nodelist.node lb-1: name: lb-1, nodeid: 2, ring0_addr: 10.132.0.11, " +
					"expected name: lb-1, nodeid: 1, ring0_addr: 10.132.0.11",
				"nodelist.node lb-2: name: lb-2, nodeid: 1, ring0_addr: 10.132.0.12, " +
					"expected name: lb-2, nodeid: 2, ring0_addr: 10.132.0.12",
			},
		},
		"a quorum device": {
			have: replaced("two_node: 1", "two_node: 1\n\tdevice {\n\t\tmodel: net\n\t}"), want: two.Conf(),
			restart: []string{"quorum.device.model: net, expected none"},
		},
		"a section without settings": {
			have: two.Conf() + "nozzle {\n}\n", want: two.Conf(), restart: []string{"nozzle: " +
				"only one of the two has this section"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := corosync.Compare(c.have, c.want)
			require.NoError(t, err)
			var reload, restart []string
			for _, d := range all {
				if d.Restart {
					restart = append(restart, d.String())
				} else {
					reload = append(reload, d.String())
				}
			}
			require.Equal(t, c.reload, reload)
			require.Equal(t, c.restart, restart)
		})
	}
	_, err := corosync.Compare("totem {\n", two.Conf())
	require.ErrorContains(t, err, "line 1: the section totem is not closed")
}

func FuzzCompare(f *testing.F) {
	f.Add(twoLinks, twoLinks)
	f.Add(twoLinks, "totem {\n}\nnodelist {\n\tnode {\n\t}\n\tnode {\n\t}\n}\n")
	f.Fuzz(func(t *testing.T, have, want string) {
		if _, err := corosync.Compare(have, want); err != nil {
			return
		}
		same, err := corosync.Compare(have, have)
		require.NoError(t, err)
		require.Empty(t, same)
	})
}
