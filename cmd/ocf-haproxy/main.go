// Command ocf-haproxy is the resource agent ocf:hawser:haproxy, installed as
// /usr/lib/ocf/resource.d/hawser/haproxy, the keeper that its start leaves behind, and what becomes
// HAProxy with its unit's settings.
package main

import (
	"context"
	"os"

	"github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/unit"
	"github.com/hawser-ha/hawser/ocf"
)

// version is stamped in by the Makefile.
var version = "dev"

func main() {
	if unit.IsLauncher(os.Args) {
		os.Exit(unit.BecomeHAProxy())
	}
	if instance.IsKeeper(os.Args) {
		os.Exit(haproxy.Keep(context.Background(), version))
	}
	ocf.DieBySignal()
	// The agent's file is called haproxy, and `killall haproxy` would end an action that is under
	// way: Pacemaker bans a node for a start that is killed.
	_ = os.WriteFile("/proc/self/comm", []byte("hawser-agent"), 0)
	os.Exit(haproxy.New(version).Main(context.Background(), ocf.OSEnv()))
}
