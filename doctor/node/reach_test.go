package node_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
)

// An address that HAProxy does not listen at is an error although everything runs.
func TestAddressNotServed(t *testing.T) {
	w := newWorld(t)
	w.floatip = nv("ip", "2001:db8:1::200") + nv("provider", "lan")
	bind := func(line string) {
		text, err := os.ReadFile(w.config)
		require.NoError(t, err)
		var lines []string
		for _, l := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(strings.TrimSpace(l), "bind ") {
				l = "\tbind " + line
			}
			lines = append(lines, l)
		}
		require.NoError(t, os.WriteFile(w.config, []byte(strings.Join(lines, "\n")), 0o600))
	}
	bind(":65080")
	w.findsOne("address-not-served", doctor.Error, "nobody is served at 2001:db8:1::200 (FloatIP)",
		"`bind :65080` is IPv4 only; `bind :::65080 v4v6` listens at every address; then `hawser "+
			"reload --push "+w.config)
	bind(":::65080 v4v6")
	require.Empty(t, w.finds("address-not-served"))
	w.floatip = nv("ip", "203.0.113.10")
	bind(`"${HAWSER_ANCHOR_IP}:65080"`)
	require.Empty(t, w.finds("address-not-served"))
	bind("203.0.113.10:65080")
	w.findsOne("address-not-served", doctor.Error, "nobody is served at 203.0.113.10",
		"`bind \"${HAWSER_ANCHOR_IP}:65080\"` listens at the anchor address")
}
