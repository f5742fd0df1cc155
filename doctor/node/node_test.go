package node_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/needs"
)

// A node that lacks nothing hears nothing.
func TestGoodNode(t *testing.T) {
	needs.Root(t)
	needs.Command(t, "haproxy")
	w := newWorld(t)
	w.floatip = nv("ip", "203.0.113.10") + nv("token_file", w.token)
	r := doctor.Run(t.Context(), w.Checks())
	for _, f := range r.Findings {
		if f.Check == "token-rights" && f.Severity == doctor.Note || f.Check == "tcp-migrate" ||
			f.Check == "disk" && f.Subject != "/etc/haproxy" {
			continue // what it says of the rights always holds; the others look at this machine
		}
		t.Errorf("%+v", f)
	}
	require.Len(t, r.Checked, 18)
}

// What a node has in common with the others, or ought to, and never a token.
func TestFacts(t *testing.T) {
	needs.Root(t)
	needs.Command(t, "haproxy")
	w := newWorld(t)
	w.floatip = nv("ip", "203.0.113.10") + nv("token_file", w.token)
	w.write("etc/default/sbd", "SBD_WATCHDOG_TIMEOUT=15\n", 0o600)
	facts := w.Facts(t.Context())
	require.Equal(t, "1.0", facts["hawser"])
	require.Equal(t, "1.0", facts["agent ocf:hawser:haproxy"])
	require.Regexp(t, `^\d+\.\d+`, facts["haproxy"])
	require.Regexp(t, `^[0-9a-f]{12}$`, facts["configuration of haproxy"])
	require.Regexp(t, `^digest [0-9a-f]{8}$`, facts["token in "+w.token])
	require.NotEmpty(t, facts["sysctl net.core.somaxconn"])
	w.write("proc/77/comm", "sbd\n", 0o600)
	require.Equal(t, "15s", w.Facts(t.Context())["SBD_WATCHDOG_TIMEOUT"])
	w.CIB = func(context.Context) (*crm.CIB, error) { return nil, crm.ErrNotRunning }
	require.NotContains(t, w.Facts(t.Context()), "configuration of haproxy",
		"what cannot be found out is left out")
}

func TestEveryCheckOfANodeNeedsTheConfiguration(t *testing.T) {
	w := newWorld(t)
	w.CIB = func(context.Context) (*crm.CIB, error) { return nil, crm.ErrNotRunning }
	r := doctor.Run(t.Context(), w.Checks())
	unknown := map[string]bool{}
	for _, f := range r.Findings {
		if f.Severity == doctor.Unknown {
			unknown[f.Check] = true
			require.Equal(t, "lb-1", f.Node)
			require.Contains(t, f.What, "Pacemaker does not answer")
		}
	}
	for _, c := range w.Checks() {
		require.Equal(t, c.Name != "tcp-migrate" && c.Name != "disk" && c.Name != "cib-saved",
			unknown[c.Name], c.Name)
	}
}
