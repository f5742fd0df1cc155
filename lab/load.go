package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/load"
)

// Loading is a load under way in a node.
type Loading struct {
	cancel   context.CancelFunc
	done     chan struct{}
	first    chan struct{} // closed at the first good answer
	out      bytes.Buffer
	err      error
	progress atomic.Pointer[load.Progress]
}

// Load carries the plan out in the node's network, and returns what its clients saw. It runs as a
// process of its own, with the machine's files: a plan with Unix is refused.
func (l *Lab) Load(ctx context.Context, from string, p load.Plan) (load.Report, error) {
	if p.Requests == 0 && p.For == 0 && ctx.Done() == nil {
		return load.Report{}, fmt.Errorf(
			"lab: load %s: it would never end: give Requests, For or a context that ends", p.URL)
	}
	r, err := l.launchLoad(ctx, from, p)
	if err != nil {
		return load.Report{}, err
	}
	return r.Wait()
}

// firstWait is how long an endless load may take until its first good answer.
const firstWait = 10 * time.Second

// StartLoad begins to carry the plan out in the node's network. It returns at the first good
// answer, so that the clients see what is done next, or when the plan is over; it is an error if an
// endless plan gets no good answer within ten seconds.
func (l *Lab) StartLoad(ctx context.Context, from string, p load.Plan) (*Loading, error) {
	r, err := l.launchLoad(ctx, from, p)
	if err != nil {
		return nil, err
	}
	select {
	case <-r.first:
		return r, nil
	case <-r.done:
		if r.err != nil {
			return nil, r.err
		}
		return r, nil
	case <-time.After(firstWait):
		if p.For > 0 || p.Requests > 0 {
			return r, nil
		}
		report, err := r.Stop()
		return nil, errors.Join(
			fmt.Errorf("lab: load %s from %s: no good answer within %s: %s", p.URL, from, firstWait,
				report),
			err)
	case <-ctx.Done():
		<-r.done
		return nil, fmt.Errorf("lab: load %s from %s: %w", p.URL, from, ctx.Err())
	}
}

func (l *Lab) launchLoad(ctx context.Context, from string, p load.Plan) (*Loading, error) {
	if p.Unix != "" {
		return nil, fmt.Errorf(
			"lab: load %s: it cannot reach the node's files, and so not the socket "+
				"%s", p.URL, p.Unix)
	}
	node, err := l.initOf(from)
	if err != nil {
		return nil, err
	}
	self, err := l.program()
	if err != nil {
		return nil, err
	}
	parameter, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("lab: load: %w", err)
	}
	// The end of the context ends the load, not its process: that still has a report to print.
	stop, cancel := context.WithCancel(ctx)
	r := &Loading{cancel: cancel, done: make(chan struct{}), first: make(chan struct{})}
	r.progress.Store(&load.Progress{})
	in, hold, err := os.Pipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("lab: load: %w", err)
	}
	go func() {
		<-stop.Done()
		_ = hold.Close() // the load ends when its input does
	}()
	go func() {
		defer close(r.done)
		defer cancel()
		told := &onProgress{of: r}
		c := Command{
			Args: []string{self, argLoad, string(parameter)}, Env: []string{childMark + "=1"},
			Stdin: in, Stdout: &r.out, Stderr: told, Dir: "/",
		}
		r.err = l.runIn(context.WithoutCancel(ctx), from, node, c,
			unix.CLONE_NEWNET|unix.CLONE_NEWPID)
		var exit *ExitError
		if errors.As(r.err, &exit) {
			r.err = fmt.Errorf("lab: load in %s: %s: %w", from, bytes.TrimSpace(told.rest), r.err)
		}
		_ = in.Close()
	}()
	return r, nil
}

// Progress returns how far the load has come, up to 50 ms ago.
func (r *Loading) Progress() load.Progress { return *r.progress.Load() }

// Done is closed when the load has ended.
func (r *Loading) Done() <-chan struct{} { return r.done }

// Stop ends the load and returns what its clients saw.
func (r *Loading) Stop() (load.Report, error) {
	r.cancel()
	return r.Wait()
}

// Wait waits for the end of the load and returns what its clients saw.
func (r *Loading) Wait() (load.Report, error) {
	<-r.done
	var report load.Report
	if r.err != nil {
		return report, r.err
	}
	if err := json.Unmarshal(r.out.Bytes(), &report); err != nil {
		return report, fmt.Errorf("lab: load: read its report: %w", err)
	}
	return report, nil
}

// onProgress reads the stderr of a load: lines of JSON, unless the load crashes.
type onProgress struct {
	of   *Loading
	once sync.Once
	rest []byte
}

func (w *onProgress) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		var p load.Progress
		if err := json.Unmarshal(line, &p); err != nil {
			return len(b), nil //nolint:nilerr // a complaint, which stays in rest
		}
		w.rest = rest
		w.of.progress.Store(&p)
		if p.OK > 0 {
			w.once.Do(func() { close(w.of.first) })
		}
	}
}

// runLoad is the process of a load: it goes on until its plan is over or its input ends, says on
// stderr how far it has come, and prints its report.
func runLoad(parameter string) int {
	complain := func(err error) int { _, _ = fmt.Fprintln(os.Stderr, err); return 1 }
	var p load.Plan
	if err := json.Unmarshal([]byte(parameter), &p); err != nil {
		return complain(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		b := make([]byte, 1)
		_, _ = syscall.Read(0, b) // returns when the input ends
		cancel()
	}()
	r, err := load.Start(ctx, p)
	if err != nil {
		return complain(err)
	}
	said := json.NewEncoder(os.Stderr)
	tell := time.NewTicker(50 * time.Millisecond)
	defer tell.Stop()
	for first := r.First(); ; {
		select {
		case <-first:
			first = nil
		case <-tell.C:
		case <-r.Done():
			_ = said.Encode(r.Progress()) // nobody reads it any more: only the report matters
			if err := json.NewEncoder(os.Stdout).Encode(r.Wait()); err != nil {
				return complain(err)
			}
			return 0
		}
		_ = said.Encode(r.Progress()) // as above
	}
}
