package instance

import (
	"context"
	"path/filepath"

	"github.com/hawser-ha/hawser/agents/haproxy/pidfile"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// What a configuration has HAProxy make for other programs: its pidfile and its stats sockets.
//
// HAProxy writes its pid where the agent tells it to (-p), and then not to the configuration's own
// pidfile, which logrotate, monit and hooks that send SIGUSR2 read. And it makes stats sockets as
// root, where systemd's HAProxy makes them as the unit's user.

// Belongings are these files. What the agent has no part in is left out.
type Belongings struct {
	Pidfile      string               `json:"pidfile,omitempty"`
	StatsSockets []client.StatsSocket `json:"stats_sockets,omitempty"`
}

// BelongingsOf returns those of a configuration.
func (in *Instance) BelongingsOf(sources []client.Source, env []string) Belongings {
	var b Belongings
	path := client.Pidfile(sources, procfs.Getenv(env))
	if clean := filepath.Clean(path); filepath.IsAbs(path) && clean != in.Pidfile() {
		b.Pidfile = clean
	}
	for _, s := range client.StatsSockets(sources, procfs.Getenv(env)) {
		if !s.User || !s.Group {
			b.StatsSockets = append(b.StatsSockets, s)
		}
	}
	return b
}

// KeepBelongings makes them what they should be for the HAProxy that the state is about. It does
// not fail: HAProxy serves without them.
func (in *Instance) KeepBelongings(ctx context.Context, s State) {
	call := ocf.CallFrom(ctx)
	if path := s.Belongings.Pidfile; path != "" {
		if err := pidfile.Write(path, s.Master.PID); err != nil {
			call.Warnf("the configuration's pidfile %s is not written: %v", path, err)
		}
	}
	owner, err := in.owner(s.Given)
	if err != nil {
		return
	}
	for _, socket := range s.Belongings.StatsSockets {
		if err := owner.Give(socket); err != nil {
			call.Warnf("the stats socket %s stays root's: %v", socket.Path, err)
		}
	}
}

// Follow does what else belongs to a configuration that HAProxy has loaded in a reload.
func (in *Instance) Follow(ctx context.Context, s *State, sources []client.Source) {
	before := s.Belongings.Pidfile
	s.Belongings = in.BelongingsOf(sources, s.Env)
	if before != s.Belongings.Pidfile {
		if err := pidfile.Remove(before, s.Master.PID); err != nil {
			ocf.CallFrom(ctx).Warnf("%v", err)
		}
	}
	in.KeepBelongings(ctx, *s)
}
