package haproxy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/ocf"
)

// TestAnUnknownCheck: what a later version has written does not end a HAProxy that serves, and the checks
// that are known are done.
func TestAnUnknownCheck(t *testing.T) {
	w := newKeptWorld(t)
	w.r = w.r.With("keeper", "false")
	w.start()
	const says = `has the word "fibre=1" for the check x, which is not known to hawser `
	w.r = w.r.With("checks", "x fibre=1 ; lo interface=lo")
	w.reload()
	w.want(ocf.DegradedCode, w.r.Monitor(0), says)
	w.want(ocf.DegradedCode, w.r.Monitor(10), says)
	require.Contains(t, w.read("attributes"), "check-lo -U ok")
	require.NotContains(t, w.read("attributes"), "check-x")
	w.want(ocf.ErrConfigured, w.r.Run("validate-all", nil), says)
	w.want(ocf.Success, w.r.Stop())
	w.want(ocf.Success, w.r.Start())
	w.want(ocf.Success, w.r.Stop())

	w.r = w.r.With("checks", "x fibre")
	w.want(ocf.ErrConfigured, w.r.Start(), `the word "fibre"`)
}
