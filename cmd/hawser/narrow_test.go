package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/rollout"
	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/golden"
)

// tooWide lists the lines of a command's output that are longer than a terminal is wide, and could be
// broken; nil for what is for programs or in another's language.
func tooWide(args []string, text string) []string {
	for _, words := range [][]string{
		{"--json"}, {"--nagios"}, {"configure", "show"}, {"completion"}, {"man"}, {"schema"},
		{"corosync-conf"}, {"protect"}, {"--generate-bash-completion"},
	} {
		if !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(args, w) }) {
			return nil
		}
	}
	// The scripts' directory has a longer name than any that an operator uses.
	return golden.TooWide(strings.ReplaceAll(text, os.Getenv("WORK"), "/etc"))
}

// forPeople is what was printed, without manual pages and what a shell is told.
func forPeople(text string) string {
	if strings.Contains(text, "\n.SH ") {
		return ""
	}
	return regexp.MustCompile(`(?m)^\S+\t.*$`).ReplaceAllString(text, "")
}

// What is said of many nodes, with long reasons, is wrapped too; on stderr where that is a terminal.
func TestNothingIsWiderThanATerminal(t *testing.T) {
	var nodes []string
	for i := range 16 {
		nodes = append(nodes, fmt.Sprint("balancer-", i))
	}
	long := strings.Repeat("many words of a reason ", 9)
	c := crmtest.New(nodes...)
	require.NoError(t, c.Edit(crmtest.Tutorial()...))
	sys, stdout, stderr := testSystem(t, c) // which fails the test if a line is too long
	sys.interactive = true
	for _, args := range []string{
		"standby balancer-0 --yes", "maintenance on --yes", "maintenance off --yes", "move FloatIP balancer-3 --yes",
		"stop FloatIP --yes", "start FloatIP --yes", "status", "destroy --yes", "timing --for cloud --nodes 16",
	} {
		run(strings.Fields("hawser "+args), sys)
	}
	require.Contains(t, stdout.String(), "keeps running on ")
	var reloads []rollout.NodeReload
	var pushes []rollout.NodePush
	var actions []crm.Action
	var failures []status.Failure
	var haproxies []status.HAProxy
	check := status.Check{Name: "web"}
	for _, n := range nodes {
		reloads = append(reloads, rollout.NodeReload{Node: n, State: rollout.Left, Before: "3f9a12bc45de",
			After: "9f3a12bc45de", OldWorkers: 2, Connections: 37, Reason: long})
		pushes = append(pushes, rollout.NodePush{Node: n, Answer: "refused", Reason: long})
		actions = append(actions, crm.Action{Task: "start", Resource: "haproxy", Node: n, Reason: long})
		failures = append(failures, status.Failure{Node: n, Resource: "haproxy", Task: "monitor", Meaning: "error",
			Reason: long})
		haproxies = append(haproxies, status.HAProxy{Node: n, Resource: "haproxy", Is: "failed", Reason: long})
		check.Nodes = append(check.Nodes, status.CheckOnNode{Node: n, Is: contract.CheckOK})
	}
	sys.showReload(rollout.ReloadReport{Nodes: reloads})
	sys.printf("%s", rollout.PushReport{Nodes: pushes, Taken: true, File: "/etc/haproxy/haproxy.cfg",
		Resource: "haproxy"}.Text())
	sys.showForecast(crm.Forecast{Actions: actions})
	sys.showStatus(&status.Report{
		Pacemaker: status.Pacemaker{Source: status.Source{Available: true}, NotFenced: nodes},
		Failures:  failures, Checks: []status.Check{check}, HAProxy: haproxies,
		Applied: &status.Applied{Node: "balancer-1", File: "/etc/hawser/hawser.yaml", User: "administrator"},
	})

	stderr.Reset()
	sys.warn(long)
	sys.complain(errors.New(long+"`hawser apply --yes`"), long)
	require.Equal(t, 3, strings.Count(stderr.String(), "\n"), "a line is a message, for logs")
	sys.progress = true // a terminal
	stderr.Reset()
	sys.warn(long)
	sys.complain(errors.New(long+"`hawser apply --yes`"), long)
	require.Empty(t, golden.TooWide(stderr.String()))
	for line := range strings.Lines(stderr.String()) {
		require.True(t, strings.HasPrefix(line, "hawser: "), line)
	}
}
