package instance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/pulse"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

const (
	// Briefly is how long HAProxy may take to answer before the agent looks for a simple reason,
	// and how long a wrong answer is tolerated.
	Briefly = time.Second
	// lastWords is the time reserved for reporting the result.
	lastWords = 300 * time.Millisecond
)

// Found is the HAProxy that was found.
type Found struct {
	State State
	Stat  procfs.Stat
	// Adopted is set if the state file did not know it and all processes were searched.
	Adopted bool
}

// ErrUnsure means that HAProxy is slow to answer while a keeper is watching, which will find out
// why.
var ErrUnsure = errors.New("HAProxy is slow to answer")

// ErrSilent means that HAProxy does not answer, and is at work all the same.
var ErrSilent = errors.New("HAProxy goes on working but does not answer")

// Locate finds the instance's master: by the state file, or else among all processes.
func (in *Instance) Locate() (s Found, running bool, err error) {
	if st, ok := in.Load(); ok {
		v, err := procfs.Default.Stat(st.Master.PID)
		switch {
		case err == nil && in.finder().Is(st.Master, v):
			return Found{State: st, Stat: v}, true, nil
		case err != nil && !errors.Is(err, procfs.ErrGone):
			return Found{}, false, fmt.Errorf("cannot look at HAProxy's master: %w", err)
		}
	}
	fam, err := in.Find()
	switch {
	case err != nil:
		return Found{}, false, err
	case fam.Empty():
		return Found{}, false, nil
	case len(fam.Masters) == 0:
		return Found{}, false, fmt.Errorf("HAProxy's master is gone and left these behind: %s", fam)
	case len(fam.Masters) > 1:
		return Found{}, false, fmt.Errorf("there are several HAProxies of this resource: %s", fam)
	}
	m := fam.Masters[0]
	return Found{State{Master: m.Process, Env: environOf(m.PID)}, m.Stat, true}, true, nil
}

// Adopt notes the master that runs, if the state names another one.
func (in *Instance) Adopt(s State) error {
	found, running, err := in.Locate()
	if err != nil || !running || !found.Adopted {
		return err
	}
	s.Master = found.State.Master
	return in.Save(s)
}

// CheckAlive returns an error if the master exists but does not run.
func (s Found) CheckAlive() error {
	switch pid := s.State.Master.PID; {
	case s.Stat.Dead():
		return fmt.Errorf("HAProxy's master (pid %d) has ended and is a zombie: its parent (pid "+
			"%d) has not reaped it", pid, s.Stat.Parent)
	case s.Stat.Stopped():
		return fmt.Errorf("HAProxy's master (pid %d) is stopped (SIGSTOP)", pid)
	}
	return nil
}

// QueryServers queries the worker for its servers, and checks that it is the master's worker and is
// not stopping. An error means that HAProxy failed; it comes before the operation's time is over. worker
// is who answered, 0 if that is one from before a reload.
func (in *Instance) QueryServers(ctx context.Context, master Process,
	watched bool) (servers []client.Stat, worker int, err error) {
	limit := cmp.Or(in.HangTime, contract.DefaultHangTime)
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)-lastWords)
	}
	began := time.Now()
	until := began.Add(limit - min(limit/3, pulse.PokeTime)) // the rest is for a poke
	wait := Briefly
	var before *pulse.Pulse // of the worker when it had not answered once
	for {
		brief, cancel := context.WithDeadline(ctx, earlierOf(time.Now().Add(wait), until))
		info, servers, err := client.Runtime{Path: in.StatsSocket()}.Servers(brief)
		cancel()
		hangs := Unanswered(err)
		if err == nil {
			if err = in.checkAnswer(info, master); err == nil && info.Stopping {
				return servers, 0, nil
			} else if err == nil {
				return servers, info.Pid, nil
			}
		}
		if simple := in.CheckWorker(master); simple != nil {
			return nil, 0, simple
		}
		worker := 0
		if hangs {
			wait *= 3 // it may only be slow: busy, with thousands of servers to list
			worker = in.PresentWorker(master)
			if now := pulse.Take(worker); before == nil {
				before = &now
			}
		}
		// During a reload the old worker may answer, or nobody for a moment.
		switch now := time.Now().Add(AskEvery); {
		case hangs && watched:
			return nil, 0, fmt.Errorf("%w: %w", ErrUnsure, err)
		case hangs && now.After(until) && (in.works(pulse.Take(worker).Since(*before)) ||
			pulse.LivesWhenPoked(ctx, worker)):
			return nil, 0, fmt.Errorf("%w%s: %w", ErrSilent, in.Descriptors(worker), err)
		case hangs && now.After(until):
			return nil, 0, fmt.Errorf("HAProxy hangs: it did not answer for %s: %w",
				limit.Round(100*time.Millisecond), err)
		case !hangs && now.After(earlierOf(until, began.Add(Briefly))):
			return nil, 0, fmt.Errorf("HAProxy is not healthy: %w", err)
		}
		time.Sleep(AskEvery)
	}
}

