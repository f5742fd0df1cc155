package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

func property(name, value string) crm.Object { return &crm.Property{Name: name, Value: value} }

// sbd without a disk fences without a resource. `fencing: off` must not take it away, and without that key nothing is refused.
func TestWatchdogsAreFencing(t *testing.T) {
	for _, tc := range []struct {
		timeout, fencing string
		warning          string
		disabled         bool
	}{
		{"10s", "fencing: off\n", "has the fencing device watchdog: it stays in use", false},
		{"10s", "", "", false},
		{"10s", "fencing: on\n", "", false},
		{"-1", "fencing: off\n", "has the fencing device watchdog", false},
		{"0", "", "stonith-watchdog-timeout is not set", false},
		{"0s", "fencing: off\n", "without fencing nobody", true},
	} {
		fake := crmtest.New("lb-1", "lb-2")
		require.NoError(t, fake.Edit(property("have-watchdog", "true"), property("stonith-watchdog-timeout", tc.timeout)))
		cfg, err := parseConfig("f.yaml", []byte(tc.fencing+"haproxy: {}\n"))
		require.NoError(t, err)
		cib, err := fake.Query(t.Context())
		require.NoError(t, err)
		plan, err := cfg.diff(cib)
		require.NoError(t, err)
		warning, err := cfg.checkFencing(plan)
		require.NoError(t, err, "%+v", tc)
		require.Contains(t, warning, tc.warning, "%+v", tc)
		_, disabled := plan.New.Property("stonith-enabled")
		require.Equal(t, tc.disabled, disabled, "%+v", tc)
	}
}

func TestStatusWithoutAFencingDevice(t *testing.T) {
	text, code := statusOf(t, "lb-9", func(s *crm.Status) { s.Fencing = true })
	require.Equal(t, exitDegraded, code)
	require.Regexp(t, `Fencing +on +but no fencing device is configured: Pacemaker starts nothing`, text)
}

// What others built on `fencing: off` is not left without a word.
func TestDestroyWarnsOfFencingThatComesBack(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	sys, _, stderr := testSystem(t, fake)
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys), stderr)
	require.NoError(t, fake.Edit(dummy("web")))
	stderr.Reset()
	require.Equal(t, exitOK, run([]string{"hawser", "destroy", "--yes"}, sys), stderr)
	require.Contains(t, stderr.String(), "hawser: warning: fencing is on again after this and no fencing device is configured")
}
