package status

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// socketTime is how long HAProxy may take to answer; it is on this machine.
const socketTime = 2 * time.Second

// localHAProxy is what a HAProxy on this node says.
type localHAProxy struct {
	instance string // the resource
	info     haproxy.Info
	stats    []haproxy.Stat
	procs    haproxy.Procs
	old      []haproxy.OldWorker
	err      error // the stats socket's
	masterOK bool
}

// localHAProxies asks every HAProxy that has a socket in the agents' runtime directory. denied is
// whether this user may not look for them.
func (s *Collector) localHAProxies(ctx context.Context) (found []localHAProxy, denied bool) {
	ctx, cancel := context.WithTimeout(ctx, socketTime)
	defer cancel()
	entries, err := os.ReadDir(s.RunDir)
	if err != nil {
		return nil, errors.Is(err, fs.ErrPermission) // or no agent has run here yet
	}
	all := make([]*localHAProxy, len(entries))
	var wg sync.WaitGroup
	for i, e := range entries {
		stats := contract.FilesOf(s.RunDir, e.Name()).StatsSocket()
		_, err := os.Stat(stats)
		if errors.Is(err, fs.ErrNotExist) || !e.IsDir() {
			continue
		}
		l := &localHAProxy{instance: e.Name()}
		all[i] = l
		if err != nil {
			l.err = fmt.Errorf("%s: %w", stats, outcome.Cause(err))
			continue
		}
		wg.Go(func() { l.ask(ctx, stats) })
		wg.Go(func() {
			master := haproxy.Master{Path: contract.FilesOf(s.RunDir, e.Name()).MasterSocket()}
			if procs, err := master.Procs(ctx); err == nil {
				l.procs, l.masterOK = procs, true
				if len(procs.OldWorkers) > 0 {
					l.old, _ = master.OldWorkers(ctx)
				}
			}
		})
	}
	wg.Wait()
	for _, l := range all {
		if l != nil {
			found = append(found, *l)
			denied = denied || errors.Is(l.err, fs.ErrPermission)
		}
	}
	return found, denied
}

func (l *localHAProxy) ask(ctx context.Context, socket string) {
	r := haproxy.Runtime{Path: socket}
	if l.info, l.err = r.Info(ctx); l.err == nil {
		l.stats, l.err = r.Stats(ctx)
	}
}

// report adds what HAProxy says to what the cluster says about the instance.
func (l localHAProxy) report(h HAProxy) HAProxy {
	h.Socket = &Source{Available: l.err == nil}
	if l.err != nil {
		h.Socket.Error = l.err.Error()
		if errors.Is(l.err, fs.ErrPermission) {
			h.Socket.Error = "permission denied: HAProxy's sockets are root's"
			return h
		}
		h.dead = errors.Is(l.err, syscall.ECONNREFUSED) // the socket of a process that has ended
		h.State = worst(h.State, Degraded)
		if h.Is == Running {
			h.Is = NotAnswering
		}
		return h
	}
	h.Process = &Process{Version: l.info.Version, PID: l.info.Pid,
		UptimeSeconds: int64(l.info.Uptime.Seconds())}
	h.Servers = &Servers{}
	for _, st := range l.stats {
		switch {
		case st.Type == haproxy.Frontend:
			h.Process.Sessions += st.Scur
		case st.Type != haproxy.Server:
		case st.Drained():
			h.Servers.Draining++
		case st.Up():
			h.Servers.Up++
		default:
			h.Servers.Down++
			h.Servers.DownNames = append(h.Servers.DownNames, st.Proxy+"/"+st.Service)
		}
	}
	if l.masterOK {
		h.Process.OldWorkers, h.Process.FailedReloads = len(l.procs.OldWorkers), l.procs.Failed
		for _, w := range l.old {
			h.Process.OldSessions += w.Conns
		}
	}
	if h.Process.FailedReloads > 0 && h.Reason == "" {
		h.Reason = fmt.Sprintf("%d reloads failed since the last successful one: the running "+
			"configuration is not the one on disk", h.Process.FailedReloads)
		h.State = worst(h.State, Degraded)
	}
	return h
}
