package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/contract"
)

// What checks say fits a terminal, however long their reasons are.
func TestChecksFitATerminal(t *testing.T) {
	sys, stdout, _ := testSystem(t, nil)
	first, last := noon.Add(-time.Hour), noon.Add(-time.Minute)
	reason := "GET http://192.0.2.1:8080/health: " + strings.Repeat("dial tcp: connection refused; ", 4)
	r := &status.Report{Now: noon, Checks: []status.Check{{Name: "web", Nodes: []status.CheckOnNode{
		{Node: "lb-1", Is: contract.CheckFailed, Since: &first, Reason: reason},
		{Node: "lb-2", Is: contract.CheckFailed, Since: &last, Reason: "a short one"},
	}}, {Name: "db", Nodes: []status.CheckOnNode{{Node: "lb-1", Is: contract.CheckOK}}}}}
	sys.showHeadline(r)
	sys.showChecks(r)
	for line := range strings.Lines(stdout.String()) {
		require.LessOrEqual(t, len(line), 81, line)
	}
	require.Contains(t, stdout.String(), "Check web fails on every node since "+last.Local().Format("15:04:05")+" (1m0s): HAProxy")
	require.Contains(t, stdout.String(), "      a short one\n")
	require.Contains(t, stdout.String(), "  db   holds  on lb-1\n")
}
