package haproxy

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/ocf"
)

// TestReloadEveryTenthOfASecond loses none of 30,000 requests, each on a connection of its own,
// while HAProxy is reloaded every 100 ms the way the agent does it, the last time by the agent
// itself. If the machine is too busy for that pace, the requests continue until there have been as
// many reloads.
func TestReloadEveryTenthOfASecond(t *testing.T) {
	const (
		requests = 30_000
		every    = 100 * time.Millisecond
		reloads  = 100
	)
	w := newWorld(t)
	w.start()
	master := w.master().PID
	l, err := load.Start(t.Context(), load.Plan{
		URL: fmt.Sprintf("http://127.0.0.1:%d/", w.port), Clients: 8,
		Every: reloads * every / requests, Timeout: 10 * time.Second,
	})
	require.NoError(t, err)
	next := time.NewTicker(every)
	defer next.Stop()
	done := 0
	for ; done < reloads-1 || l.Progress().Requests < requests; done++ {
		w.write("haproxy.cfg", w.config(fmt.Sprintf("backend b%d\n", done)))
		require.NoError(t, client.Master{Path: w.instance().MasterSocket()}.Reload(t.Context()))
		<-next.C
	}
	w.write("haproxy.cfg", w.config(another))
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	report := l.Stop()
	t.Logf("%d reloads: %s", done+1, report)
	require.Zero(t, report.Failed, "%v %+v", report.Failures, report.First)
	require.GreaterOrEqual(t, report.OK, requests)
	require.Contains(t, w.backends(), "another", "the last configuration serves")
	require.Equal(t, master, w.master().PID, "nothing was restarted")
	w.want(ocf.Success, w.r.Monitor(0))
}
