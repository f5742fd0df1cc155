package haproxy

import (
	"context"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
)

// Environment returns the HAWSER_ variables that the HAProxy of an instance was started with on
// this machine; nil if none runs.
func Environment(runDir, name string) []string { return instance.EnvironmentOf(runDir, name) }

// Startup is what decides an instance's environment.
type Startup = instance.Startup

// EnvironmentFor returns the HAWSER_ variables with which HAProxy would be started on the node now.
func EnvironmentFor(ctx context.Context, s Startup, node string) ([]string, error) {
	return instance.EnvironmentFor(ctx, s, node)
}
