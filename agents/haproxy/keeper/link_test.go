package keeper

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/checks"
	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/wellness"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/nic/nictest"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// linked is a checker of one interface, in a cluster of which the file "others" has what other nodes
// say of the check, and "doubts" their doubts.
type linked struct {
	dir   string
	cable *nictest.Cable
}

func checkLink(t *testing.T, keys string) *linked {
	l := &linked{dir: t.TempDir(), cable: nictest.New(t)}
	tool := filepath.Join(l.dir, "attrd_updater")
	require.NoError(t, os.WriteFile(tool, fmt.Appendf(nil, `#!/bin/sh
case "$*" in
*doubt*-Q*) cat %[1]s/doubts;;
*-Q*) cat %[1]s/others;;
*) echo "$*" >>%[1]s/told;;
esac
`, l.dir), 0o700))
	l.write(t, "others", `<r><attribute value="ok" host="lb-2"/></r>`)
	l.write(t, "doubts", `<r/>`)
	all, err := param.ParseChecks("up interface=" + l.cable.Name + " " + keys)
	require.NoError(t, err)
	in := &instance.Instance{Files: contract.Files{Dir: l.dir}}
	in.AttrdUpdater = tool
	bound, err := (&ocf.Agent{Name: "haproxy"}).Bind(t.Context(), ocf.Env{Args: []string{"a", "keeper"},
		Getenv: ocf.Getenv([]string{"OCF_RESOURCE_INSTANCE=test"}), Stdout: io.Discard, Stderr: io.Discard})
	require.NoError(t, err)
	call := ocf.CallFrom(bound)
	call.Node, call.Clustered = "lb-1", true
	c := &checker{in: in, call: call, checks: all, suspects: map[string]bool{},
		serving:   func() (instance.State, bool) { return instance.State{}, true },
		book:      checks.Book{Records: map[string]*checks.Record{}},
		publisher: newPublisher(in, call), well: &wellness.Counter{}}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { c.run(ctx); close(over) }()
	t.Cleanup(func() { cancel(); <-over })
	l.tells(t, "-n hawser-test-check-up -B ok -d 0s")
	return l
}

func (l *linked) write(t *testing.T, name, text string) {
	path := filepath.Join(l.dir, name)
	require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func (l *linked) told() string {
	text, _ := os.ReadFile(filepath.Join(l.dir, "told"))
	return string(text)
}

// tells waits until the cluster has been told these lines, in this order.
func (l *linked) tells(t *testing.T, lines ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		rest := l.told()
		for _, line := range lines {
			var found bool
			if _, rest, found = strings.Cut(rest, line+"\n"); !found {
				return false
			}
		}
		return true
	}, 15*time.Second, 2*time.Millisecond, "%s", l.told())
}

// A lost carrier does not wait until the check is due, and is in doubt before it counts.
func TestLostCarrier(t *testing.T) {
	l := checkLink(t, "every=1h")
	began := time.Now()
	l.cable.Unplug()
	l.tells(t, "-n hawser-test-doubt-up -U 1 -p", "-n hawser-test-check-up -B failed -d 50ms",
		"-n hawser-test-doubt-up -U 0 -p")
	t.Logf("told after %s", time.Since(began))
	require.Eventually(t, func() bool { return strings.Contains(l.told(), "-n hawser-test-failing -U up since=") },
		5*time.Second, time.Millisecond)
	require.Contains(t, l.told(), l.cable.Name+" has no carrier")
}

// TestLostCarrierEverywhere: where no other node is well, nothing moves.
func TestLostCarrierEverywhere(t *testing.T) {
	l := checkLink(t, "every=1h")
	l.write(t, "doubts", `<r><attribute value="1" host="lb-2"/></r>`)
	l.cable.Unplug()
	l.tells(t, "-n hawser-test-doubt-up -U 1 -p", "-n hawser-test-check-up -B failed -d 5s")
}

// TestBlinkingLink: it is a doubt that passes. Good results count when the check is due.
func TestBlinkingLink(t *testing.T) {
	l := checkLink(t, "every=1s rise=2")
	l.cable.Down()
	l.tells(t, "-n hawser-test-doubt-up -U 1 -p")
	l.cable.Up()
	l.tells(t, "-n hawser-test-doubt-up -U 1 -p", "-n hawser-test-doubt-up -U 0 -p")
	if !strings.Contains(l.told(), "failed") { // it was fast enough
		require.NotContains(t, l.told(), "hawser-test-failing -U")
		l.cable.Down()
	}
	l.tells(t, "-n hawser-test-check-up -B failed -d 50ms")
	l.cable.Up()
	l.tells(t, "-n hawser-test-check-up -B failed -d 50ms", "-n hawser-test-check-up -B ok -d 5s")
}

// TestFlappingLink: the cluster is not told of each turn. On a busy machine a turn may take so long
// that the link is lost, which is something else.
func TestFlappingLink(t *testing.T) {
	for range 20 {
		flapped := false
		passed := t.Run("flap", func(t *testing.T) {
			l := checkLink(t, "every=1h")
			began := time.Now()
			for range 20 {
				l.cable.Down()
				l.cable.Up()
				time.Sleep(15 * time.Millisecond)
			}
			took := time.Since(began)
			if flapped = !strings.Contains(l.told(), "failed"); !flapped {
				return
			}
			require.LessOrEqual(t, strings.Count(l.told(), "doubt-up -U 1"), 1+int(took/peace))
			if strings.Contains(l.told(), "doubt-up -U 1") {
				l.tells(t, "-n hawser-test-doubt-up -U 1 -p", "-n hawser-test-doubt-up -U 0 -p")
			}
		})
		if flapped || !passed {
			return
		}
	}
	t.Fatal("the link was lost in each of 20 tries: this machine is too busy for the test")
}