// works reports whether a silent worker with that sign is left alone. One that only waits for the
// machine is left to the keeper, which knows for how long it has been waiting.
func (in *Instance) works(sign pulse.Sign) bool {
	return sign == pulse.Alive || in.Keeper && sign == pulse.Hindered
}

// Unanswered reports whether an error means that HAProxy did not answer in time, or not even took
// the question: so many wait already.
func Unanswered(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, syscall.EAGAIN)
}

// PresentWorker returns the worker that serves as far as it can be told without a query, the one
// that was started last; 0 if there is none.
func (in *Instance) PresentWorker(master Process) int {
	last, err := in.youngestWorker(master)
	if err != nil {
		return 0
	}
	return last.PID
}

func (in *Instance) youngestWorker(master Process) (last Process, err error) {
	fam, err := in.Find()
	if err != nil {
		return last, err
	}
	for _, w := range fam.WorkersOf(master.PID) {
		if w.Start >= last.Start {
			last = w.Process
		}
	}
	if last.PID == 0 {
		return last, errors.New("HAProxy has no worker")
	}
	return last, nil
}

// Descriptors returns words for a worker that has no file descriptor left, "" for any other: it can
// accept nothing.
func (in *Instance) Descriptors(worker int) string {
	open, err := procfs.Default.Descriptors(worker)
	if err != nil {
		return ""
	}
	limit, _, err := procfs.Default.OpenFiles(worker)
	if err != nil || open < limit {
		return ""
	}
	return fmt.Sprintf(" (it has used up its %d file descriptors)", limit)
}

// checkAnswer returns an error if the process that answered is not the one that should.
func (in *Instance) checkAnswer(info client.Info, master Process) error {
	v, err := procfs.Default.Stat(info.Pid)
	switch {
	case err != nil:
		return fmt.Errorf("HAProxy's worker (pid %d) answered and was gone: %w", info.Pid, err)
	case v.Parent != master.PID:
		return fmt.Errorf("the HAProxy that answers (pid %d) is not a worker of this resource's "+
			"master (pid %d)", info.Pid, master.PID)
	case info.Stopping && !in.IsOld(context.Background(), info.Pid):
		return fmt.Errorf("HAProxy (worker pid %d) takes no more connections: somebody is "+
			"stopping it", info.Pid)
	}
	return nil
}

// IsOld reports whether a worker is one from before a reload. With `grace` in its configuration such a
// one goes on accepting for a while, on the stats socket too: that it is stopping says nothing of the
// present worker. One that the master cannot be asked about is not.
func (in *Instance) IsOld(ctx context.Context, pid int) bool {
	ctx, cancel := context.WithTimeout(ctx, Shortly)
	defer cancel()
	procs, err := client.Master{Path: in.MasterSocket()}.Procs(ctx)
	return err == nil && slices.ContainsFunc(procs.OldWorkers, func(p client.Proc) bool {
		return p.PID == pid
	})
}

// CheckWorker checks, without a query, that there is a worker and that it is not stopped.
func (in *Instance) CheckWorker(master Process) error {
	fam, err := in.Find()
	if err != nil {
		return err
	}
	workers := fam.WorkersOf(master.PID)
	if len(workers) == 0 {
		return fmt.Errorf("HAProxy's master (pid %d) has no worker", master.PID)
	}
	for _, w := range workers {
		if !w.Stat.Stopped() {
			return nil
		}
	}
	return fmt.Errorf("HAProxy's worker (pid %d) is stopped (SIGSTOP)", workers[0].PID)
}
