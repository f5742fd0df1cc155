package e2e

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/report"
	"github.com/hawser-ha/hawser/lab"
)

// The requests and reloads of BenchmarkReload: those by which Yelp's engineers judged their own.
const (
	benchRequests = 1_000_000
	benchReloads  = 1_500
	benchClients  = 32
)

// reloader runs the agent's reload in a node, one after the other, from a shell that stays there: entering the node for each would take
// longer than the reload.
type reloader struct {
	ask    *io.PipeWriter
	answer *io.PipeReader
	done   chan struct{}
}

func (c *cluster) startReloader(b *testing.B, node string) *reloader {
	b.Helper()
	in, ask := io.Pipe()
	answer, out := io.Pipe()
	r := &reloader{ask: ask, answer: answer, done: make(chan struct{})}
	go func() {
		err := c.Run(b.Context(), node, lab.Command{
			Args:  []string{"sh", "-c", "while read -r _; do /usr/lib/ocf/resource.d/hawser/haproxy reload-agent >/dev/null 2>&1; echo $?; done"},
			Env:   ocfEnv("haproxy", "CRM_meta_timeout=30000"),
			Stdin: in, Stdout: out,
		})
		_ = out.CloseWithError(err)
		close(r.done)
	}()
	b.Cleanup(func() {
		_ = ask.Close()
		<-r.done // it ends with the benchmark's context
	})
	return r
}

// reload is the agent's exit code.
func (r *reloader) reload() (string, error) {
	if _, err := io.WriteString(r.ask, "reload\n"); err != nil {
		return "", err
	}
	var line strings.Builder
	for one := make([]byte, 1); ; {
		if _, err := r.answer.Read(one); err != nil {
			return "", err
		}
		if one[0] == '\n' {
			return line.String(), nil
		}
		line.WriteByte(one[0])
	}
}

// BenchmarkReload counts what a million requests through the floating IP lose over 1,500 reloads of the HAProxy that serves them, by the
// agent's own reload, which checks the configuration each time. The reloads are spread evenly over the requests.
func BenchmarkReload(b *testing.B) {
	c := fresh(b)
	c.write(b, "lb-1", yamlPath, tutorialYAML)
	c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.serves(b)
	holder := c.holder(b)
	pid := c.haproxyPID(b, holder)
	r := c.startReloader(b, holder)
	l, err := c.StartLoad(b.Context(), "client", load.Plan{
		URL: page, Clients: benchClients, Requests: benchRequests, Timeout: 10 * time.Second,
	})
	require.NoError(b, err)

	var took, longest time.Duration
	reloads := 0
	for ended := false; reloads < benchReloads && !ended; {
		if l.Progress().Requests < reloads*(benchRequests/benchReloads) {
			select {
			case <-l.Done():
				ended = true
			case <-time.After(5 * time.Millisecond): // until as many requests have been made
			}
			continue
		}
		began := time.Now()
		code, err := r.reload()
		require.NoError(b, err)
		require.Equal(b, "0", code, "reload %d", reloads+1)
		reloads++
		took += time.Since(began)
		longest = max(longest, time.Since(began))
	}
	seen, err := l.Wait()
	require.NoError(b, err)
	require.Equal(b, benchRequests, seen.Requests)
	require.Equal(b, pid, c.haproxyPID(b, holder), "HAProxy was restarted")
	require.Equal(b, holder, c.holder(b), "the address has moved")

	report.Record(b, report.Row{
		Section: report.SectionReload, What: "requests that fail while HAProxy is reloaded " + fmt.Sprint(reloads) + " times",
		Ours: report.Figure{Name: "the agent's reload-agent", Value: float64(seen.Failed),
			Detail: fmt.Sprintf("of %d requests in %s by %d clients", seen.Requests, seen.Took.Round(time.Second), benchClients),
			More: []report.Figure{
				{Name: "reloads", Value: float64(reloads)},
				{Name: "a reload with its check", Value: ms(took / time.Duration(max(reloads, 1))), Unit: "ms", Detail: fmt.Sprintf("mean; longest %.0f ms", ms(longest))},
				{Name: "wait p50", Value: ms(seen.P50), Unit: "ms"}, {Name: "wait p99", Value: ms(seen.P99), Unit: "ms"}, {Name: "wait max", Value: ms(seen.Max), Unit: "ms"},
			}},
		Goals: []report.Goal{report.AtMost(0)},
		Note: "through the floating IP, each request on a connection of its own, 1,500 reloads spread over 1,000,000 requests. " +
			"What a reload without passing the sockets loses is in the section about held connections",
	})
	if seen.Failed > 0 {
		b.Logf("%v %+v", seen.Failures, seen.First[:min(len(seen.First), 5)])
	}
	if reloads < benchReloads {
		b.Errorf("the requests were over after %d of %d reloads", reloads, benchReloads)
	}
}
