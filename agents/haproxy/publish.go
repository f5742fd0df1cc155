package haproxy

import (
	"context"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// announce tells of the last crash.
func (a *agent) announce(ctx context.Context, s state) {
	call := ocf.CallFrom(ctx)
	if !call.Clustered || len(s.Crashes) == 0 {
		return
	}
	last := s.Crashes[len(s.Crashes)-1]
	value := contract.Crash{At: last.At, Took: last.Took, Count: len(s.Crashes)}.String()
	if err := a.attrd("-n", contract.CrashAttribute(resourceOf(call)), "-U", value); err != nil {
		call.Warnf("cannot tell the cluster of the crash: %v", err)
	}
}

// summarise counts servers by what they do: serve; fail; or nothing new, because somebody took them out (DRAIN, MAINT).
func summarise(servers []client.Stat) contract.Servers {
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

// rename publishes under the resource's id what an older agent has published under the name of the
// instance, which in a clone with globally unique instances is another one, "haproxy:0".
func (a *agent) rename(ctx context.Context, s *state) {
	call := ocf.CallFrom(ctx)
	if s.ByResource || !call.Clustered || call.Instance == resourceID(call.Instance) {
		return
	}
	s.ByResource = true
	old := "hawser-" + call.Instance
	for name, value := range map[string]string{old: s.Published, old + "-config": s.Served.Told} {
		if value == "" {
			continue
		}
		if err := a.attrd("-n", name, "-D"); err != nil {
			call.Warnf("cannot take back from the cluster what an older agent told it as %s: %v", name, err)
		}
	}
	s.Published, s.Served.Told = "", ""
}

// publish tells the cluster when what HAProxy sees has changed, and only then, so that a steady monitor starts no process. It
// never fails a monitor: the next one tries again.
func (a *agent) publish(ctx context.Context, f files, s *state, servers contract.Servers) {
	call := ocf.CallFrom(ctx)
	summary := servers.String()
	if !call.Clustered || summary == s.Published {
		return
	}
	if err := a.attrd("-n", contract.ServersAttribute(resourceOf(call)), "-U", summary); err != nil {
		call.Warnf("cannot tell the cluster the servers' state %s: %v", summary, err)
		return
	}
	s.Published = summary
	if err := f.save(*s); err != nil {
		call.Warnf("%v", err)
	}
}

// withdraw takes back what publish told.
func (a *agent) withdraw(ctx context.Context, s state) {
	a.untell(ctx, s)
	call := ocf.CallFrom(ctx)
	if !call.Clustered {
		return
	}
	if s.Pushed != "" {
		if err := a.attrd("-n", contract.PushAttribute(resourceOf(call)), "-D"); err != nil {
			call.Warnf("cannot take the answer about a pushed configuration back from the cluster: %v", err)
		}
	}
	if s.Published == "" {
		return
	}
	if err := a.attrd("-n", contract.ServersAttribute(resourceOf(call)), "-D"); err != nil {
		call.Warnf("cannot take the servers' state back from the cluster: %v", err)
	}
}
