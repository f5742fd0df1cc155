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

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/report"
	"github.com/hawser-ha/hawser/lab"
)

// soakEnv is how long the memberships are watched; docs/timing.md's figures are of ten minutes.
const soakEnv = "HAWSER_SOAK"

var candidates = []struct {
	name string
	corosync.Timing
	// ordinary takes Corosync's real-time priority away.
	ordinary bool
}{
	{"k130", pings(130), false},
	{"k150", pings(150), false},
	{"k200", pings(200), false},
	{"k250", pings(250), false},
	{"k300", pings(300), false},
	{"ok200", pings(200), true},
	{"ok400", pings(400), true},
}

// pings is a token with knet's pings apart from it.
func pings(token int) corosync.Timing {
	return corosync.Timing{Token: time.Duration(token) * time.Millisecond, PingInterval: 250 * time.Millisecond, PingTimeout: time.Second}
}

// BenchmarkMembershipUnderLoad has a lab of three balancers for each candidate, all at once, with
// twice as many busy loops as there are cores, and counts how often each lab's membership was
// formed again, and how often a living node was left out.
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
		l, err := bringUp(b.Context(), lab.Options{Name: c.name, Apps: 1, Overlay: overlay, Totem: c.Timing})
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
			formed, left, down, worst := watched(b, l, begin, end)
			name := "SCHED_RR"
			if c.ordinary {
				name = "SCHED_OTHER"
			}
			report.Record(b, report.Row{
				Section: report.SectionLost, What: fmt.Sprintf("membership for %s, every core busy: token %s, consensus %s, knet's pings %s/%s, %s",
					soak, c.Token, c.In(3).Consensus, c.In(3).PingInterval, c.In(3).PingTimeout, name),
				Ours: report.Figure{Name: "formed anew", Value: float64(formed), Unit: "times", Detail: fmt.Sprintf(
					"%d times a living node was left out, %d times a link was down, longest wait for the token %d ms", left, down, worst)},
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
func watched(b *testing.B, l *lab.Lab, begin, end time.Time) (formed, left, down, worst int) {
	b.Helper()
	for _, n := range l.Nodes(lab.Balancer) {
		text, err := os.ReadFile(l.Disk(n.Name) + "/var/log/corosync/corosync.log")
		require.NoError(b, err)
		var f, g, d int
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
			case strings.Contains(m[3], "link: 0 is down"):
				d++
			}
			if late := tokenLate.FindStringSubmatch(m[3]); late != nil {
				ms, _ := strconv.Atoi(late[1])
				worst = max(worst, ms)
			}
		}
		formed, left, down = max(formed, f), max(left, g), max(down, d)
	}
	return formed, left, down, worst
}
