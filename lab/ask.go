package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// sample is one request.
type sample struct {
	begun, done time.Duration // since the first request
	err         string        // "" if good
	body        string
}

// ask asks until the context ends, and then waits for the requests under way.
func ask(ctx context.Context, o ProbeOptions, first func()) ProbeReport {
	client := &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			DisableKeepAlives: true, // a new connection for each request, as a new visitor makes
			DialContext:       (&net.Dialer{KeepAlive: -1}).DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var mu sync.Mutex
	var samples []sample
	var once sync.Once
	var wg sync.WaitGroup
	start := time.Now()
	ticker := time.NewTicker(o.Every)
	defer ticker.Stop()
	for ctx.Err() == nil {
		wg.Go(func() {
			s := sample{begun: time.Since(start)}
			s.body, s.err = get(client, o.URL)
			s.done = time.Since(start)
			if s.err == "" {
				once.Do(first)
			}
			mu.Lock()
			defer mu.Unlock()
			samples = append(samples, s)
		})
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	end := time.Since(start)
	wg.Wait()
	return summarise(samples, end)
}

// get returns the beginning of the body, or what went wrong in a few words.
func get(client *http.Client, url string) (body, failure string) {
	resp, err := client.Get(url)
	if err != nil {
		return "", kindOf(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", kindOf(err)
	}
	if resp.StatusCode >= 400 {
		return "", fmt.Sprintf("status %d", resp.StatusCode)
	}
	return string(b[:min(len(b), 128)]), ""
}

func kindOf(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "time-out"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "answer cut off"
	}
	return err.Error()
}

// summarise makes the report. end is when the last request was sent: waiting for late answers is not part of the probe.
func summarise(samples []sample, end time.Duration) ProbeReport {
	r := ProbeReport{Requests: len(samples), Took: end, Servers: map[string]int{}, Balancers: map[string]int{}, Errors: map[string]int{}}
	slices.SortFunc(samples, func(a, b sample) int { return int(a.done - b.done) })
	var latencies []time.Duration
	var last time.Duration
	gap := func(until time.Duration) {
		if until-last > r.LongestGap {
			r.LongestGap, r.GapStart = until-last, last
		}
	}
	for _, s := range samples {
		if s.err != "" {
			r.Failures++
			r.Errors[s.err]++
			continue
		}
		gap(s.done)
		last = s.done
		latencies = append(latencies, s.done-s.begun)
		line, _, _ := strings.Cut(s.body, "\n")
		name, via, ok := strings.Cut(line, " via ")
		r.Servers[name]++
		if ok {
			r.Balancers[via]++
		}
	}
	gap(end)
	slices.Sort(latencies)
	if n := len(latencies); n > 0 {
		r.P50, r.P99, r.Max = latencies[n/2], latencies[n*99/100], latencies[n-1]
	}
	return r
}
