package haproxy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/nic/nictest"
	"github.com/hawser-ha/hawser/ocf"
)

// TestLostCarrier: the keeper hears of it between two times at which the check is due.
func TestLostCarrier(t *testing.T) {
	w := newKeptWorld(t)
	cable := nictest.New(t)
	w.r = w.r.With("checks", "up interface="+cable.Name+" every=1h")
	w.guarded()
	w.eventually("it has one", func() bool { return strings.Contains(w.attributes("-check-"), "check-up -B ok -d 0s") })
	cable.Unplug()
	w.eventually("it has lost it", func() bool { return strings.Contains(w.attributes("-check-"), "check-up -B failed") })
	w.want(ocf.DegradedCode, w.r.Monitor(10), "check up fails: "+cable.Name+" has no carrier")
	require.NoError(t, w.get(), "and HAProxy serves")
}

// TestLostCarrierWithoutAKeeper: a monitor looks.
func TestLostCarrierWithoutAKeeper(t *testing.T) {
	w := newKeptWorld(t)
	cable := nictest.New(t)
	w.r = w.r.With("keeper", "false").With("checks", "up interface="+cable.Name)
	w.start()
	w.want(ocf.Success, w.r.Monitor(10))
	cable.Remove()
	w.want(ocf.DegradedCode, w.r.Monitor(10), "check up fails: this node has no interface "+cable.Name)
}
