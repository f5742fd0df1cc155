package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/host"
	"github.com/hawser-ha/hawser/internal/golden"
)

func TestDoctorsReport(t *testing.T) {
	var out bytes.Buffer
	sys := &system{Host: host.Host{Now: timeOfTests().Now}, terminal: terminal{stdout: &out}}
	told := timeOfTests().at
	r := doctor.Report{Checked: []string{"a", "b"}}
	r.Add(doctor.Finding{Check: "a", Severity: doctor.Warning, What: "w", Why: "because"},
		doctor.Finding{
			Check: "b", Severity: doctor.Error, Node: "lb-2", Subject: "haproxy", What: "e",
			Why: "since", Fix: []string{"one", "two"}, Reported: &told,
		},
		doctor.Finding{Check: "b", Severity: doctor.Unknown, Node: "lb-2", What: "u"})
	sys.showDoctor(r)
	text := out.String()
	require.Contains(t, text, "Cluster\n  warning  w (a)\n           because\n")
	require.Contains(t, text, "Node lb-2, reported at ")
	require.Contains(t, text,
		"  error    haproxy: e (b)\n           since\n           $ one\n           $ two\n  "+
			"unknown  u (b)\n")
	require.True(t,
		strings.HasPrefix(text, "2 checks: 1 error, 1 could not be checked, 1 warning\n\nNode"), text)
	require.Less(t, strings.Index(text, "Node lb-2"), strings.Index(text, "Cluster"),
		"the worst comes first")
	require.NotContains(t, text, "\x1b", "colour is for terminals")
	out.Reset()
	sys.showDoctor(doctor.Report{Checked: []string{"a"}})
	require.Equal(t, "1 check, nothing found\n", out.String())

	// Checks that failed for the same reason share one line, which names them all.
	out.Reset()
	blind := doctor.Report{Checked: []string{"a", "b", "c"}}
	for _, check := range []string{"a", "b", "c"} {
		blind.Add(doctor.Finding{
			Check: check, Severity: doctor.Unknown, Node: "lb-1",
			What: "could not be checked: no answer", Why: "it may be fine or not: " + check,
		})
	}
	blind.Add(doctor.Finding{
		Check: "b", Severity: doctor.Unknown, Node: "lb-2", What: "could not be checked: no answer",
		Why: "why",
	})
	sys.showDoctor(blind)
	require.Equal(t, 2, strings.Count(out.String(), "no answer"), out.String())
	require.Contains(t, out.String(), "no answer (a, b, c)\n")
	require.Contains(t, out.String(), "3 checks: 4 could not be checked\n")
}

func TestDoctorsExitCode(t *testing.T) {
	for severity, code := range map[doctor.Severity]int{
		"": exitOK, doctor.Note: exitOK, doctor.Warning: exitDegraded,
		doctor.Unknown: exitUnavailable, doctor.Error: exitResource,
	} {
		require.Equal(t, code, doctorCode(severity), severity)
	}
}

// Where the cluster does not answer, that is said, and is not read as a cluster without faults.
func TestDoctorWithoutACluster(t *testing.T) {
	var out, complaint bytes.Buffer
	sys := thisSystem()
	sys.Cluster, sys.Running, sys.SavedCIB, sys.Root = &crm.Tools{Dir: t.TempDir()}, true, "", true
	sys.stdout, sys.stderr = &out, &complaint
	require.Equal(t, exitUnavailable, run([]string{
		"hawser", "doctor", "--node-only", "--json",
	}, sys))
	var r doctor.Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &r))
	require.Positive(t, r.Count(doctor.Unknown))
	sys.Root = false
	require.Equal(t, exitPermission, run([]string{"hawser", "doctor"}, sys))
	require.Contains(t, complaint.String(), "sudo")
	require.Equal(t, exitUsage, run([]string{"hawser", "doctor", "lb-1"}, sys))
	out.Reset()
	require.Equal(t, exitOK, run([]string{"hawser", "doctor", "--list"}, sys), "which anybody may")
	require.Contains(t, out.String(), "haproxy-config  ")
}

// counting is a cluster that answers nothing, and counts what it is asked.
type counting struct {
	*crmtest.Fake
	queries, statuses, attributes atomic.Int32
}

func (c *counting) Query(context.Context) (*crm.CIB, error) {
	c.queries.Add(1)
	return nil, crm.ErrNotRunning
}

func (c *counting) Status(context.Context) (*crm.Status, error) {
	c.statuses.Add(1)
	return nil, crm.ErrNotRunning
}

func (c *counting) Private(context.Context, string) (map[string]string, error) {
	c.attributes.Add(1)
	return map[string]string{}, crm.ErrNotRunning
}

func (c *counting) SetPrivate(context.Context, string, string) error { return crm.ErrNotRunning }

// A Pacemaker that hangs is waited for once, not by each check for itself: the keeper gives `hawser
// doctor --tell` a minute.
func TestDoctorAsksPacemakerOnce(t *testing.T) {
	c := &counting{Fake: crmtest.New("lb-1", "lb-2")}
	sys := thisSystem()
	sys.Cluster, sys.Running, sys.SavedCIB, sys.Root = c, true, "", true
	sys.stdout, sys.stderr = io.Discard, io.Discard
	require.NotZero(t, run([]string{"hawser", "doctor"}, sys))
	require.EqualValues(t, 1, c.queries.Load())
	require.EqualValues(t, 1, c.statuses.Load())
	require.LessOrEqual(t, c.attributes.Load(), int32(1))
}

// testClock is a clock that stands still until it is set.
type testClock struct{ at time.Time }

// Now is what it shows.
func (c *testClock) Now() time.Time { return c.at }

func timeOfTests() *testClock { return &testClock{time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }

// docs/doctor.md has the checks as they are declared.
func TestDoctorsPage(t *testing.T) {
	var table strings.Builder
	table.WriteString("| check | looks for | worst | why it matters | what fixes it |\n" +
		"|---|---|---|---|---|\n")
	names := map[string]bool{}
	for _, c := range thisSystem().Doctor(version).Checks() {
		require.NotEmpty(t, c.Short, c.Name)
		require.NotEmpty(t, c.Why, c.Name)
		require.NotEmpty(t, c.Remedy, c.Name)
		require.Contains(t, doctor.Severities(), c.Worst, c.Name)
		require.False(t, names[c.Name], "two checks are called %s", c.Name)
		names[c.Name] = true
		row := []string{"`" + c.Name + "`", c.Short, string(c.Worst), c.Why, c.Remedy}
		table.WriteString("| " + strings.ReplaceAll(strings.Join(row, "\x00"), "|", `\|`) + " |\n")
	}
	golden.Part(t, "../../docs/doctor.md", "<!-- checks: written by HAWSER_UPDATE=1 go test -run "+
		"TestDoctorsPage ./cmd/hawser -->\n", "<!-- checks: end -->",
		strings.ReplaceAll(table.String(), "\x00", " | "))
}
