package haproxy

import (
	"context"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// countServers counts servers by what they do: serve, fail, or drain because somebody took them out
// (DRAIN, MAINT).
func countServers(servers []client.Stat) contract.Servers {
	var sum contract.Servers
	for _, s := range servers {
		switch {
		case s.Type != client.Server:
		case s.Up():
			sum.Up++
		case s.Drained():
			sum.Draining++
		default:
			sum.Down++
		}
	}
	return sum
}

// publishByResource publishes under the resource's id what an older agent has published under the
// instance's name, which differs in a clone with globally unique instances: "haproxy:0".
func (a *agent) publishByResource(ctx context.Context, in *instance.Instance, s *instance.State) {
	call := ocf.CallFrom(ctx)
	if s.ByResource || !call.Clustered || call.Instance == resourceOf(call).String() {
		return
	}
	s.ByResource = true
	old := "hawser-" + call.Instance
	for name, value := range map[string]string{old: s.Published, old +
		"-config": s.Served.Published} {
		if value == "" {
			continue
		}
		if err := in.DeleteAttribute(name); err != nil {
			call.Warnf("cannot withdraw from the cluster what an older agent reported as %s: %v",
				name, err)
		}
	}
	s.Published, s.Served.Published = "", ""
}

// publish publishes the servers' state if it has changed, and only then, so that a steady monitor
// starts no process. It never fails a monitor: the next one tries again.
func (a *agent) publish(ctx context.Context, in *instance.Instance, s *instance.State,
	servers contract.Servers) {
	call := ocf.CallFrom(ctx)
	summary := servers.String()
	if !call.Clustered || summary == s.Published {
		return
	}
	if err := in.SetAttribute(contract.ServersAttribute(resourceOf(call)), summary); err != nil {
		call.Warnf("cannot report the servers' state %s to the cluster: %v", summary, err)
		return
	}
	s.Published = summary
	if err := in.Save(*s); err != nil {
		call.Warnf("%v", err)
	}
}

// withdraw removes what was published.
func (a *agent) withdraw(ctx context.Context, in *instance.Instance, s instance.State) {
	a.withdrawLoaded(ctx, in, s)
	call := ocf.CallFrom(ctx)
	if !call.Clustered {
		return
	}
	a.withdrawChecks(ctx, in)
	a.withdrawWell(ctx, in)
	if s.Pushed != "" {
		if err := in.DeleteAttribute(contract.PushAttribute(resourceOf(call))); err != nil {
			call.Warnf("cannot withdraw the answer about a pushed configuration from the "+
				"cluster: %v", err)
		}
	}
	if s.Published == "" {
		return
	}
	if err := in.DeleteAttribute(contract.ServersAttribute(resourceOf(call))); err != nil {
		call.Warnf("cannot withdraw the servers' state from the cluster: %v", err)
	}
}

// resourceOf returns the resource that a call is about.
func resourceOf(call *ocf.Call) contract.ResourceID { return contract.ResourceOf(call.Instance) }
