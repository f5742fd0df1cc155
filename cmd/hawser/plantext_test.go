package main

import (
	"strings"
	"testing"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/stretchr/testify/require"
)

// TestPushedConfigurationInAPlan: what no one can read fills no screen, and what is packed in it stays there.
func TestPushedConfigurationInAPlan(t *testing.T) {
	packed, _ := contract.PackConfig([]byte("userlist u\n user a insecure-password hunter2\n"))
	property := func(value string) *crm.Property {
		return &crm.Property{Set: contract.PushSet(contract.ResourceOf("haproxy")), Name: contract.PushedConfig, Value: value}
	}
	sys, out, _ := testSystem(t, crmtest.New("lb-1"))
	sys.showPlan(crm.Plan{Changes: []crm.Change{{New: property(packed)}, {Old: property(packed)}}})
	require.NotContains(t, out.String(), packed)
	require.Contains(t, out.String(), "of a pushed haproxy.cfg")
}

// A forecast says what a reload does not do.
func TestForecastOfAReload(t *testing.T) {
	sys, out, _ := testSystem(t, crmtest.New("lb-1"))
	sys.showForecast(crm.Forecast{Actions: []crm.Action{{Task: "start", Resource: "haproxy:0", Node: "lb-1"}}})
	require.NotContains(t, out.String(), "generation")
	sys.showForecast(crm.Forecast{Actions: []crm.Action{{Task: "reload", Resource: "haproxy:0", Node: "lb-1"}}})
	require.Contains(t, strings.Join(strings.Fields(out.String()), " "), "HAProxy loads its files only if the parameter generation changes")
}
