package lab

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/internal/load"
)

// ProbeOptions say what the client requests, how often and for how long.
type ProbeOptions struct {
	// URL is requested with a new connection each time.
	URL string
	// Every is the time between two requests; 10 ms if zero. A request does not wait for the
	// previous one.
	Every time.Duration
	// For is how long to continue; until Stop, or the end of the context, if zero.
	For time.Duration
	// Timeout is after how long a request counts as failed; one second if zero.
	Timeout time.Duration
}

// ProbeReport is what a client saw. An answer is good when it is complete and its status below 400.
type ProbeReport struct {
	Requests, Failures int
	// LongestGap is the longest time between two good answers; the time before the first one and
	// after the last one count too. GapStart is when it began, after the first request.
	LongestGap, GapStart time.Duration
	// P50, P99 and Max are latencies of good answers, from before the connection is made.
	P50, P99, Max time.Duration
	// Servers counts the good answers by the server that names itself in the first word of the
	// body, Balancers by the node from which, according to the server, the request came.
	Servers, Balancers map[string]int
	// Errors counts the failures by kind, First are the first 100 of them.
	Errors map[string]int
	First  []load.Failure
	// Took is from the first request, at Began, to the end.
	Took  time.Duration
	Began time.Time
}

// Probing is a probe under way.
type Probing struct {
	lab *Lab
	*Loading
}

// Probe makes requests like the client and returns what it saw, once ProbeOptions.For is over or
// the context has ended.
func (l *Lab) Probe(ctx context.Context, o ProbeOptions) (ProbeReport, error) {
	p, err := l.StartProbe(ctx, o)
	if err != nil {
		return ProbeReport{}, err
	}
	return p.Wait()
}

// StartProbe starts the requests. It returns at the first good answer, so that the probe sees what
// is done next; it is an error if there is none within ten seconds.
func (l *Lab) StartProbe(ctx context.Context, o ProbeOptions) (*Probing, error) {
	if o.Every < 0 {
		return nil, fmt.Errorf("lab: probe every %s: it cannot be negative", o.Every)
	}
	p, err := l.StartLoad(ctx, "client", load.Plan{
		URL: o.URL, Every: cmp.Or(o.Every, 10*time.Millisecond), For: o.For,
		Timeout: cmp.Or(o.Timeout, time.Second),
	})
	if err != nil {
		return nil, err
	}
	return &Probing{l, p}, nil
}

// Stop ends the probe and returns what it saw.
func (p *Probing) Stop() (ProbeReport, error) {
	return p.report(p.Loading.Stop())
}

// Wait waits for the end of the probe and returns what it saw.
func (p *Probing) Wait() (ProbeReport, error) {
	return p.report(p.Loading.Wait())
}

func (p *Probing) report(r load.Report, err error) (ProbeReport, error) {
	if err != nil {
		return ProbeReport{}, err
	}
	names := map[string]string{}
	for _, n := range p.lab.Nodes(Balancer) {
		names[n.Private.Addr().String()] = n.Name
	}
	return probeReport(r, names), nil
}

// probeReport reads the application servers' answers; names are the balancers by their addresses.
func probeReport(r load.Report, names map[string]string) ProbeReport {
	p := ProbeReport{
		Requests: r.Requests, Failures: r.Failed, LongestGap: r.LongestGap, GapStart: r.GapStart,
		P50: r.P50, P99: r.P99, Max: r.Max,
		Took: r.Took, Began: r.Began, First: r.First, Servers: map[string]int{},
		Balancers: map[string]int{}, Errors: map[string]int{},
	}
	for kind, n := range r.Failures {
		p.Errors[string(kind)] += n
	}
	for line, n := range r.Answers {
		name, via, ok := strings.Cut(line, " via ")
		p.Servers[name] += n
		if ok {
			p.Balancers[cmp.Or(names[via], via)] += n
		}
	}
	return p
}
