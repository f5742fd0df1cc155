package haproxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

const (
	// briefly is how long HAProxy may take for an answer before the agent looks for a simple reason why there is none, and how long
	// an answer may be a wrong one.
	briefly = time.Second
	// patience is how long it may take at all before it counts as hung; less if the operation's time is shorter.
	patience = 10 * time.Second
	// lastWords is the time that is kept for saying what was found out.
	lastWords = 300 * time.Millisecond
)

// sighting is the HAProxy that was found.
type sighting struct {
	state state
	stat  procfs.Stat
	// adopted is set where the files did not know it and the processes had to be gone through.
	adopted bool
}

// monitor answers Stopped only when no process of the instance is alive. In the steady state it starts no process, goes through
// none, and costs one exchange with the stats socket.
func (a *agent) monitor(ctx context.Context, check ocf.Check) (ocf.State, error) {
	if !a.covers(ctx, check) {
		return a.observe(ctx, check)
	}
	f := filesOf(ctx)
	a.watched = a.keeps(ctx, f)
	state, err := a.observe(ctx, check)
	switch {
	case errors.Is(err, errUnsure):
		// The keeper asks every second, and waits for the lock that this monitor has.
		ocf.CallFrom(ctx).Warnf("the keeper is to decide: %v", err)
		return ocf.Running, nil
	case state != ocf.Stopped && (err == nil || state == ocf.Degraded):
		if !a.watched {
			a.keep(ctx, f)
		}
		return a.tellCrash(ctx, f, state, err)
	}
	if !a.cover(ctx, f) {
		return state, err
	}
	if state, err = a.observe(ctx, check); err != nil && state != ocf.Degraded {
		return state, err
	}
	return a.tellCrash(ctx, f, state, err)
}

// covers is whether this is a look at a HAProxy that is to be brought back if it has crashed: the cluster's recurring monitor, which does
// what the keeper does, should there be none.
func (a *agent) covers(ctx context.Context, check ocf.Check) bool {
	return a.keeper && check.Action == "monitor" && !check.Probe && ocf.CallFrom(ctx).Clustered
}

// cover brings back a HAProxy that crashed. It is false where the monitor's own finding stands.
func (a *agent) cover(ctx context.Context, f files) bool {
	s, ok := f.load()
	if !ok || !s.kept() {
		return false
	}
	cause := a.ill(ctx, f)
	if cause == nil {
		return false // servers are missing, or check_url failed: HAProxy itself is well
	}
	err := a.bringBack(ctx, f, s, time.Now(), cause)
	if err == nil {
		a.keep(ctx, f)
		return true
	}
	ocf.CallFrom(ctx).Errorf("HAProxy is gone (%v) and is not brought back: %v", cause, err)
	if ended := a.dismiss(ctx, f); ended != nil {
		ocf.CallFrom(ctx).Warnf("%v", ended)
	}
	if !errors.Is(err, errUnmanaged) {
		a.giveUp(ctx, f)
	}
	return false
}

// tellCrash adds to what a monitor found that HAProxy has crashed since the last one.
func (a *agent) tellCrash(ctx context.Context, f files, found ocf.State, reason error) (ocf.State, error) {
	s, ok := f.load()
	if !ok || reason != nil {
		return found, reason
	}
	notice := s.crashNotice()
	if notice == nil {
		return found, reason
	}
	if err := f.save(s); err != nil {
		ocf.CallFrom(ctx).Warnf("%v", err)
	}
	return ocf.Degraded, notice
}

// errUnsure is a HAProxy that is slow to answer, where a keeper watches that will find out what is the matter.
var errUnsure = errors.New("HAProxy is slow to answer")

// observe is the monitor proper.
func (a *agent) observe(ctx context.Context, check ocf.Check) (ocf.State, error) {
	f := filesOf(ctx)
	if check.Action == "stop" {
		fam, err := a.find(f)
		if err != nil || !fam.empty() {
			return ocf.Running, err
		}
		return ocf.Stopped, nil
	}
	s, running, err := a.locate(f)
	if err != nil || !running {
		return ocf.Stopped, err
	}
	if err := s.lifeless(); err != nil {
		return ocf.Running, err
	}
	if check.Probe {
		return a.probe(ctx, f, s)
	}

	if !exists(f.StatsSocket()) {
		if err := a.workerLives(f, s.state.Master); err != nil {
			return ocf.Running, err
		}
	}
	var degraded error
	if check.Action == "monitor" {
		degraded = a.mend(ctx, f, &s)
	}
	if !exists(f.StatsSocket()) {
		if degraded == nil {
			degraded = fmt.Errorf("HAProxy's stats socket %s is gone", f.StatsSocket())
		}
		return ocf.Degraded, degraded
	}
	servers, err := a.ask(ctx, f, s.state.Master)
	if err != nil || check.Action == "start" {
		return ocf.Running, err
	}
	a.rename(ctx, &s.state)
	a.publish(ctx, f, &s.state, summarise(servers))
	a.tellTaken(ctx, f, &s.state)
	if err := enough(servers, a.minServers); err != nil {
		return ocf.Running, err
	}
	if check.Level >= contract.LevelDeep && a.checkURL != "" {
		if err := a.askURL(ctx, s.state.Env); err != nil {
			return ocf.Running, err
		}
	}
	if degraded != nil {
		return ocf.Degraded, degraded
	}
	return ocf.Running, nil
}

