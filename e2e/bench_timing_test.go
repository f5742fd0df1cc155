package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/report"
	"github.com/hawser-ha/hawser/internal/totem"
	"github.com/hawser-ha/hawser/lab"
)

// soakEnv is how long the memberships are watched; docs/timing.md's figures are of ten minutes.
const soakEnv = "HAWSER_SOAK"

var candidates = []struct {
	name string
	totem.Timing
	// ordinary takes Corosync's real-time priority away.
	ordinary bool
}{
	{"t400", totem.Timing{Token: 400 * time.Millisecond}, false},
	{"t500", totem.Timing{Token: 500 * time.Millisecond}, false},
	{"t600", totem.Timing{Token: 600 * time.Millisecond}, false},
	{"t700", totem.Timing{Token: 700 * time.Millisecond}, false},
	{"t850", totem.Timing{Token: 850 * time.Millisecond}, false},
	{"t1000", totem.Timing{Token: time.Second}, false},
	{"o700", totem.Timing{Token: 700 * time.Millisecond}, true},
}

// BenchmarkMembershipUnderLoad has a lab of three balancers for each candidate, all at once, with twice as many busy loops as there are
// cores, and counts how often each lab's membership was formed anew, and how often a living node was left out.
func BenchmarkMembershipUnderLoad(b *testing.B) {
	needs.Root(b)
	soak := 20 * time.Second
	if text := os.Getenv(soakEnv); text != "" {
		var err error
		soak, err = time.ParseDuration(text)
		require.NoError(b, err, soakEnv)
	}
	overlay := os.Getenv("HAWSER_OVERLAY")
	labs := make([]*lab.Lab, len(candidates))
	for i, c := range candidates {
		c.Warning = 20
		l, err := lab.Up(b.Context(), lab.Options{Name: c.name, Apps: 1, Overlay: overlay, Totem: c.Timing})
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, l.Down(context.Background())) })
		labs[i] = l
		if c.ordinary {
			for _, n := range l.Nodes(lab.Balancer) {
				_, _, err := l.Exec(b.Context(), n.Name, "sh", "-c", "chrt --all-tasks --other --pid 0 $(pidof corosync)")
				require.NoError(b, err)
			}
		}
	}
	begin := time.Now()
	busy(b, 2*runtime.NumCPU())
	time.Sleep(soak) // the measurement itself
	end := time.Now()
	var wg sync.WaitGroup
	for i, l := range labs {
		wg.Go(func() {
			c := candidates[i]
			formed, left, paused, worst := watched(b, l, begin, end)
			name := "SCHED_RR"
			if c.ordinary {
				name = "SCHED_OTHER"
			}
			report.Record(b, report.Row{
				Section: report.SectionLost, What: fmt.Sprintf("membership for %s, every core busy: token %s, consensus %s, %s", soak, c.Token, c.In(3).Consensus, name),
				Ours: report.Figure{Name: "formed anew", Value: float64(formed), Unit: "times", Detail: fmt.Sprintf(
					"%d times a living node was left out, %d pauses noticed, longest wait for the token %d ms", left, paused, worst)},
			})
		})
	}
	wg.Wait()
}

// busy keeps so many loops running until the benchmark ends.
func busy(b *testing.B, n int) {
	b.Helper()
	for range n {
		cmd := exec.Command("/bin/sh", "-c", "while :; do :; done")
		require.NoError(b, cmd.Start())
		b.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
}

var (
	corosyncLine = regexp.MustCompile(`^(\w{3} \d\d \d\d:\d\d:\d\d\.\d{3}) \[\d+\] \S+ corosync \w+ +\[(\w+) *\] (.*)$`)
	tokenLate    = regexp.MustCompile(`Token has not been received in (\d+) ms`)
)

// watched counts what the balancers' Corosyncs logged between the two times: the largest of each over the nodes.
func watched(b *testing.B, l *lab.Lab, begin, end time.Time) (formed, left, paused, worst int) {
	b.Helper()
	for _, n := range l.Nodes(lab.Balancer) {
		text, err := os.ReadFile(l.Disk(n.Name) + "/var/log/corosync/corosync.log")
		require.NoError(b, err)
		var f, g, p int
		for line := range strings.Lines(string(text)) {
			m := corosyncLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
			if m == nil {
				continue
			}
			at, err := time.ParseInLocation("Jan 02 15:04:05.000 2006", m[1]+" "+strconv.Itoa(begin.Year()), time.Local)
			require.NoError(b, err)
			if at.Before(begin) || at.After(end) {
				continue
			}
			switch {
			case strings.Contains(m[3], "A new membership"):
				f++
				if strings.Contains(m[3], "Members left") {
					g++
				}
			case strings.Contains(m[3], "Process pause detected"):
				p++
			}
			if late := tokenLate.FindStringSubmatch(m[3]); late != nil {
				ms, _ := strconv.Atoi(late[1])
				worst = max(worst, ms)
			}
		}
		formed, left, paused = max(formed, f), max(left, g), max(paused, p)
	}
	return formed, left, paused, worst
}
