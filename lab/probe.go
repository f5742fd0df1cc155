package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ProbeOptions say what the client asks for, how often and how long.
type ProbeOptions struct {
	// URL is asked for with a new connection each time.
	URL string
	// Every is the time between two requests; 10 ms if zero. A request does not wait for the one before.
	Every time.Duration
	// For is how long to go on; until Stop, or the end of the context, if zero.
	For time.Duration
	// Timeout is when a request has failed; one second if zero.
	Timeout time.Duration
}

// ProbeReport is what a client saw. An answer is good when it is complete and its status below 400.
type ProbeReport struct {
	Requests, Failures int
	// LongestGap is the longest time between two good answers; the time before the first one and after the last one count too.
	// GapStart is when it began, after the first request.
	LongestGap, GapStart time.Duration
	// P50, P99 and Max are latencies of good answers, from before the connection is made.
	P50, P99, Max time.Duration
	// Servers counts the good answers by the server that names itself in the first word of the body, Balancers by the node that
	// the server says asked it.
	Servers, Balancers map[string]int
	// Errors counts the failures by kind.
	Errors map[string]int
	// Took is from the first request to the end.
	Took time.Duration
}

// Probing is a probe under way.
type Probing struct {
	lab    *Lab
	cancel context.CancelFunc
	done   chan struct{}
	out    bytes.Buffer
	err    error
	first  chan struct{}
}

// Probe asks as the client does and returns what it saw, once ProbeOptions.For is over or the context has ended.
func (l *Lab) Probe(ctx context.Context, o ProbeOptions) (ProbeReport, error) {
	p, err := l.StartProbe(ctx, o)
	if err != nil {
		return ProbeReport{}, err
	}
	return p.Wait()
}

// StartProbe begins to ask. It returns when the first request has been answered well, so that what is done next is seen by the
// probe; an error if none is within ten seconds.
func (l *Lab) StartProbe(ctx context.Context, o ProbeOptions) (*Probing, error) {
	o.Every, o.Timeout = cmp.Or(o.Every, 10*time.Millisecond), cmp.Or(o.Timeout, time.Second)
	if u, err := url.Parse(o.URL); err != nil || u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("lab: probe %q: give a URL of the form http://address/path", o.URL)
	}
	if o.Every < 0 || o.For < 0 || o.Timeout < 0 {
		return nil, fmt.Errorf("lab: probe every %s for %s with a time-out of %s: none of them can be negative", o.Every, o.For, o.Timeout)
	}
	client, err := l.initOf("client")
	if err != nil {
		return nil, err
	}
	self, err := l.program()
	if err != nil {
		return nil, err
	}
	parameter, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("lab: probe: %w", err)
	}
	// Ending the context ends the probe, not its process: that has a report to print.
	stop, cancel := context.WithCancel(ctx)
	p := &Probing{lab: l, cancel: cancel, done: make(chan struct{}), first: make(chan struct{})}
	r, w, err := os.Pipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("lab: probe: %w", err)
	}
	go func() {
		<-stop.Done()
		_ = w.Close() // the probe ends when its input does
	}()
	go func() {
		defer close(p.done)
		defer cancel()
		c := Command{Args: []string{self, argProbe, string(parameter)}, Env: []string{childMark + "=1"}, Stdin: r, Stdout: &p.out, Stderr: &onFirst{p: p}, Dir: "/"}
		p.err = l.runIn(context.WithoutCancel(ctx), "client", client, c, unix.CLONE_NEWNET|unix.CLONE_NEWPID)
		_ = r.Close()
	}()
	select {
	case <-p.first:
		return p, nil
	case <-p.done:
		if p.err != nil {
			return nil, p.err
		}
		return p, nil // For was over before a good answer came: the report says so
	case <-time.After(10 * time.Second):
		if o.For > 0 {
			return p, nil
		}
		report, err := p.Stop()
		return nil, errors.Join(fmt.Errorf("lab: probe %s: no good answer within 10 s; %d requests, failures: %v", o.URL, report.Requests, report.Errors), err)
	case <-ctx.Done():
		<-p.done
		return nil, fmt.Errorf("lab: probe %s: %w", o.URL, ctx.Err())
	}
}

// onFirst takes the probe's stderr, which says "first" at the first good answer.
type onFirst struct {
	p    *Probing
	once sync.Once
}

func (w *onFirst) Write(b []byte) (int, error) {
	w.once.Do(func() { close(w.p.first) })
	return len(b), nil
}

// Stop ends the probe and returns what it saw.
func (p *Probing) Stop() (ProbeReport, error) {
	p.cancel()
	return p.Wait()
}

// Wait waits for the end of the probe and returns what it saw.
func (p *Probing) Wait() (ProbeReport, error) {
	<-p.done
	var report ProbeReport
	if p.err != nil {
		return report, p.err
	}
	if err := json.Unmarshal(p.out.Bytes(), &report); err != nil {
		return report, fmt.Errorf("lab: probe: read its report: %w", err)
	}
	names := map[string]string{}
	for _, n := range p.lab.Nodes(Balancer) {
		names[n.Private.Addr().String()] = n.Name
	}
	byName := map[string]int{}
	for address, n := range report.Balancers {
		byName[cmp.Or(names[address], address)] += n
	}
	report.Balancers = byName
	return report, nil
}

// runProbe is the process of a probe: it goes on until its time is over or its input ends, and prints its report.
func runProbe(parameter string) int {
	var o ProbeOptions
	if err := json.Unmarshal([]byte(parameter), &o); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if o.For > 0 {
		ctx, cancel = context.WithTimeout(ctx, o.For)
		defer cancel()
	}
	go func() {
		b := make([]byte, 1)
		_, _ = syscall.Read(0, b) // returns when the input ends
		cancel()
	}()
	first := func() { _, _ = fmt.Fprintln(os.Stderr, "first") }
	if err := json.NewEncoder(os.Stdout).Encode(ask(ctx, o, first)); err != nil {
		return 1
	}
	return 0
}