// probe looks and changes nothing of HAProxy: the parameters may be wrong here. The cluster may have forgotten the node
// attribute, which is a reason for a probe, so the next monitor is to tell it again.
func (a *agent) probe(ctx context.Context, f files, s sighting) (ocf.State, error) {
	if s.state.Published != "" || s.state.Served.Told != "" {
		s.state.Published, s.state.Served.Told = "", ""
		if err := f.save(s.state); err != nil {
			ocf.CallFrom(ctx).Warnf("%v", err)
		}
	}
	if !exists(f.StatsSocket()) {
		return ocf.Running, a.workerLives(f, s.state.Master)
	}
	_, err := a.ask(ctx, f, s.state.Master)
	return ocf.Running, err
}

// locate finds the instance's master: by the state file, and where that does not help among all processes.
func (a *agent) locate(f files) (s sighting, running bool, err error) {
	if st, ok := f.load(); ok {
		v, err := procfs.Default.Stat(st.Master.PID)
		switch {
		case err == nil && a.is(f, st.Master, v):
			return sighting{state: st, stat: v}, true, nil
		case err != nil && !errors.Is(err, procfs.ErrGone):
			return sighting{}, false, fmt.Errorf("cannot look at HAProxy's master: %w", err)
		}
	}
	fam, err := a.find(f)
	switch {
	case err != nil:
		return sighting{}, false, err
	case fam.empty():
		return sighting{}, false, nil
	case len(fam.masters) == 0:
		return sighting{}, false, fmt.Errorf("HAProxy's master is gone and left these behind: %s", fam)
	case len(fam.masters) > 1:
		return sighting{}, false, fmt.Errorf("there are several HAProxies of this resource: %s", fam)
	}
	m := fam.masters[0]
	return sighting{state{Master: m.process, Env: environOf(m.PID)}, m.stat, true}, true, nil
}

// lifeless says why a master that is there does not live.
func (s sighting) lifeless() error {
	switch pid := s.state.Master.PID; {
	case s.stat.Dead():
		return fmt.Errorf("HAProxy's master (pid %d) has ended and is a zombie: its parent (pid %d) has not taken note of it", pid, s.stat.Parent)
	case s.stat.Stopped():
		return fmt.Errorf("HAProxy's master (pid %d) is stopped (SIGSTOP)", pid)
	}
	return nil
}

// ask asks the worker for its servers, and makes sure that it is the master's worker and means to go on. An error is a failure of
// HAProxy, found out before the operation's time is over.
func (a *agent) ask(ctx context.Context, f files, master process) ([]client.Stat, error) {
	limit := patience
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)-lastWords)
	}
	began := time.Now()
	until := began.Add(limit)
	wait := briefly
	for {
		brief, cancel := context.WithDeadline(ctx, earlier(time.Now().Add(wait), until))
		info, servers, err := client.Runtime{Path: f.StatsSocket()}.Servers(brief)
		cancel()
		hangs := errors.Is(err, context.DeadlineExceeded)
		if err == nil {
			if err = a.fit(info, master); err == nil {
				return servers, nil
			}
		}
		if simple := a.workerLives(f, master); simple != nil {
			return nil, simple
		}
		if hangs {
			wait *= 3 // it may only be slow: busy, with thousands of servers to tell of
		}
		// In the middle of a reload the old worker may answer, or nobody for a moment.
		switch now := time.Now().Add(askEvery); {
		case hangs && a.watched:
			return nil, fmt.Errorf("%w: %w", errUnsure, err)
		case hangs && now.After(until):
			return nil, fmt.Errorf("HAProxy hangs: it did not answer for %s: %w", limit.Round(100*time.Millisecond), err)
		case !hangs && now.After(earlier(until, began.Add(briefly))):
			return nil, fmt.Errorf("HAProxy is not well: %w", err)
		}
		time.Sleep(askEvery)
	}
}

// fit is whether the process that answered is the one that should.
func (a *agent) fit(info client.Info, master process) error {
	v, err := procfs.Default.Stat(info.Pid)
	switch {
	case err != nil:
		return fmt.Errorf("HAProxy's worker (pid %d) answered and was gone: %w", info.Pid, err)
	case v.Parent != master.PID:
		return fmt.Errorf("the HAProxy that answers (pid %d) is not a worker of this resource's master (pid %d)", info.Pid, master.PID)
	case info.Stopping:
		return fmt.Errorf("HAProxy (worker pid %d) takes no more connections: somebody is stopping it", info.Pid)
	}
	return nil
}

// workerLives looks without asking: is there a worker, and may it run?
func (a *agent) workerLives(f files, master process) error {
	fam, err := a.find(f)
	if err != nil {
		return err
	}
	workers := fam.workersOf(master.PID)
	if len(workers) == 0 {
		return fmt.Errorf("HAProxy's master (pid %d) has no worker", master.PID)
	}
	for _, w := range workers {
		if !w.stat.Stopped() {
			return nil
		}
	}
	return fmt.Errorf("HAProxy's worker (pid %d) is stopped (SIGSTOP)", workers[0].PID)
}

// enough is whether every backend has as many servers UP as the parameter asks for. Backends without servers, such as one that
// only shows statistics, need none.
func enough(servers []client.Stat, least int) error {
	if least == 0 {
		return nil
	}
	var order []string
	up, all := map[string]int{}, map[string]int{}
	for _, s := range servers {
		if s.Type != client.Server {
			continue
		}
		if all[s.Proxy] == 0 {
			order = append(order, s.Proxy)
		}
		all[s.Proxy]++
		if s.Up() {
			up[s.Proxy]++
		}
	}
	var short []string
	for _, backend := range order {
		if up[backend] < least {
			short = append(short, fmt.Sprintf("%s has %d of %d", backend, up[backend], all[backend]))
		}
	}
	if len(short) > 0 {
		return fmt.Errorf("fewer than min_servers=%d servers are UP: backend %s", least, strings.Join(short, ", backend "))
	}
	return nil
}
