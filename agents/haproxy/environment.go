package haproxy

import (
	"context"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
)

// Environment returns the HAWSER_ variables that the HAProxy of an instance was started with on
// this machine; nil if none runs.
func Environment(runDir, name string) []string { return instance.EnvironmentOf(runDir, name) }

// Startup is what decides how an instance is started.
type Startup = instance.Startup

// EnvironmentFor returns the HAWSER_ variables with which HAProxy would be started on the node now.
func EnvironmentFor(ctx context.Context, s Startup, node string) ([]string, error) {
	return instance.EnvironmentFor(ctx, s, node)
}

// UnitFiles says which files HAProxy reads where its systemd unit starts it and not under the
// cluster, and what to do; "" if there are none.
func UnitFiles(ctx context.Context, s Startup) (string, error) {
	return instance.UnitFiles(ctx, s)
}
