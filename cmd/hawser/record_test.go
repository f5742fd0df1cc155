package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm/crmtest"
)

// Each command that may change the cluster is told to the system's log, one of configure's
// statements, too, and none that only shows something.
func TestCommandsThatChangeSomethingAreRecorded(t *testing.T) {
	for call, want := range map[string][]string{
		"configure property stonith-enabled=false": {"configure by root: exit code 0"},
		"configure delete nosuch":                  {"configure by root: exit code 2"},
		"configure show":                           nil,
		"configure property --help":                nil,
		"apply --help":                             nil,
		"status":                                   nil,
	} {
		sys, _, _ := testSystem(t, crmtest.New("lb-1"))
		var lines []string
		sys.User = func() string { return "root" }
		sys.Record = func(line string) { lines = append(lines, line) }
		run(append([]string{"hawser"}, strings.Fields(call)...), sys)
		require.Equal(t, want, lines, call)
	}
}
