package instance

import (
	"context"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// Advise warns of what a configuration does otherwise under the agent than where a person or
// systemd runs HAProxy.
func (in *Instance) Advise(ctx context.Context, sources []client.Source, env []string) {
	if at := client.StreamLogs(sources, procfs.Getenv(env)); len(at) > 0 {
		ocf.CallFrom(ctx).Warnf("%s: what is logged there is lost, as HAProxy runs in the "+
			"background, without standard streams: log /dev/log local0 leads to the system's log",
			at[0])
	}
}
