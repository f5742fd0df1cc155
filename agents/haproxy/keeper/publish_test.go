package keeper

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/checks"
	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// told runs a publisher for some time with an attrd_updater that notes its arguments and then does
// what the script says, and returns the lines that it noted.
func told(t *testing.T, script string, some time.Duration,
	use func(p *publisher), current func() (results, bool)) []string {
	t.Helper()
	dir := t.TempDir()
	tool, notes := filepath.Join(dir, "attrd_updater"), filepath.Join(dir, "told")
	require.NoError(t, os.WriteFile(tool, fmt.Appendf(nil, "#!/bin/sh\necho \"$*\" >>%s\n%s\n", notes, script), 0o700))
	in := &instance.Instance{}
	in.AttrdUpdater = tool
	bound, err := (&ocf.Agent{Name: "haproxy"}).Bind(t.Context(), ocf.Env{Args: []string{"a", "keeper"},
		Getenv: ocf.Getenv([]string{"OCF_RESOURCE_INSTANCE=test"}), Stdout: io.Discard, Stderr: io.Discard})
	require.NoError(t, err)
	call := ocf.CallFrom(bound)
	call.Node, call.Clustered = "lb-1", true
	p := newPublisher(in, call)
	ctx, cancel := context.WithTimeout(t.Context(), some)
	defer cancel()
	over := make(chan struct{})
	go func() { p.run(ctx, current); close(over) }()
	use(&p)
	<-ctx.Done()
	began := time.Now()
	<-over
	require.Less(t, time.Since(began), time.Second/2, "it ends with its context")
	text, err := os.ReadFile(notes)
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// many are the results of as many checks as there may be.
func many() (results, bool) {
	r := results{values: map[string]string{}, doubts: map[string]bool{}}
	for i := range 16 {
		name := fmt.Sprint("c", i)
		r.values[name], r.doubts[name] = "ok", false
	}
	return r, true
}

// While Pacemaker does not answer, attempts become rarer, leave nothing behind, and delay nobody.
func TestPublishToNobody(t *testing.T) {
	before := runtime.NumGoroutine()
	for name, script := range map[string]string{"hangs": "sleep 60", "is gone": "exit 102"} {
		t.Run(name, func(t *testing.T) {
			lines := told(t, script, 4*time.Second, func(p *publisher) {
				for range 30 { // a check that comes and goes
					p.soon()
					time.Sleep(50 * time.Millisecond)
				}
			}, many)
			require.LessOrEqual(t, len(lines), 4, "one attribute in each attempt, after 1 and 2 s")
		})
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 5*time.Second, 10*time.Millisecond)
}

// Attributes that an earlier publisher has set of what fails are taken back.
func TestPublishNothingFails(t *testing.T) {
	lines := told(t, "", time.Second, (*publisher).soon, func() (results, bool) { return results{}, true })
	require.Equal(t, []string{"-n hawser-test-failing -D"}, lines)
}

// A check that is taken out and put in again, faster than it is withdrawn and done, is not forgotten.
func TestPublishedIsRemembered(t *testing.T) {
	in := &instance.Instance{Files: contract.Files{Dir: t.TempDir()}}
	c := &checker{in: in, call: &ocf.Call{Clustered: true}, checks: []param.Check{{Name: "web"}},
		serving: func() (instance.State, bool) { return instance.State{}, true },
		book:    checks.Book{Records: map[string]*checks.Record{}, Published: []string{"old", "web"}}}
	r, ok := c.results()
	require.True(t, ok)
	require.Equal(t, []string{"old"}, r.gone)
	require.ElementsMatch(t, []string{"old", "web"}, c.book.Published)
	r.withdrawn()
	require.Equal(t, []string{"web"}, checks.ReadBook(in.Checks()).Published)
}

// A doubt is published before all else, and taken back after the failure that it became: at no moment does the check seem to hold without a
// doubt. Another node asks in the same order, for the doubts first.
func TestOrderOfDoubtAndFailure(t *testing.T) {
	states := []results{
		{values: map[string]string{"web": contract.CheckOK}, doubts: map[string]bool{"web": false}},
		{values: map[string]string{"web": contract.CheckOK}, doubts: map[string]bool{"web": true}},
		{values: map[string]string{"web": contract.CheckFailed}, doubts: map[string]bool{"web": false}},
	}
	p := publisher{call: &ocf.Call{Node: "lb-1", Instance: "test", Clustered: true}, values: map[string]published{}, doubts: map[string]bool{}}
	dir := t.TempDir()
	tool, notes := filepath.Join(dir, "attrd_updater"), filepath.Join(dir, "told")
	require.NoError(t, os.WriteFile(tool, fmt.Appendf(nil, "#!/bin/sh\necho \"$*\" >>%s\ncase \"$*\" in *-Q*) echo '<r/>';; esac\n", notes), 0o700))
	p.in = &instance.Instance{}
	p.in.AttrdUpdater = tool
	for _, s := range states {
		require.NoError(t, p.publish(t.Context(), s))
	}
	text, err := os.ReadFile(notes)
	require.NoError(t, err)
	var order []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, "failing") {
			order = append(order, strings.TrimSpace(line))
		}
	}
	require.Equal(t, []string{
		"-n hawser-test-check-web -B ok -d 0s",
		"-n hawser-test-doubt-web -U 0 -p",
		"-n hawser-test-doubt-web -U 1 -p",
		"-n hawser-test-doubt-web -Q -A --output-as=xml",
		"-n hawser-test-check-web -Q -A --output-as=xml",
		"-n hawser-test-check-web -B failed -d 5s",
		"-n hawser-test-doubt-web -U 0 -p",
	}, order)
}
