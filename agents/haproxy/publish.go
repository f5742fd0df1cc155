package haproxy

import (
	"context"
	"fmt"
	"time"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// Attribute is the transient node attribute in which the agent of a resource tells the cluster what HAProxy sees of its servers,
// in the form "up=3,down=1,draining=0".
func Attribute(instance string) string { return "hawser-" + instance }

// CrashAttribute is the transient node attribute in which the agent of a resource tells the cluster, and whoever gets Pacemaker's alerts, of
// HAProxy's last crash, in the form "at=2026-11-21T03:12:07Z,took=0.06,count=2". Count is that since the start.
func CrashAttribute(instance string) string { return "hawser-" + instance + "-crash" }

// announce tells of the last crash.
func (a *agent) announce(ctx context.Context, s state) {
	call := ocf.CallFrom(ctx)
	if !call.Clustered || len(s.Crashes) == 0 {
		return
	}
	last := s.Crashes[len(s.Crashes)-1]
	value := fmt.Sprintf("at=%s,took=%.2f,count=%d", last.At.UTC().Format(time.RFC3339), last.Took.Seconds(), len(s.Crashes))
	if err := a.attrd("-n", CrashAttribute(call.Instance), "-U", value); err != nil {
		call.Warnf("cannot tell the cluster of the crash: %v", err)
	}
}

// summarise counts servers by what they do: serve; fail; or nothing new, because somebody took them out (DRAIN, MAINT).
func summarise(servers []client.Stat) string {
	var up, down, draining int
	for _, s := range servers {
		switch {
		case s.Type != client.Server:
		case s.Up():
			up++
		case s.Drained():
			draining++
		default:
			down++
		}
	}
	return fmt.Sprintf("up=%d,down=%d,draining=%d", up, down, draining)
}

// publish tells the cluster when what HAProxy sees has changed, and only then, so that a steady monitor starts no process. It
// never fails a monitor: the next one tries again.
func (a *agent) publish(ctx context.Context, f files, s *state, summary string) {
	call := ocf.CallFrom(ctx)
	if !call.Clustered || summary == s.Published {
		return
	}
	if err := a.attrd("-n", Attribute(call.Instance), "-U", summary); err != nil {
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
		if err := a.attrd("-n", PushAttribute(call.Instance), "-D"); err != nil {
			call.Warnf("cannot take the answer about a pushed configuration back from the cluster: %v", err)
		}
	}
	if s.Published == "" {
		return
	}
	if err := a.attrd("-n", Attribute(call.Instance), "-D"); err != nil {
		call.Warnf("cannot take the servers' state back from the cluster: %v", err)
	}
}
