package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hawser-ha/hawser/lab"
)

// failure is one thing that the demonstration breaks, and the claim about it.
type failure struct {
	title, short, claim string
	// breaks does it to the active balancer.
	breaks func(ctx context.Context, d *demo, active string) error
	// restore restores what does not come back by itself.
	restore func(ctx context.Context, d *demo, active string) error
	// moves says whether the address has to be elsewhere afterwards, or still where it was.
	moves bool
	// limit is the longest gap that the claim allows.
	limit time.Duration
}

var failures = []failure{
	{
		title: "HAProxy is stopped on the active balancer",
		short: "HAProxy stopped",
		claim: "hawser has it back on the same node in about 0.1 s; the address stays",
		limit: 2 * time.Second, // on a machine that is busy with other things
		breaks: func(ctx context.Context, d *demo, active string) error {
			const pidFile = "/run/hawser/haproxy/haproxy.pid"
			pid, _, err := d.lab.Exec(ctx, active, "cat", pidFile)
			if err != nil {
				return err
			}
			if err := d.shell(ctx, active, "kill $(cat "+pidFile+")"); err != nil {
				return err
			}
			_, _, err = d.lab.Exec(ctx, active, "sh", "-c",
				"while kill -0 "+strings.TrimSpace(pid)+" 2>&-; do sleep 0.01; done")
			return err
		},
	},
	{
		title: "The active balancer is rebooted",
		short: "node rebooted",
		claim: "the address moves as the node shuts down, and stays when it is back",
		moves: true, limit: 15 * time.Second,
		breaks: func(ctx context.Context, d *demo, active string) error {
			printf(d.std.out, "\n# hawser-lab reboot %s\n", active)
			return d.lab.Reboot(ctx, active)
		},
	},
	{
		title: "The power of the active balancer is cut",
		short: "power cut",
		claim: "the others notice, the address moves, and stays when the node is back",
		moves: true, limit: 20 * time.Second,
		breaks: func(_ context.Context, d *demo, active string) error {
			printf(d.std.out, "\n# hawser-lab kill %s\n", active)
			return d.lab.Kill(active)
		},
		restore: func(ctx context.Context, d *demo, active string) error {
			printf(d.std.out, "\n# hawser-lab boot %s\n", active)
			return d.lab.Boot(ctx, active)
		},
	},
}

// row is a line of the closing table.
type row struct {
	failure        failure
	before, after  string   // who holds the address
	back           string   // who holds it once all nodes are back
	sawOld, sawNew []string // the balancers that the application servers saw before and after
	report         lab.ProbeReport
	wrong          []string
}

// stepLimit is how long the cluster has to recover, and again to be complete.
const stepLimit = 60 * time.Second

// fail breaks one thing while the client asks every 10 ms, and checks what is claimed.
func (d *demo) fail(ctx context.Context, f failure) error {
	d.title(f.title)
	printf(d.std.out, "Claim: %s.\n", f.claim)
	active, err := d.holder(ctx)
	if err != nil {
		return err
	}
	printf(d.std.out, "%s is held by %s. A client asks %s every 10 ms.\n", lab.FloatingIP, active,
		demoURL)
	r := row{failure: f, before: active}
	begun := time.Now()
	probe, err := d.lab.StartProbe(ctx, lab.ProbeOptions{URL: demoURL})
	if err != nil {
		return err
	}
	defer func() { _, _ = probe.Stop() }() // for returns without a report
	broken, err := d.pass(ctx, f, active)
	if err != nil {
		return err
	}
	if r.after, err = d.recovered(ctx, f, active); err != nil {
		return err
	}
	recovered := time.Now()
	printf(d.std.out, "%s is held by %s, and the client is served again.\n", lab.FloatingIP,
		r.after)
	if f.restore != nil {
		if err := f.restore(ctx, d, active); err != nil {
			return err
		}
	}
	if err := d.steady(ctx); err != nil {
		return err
	}
	if r.back, err = d.holder(ctx); err != nil {
		return err
	}
	if r.report, err = probe.Stop(); err != nil {
		return err
	}
	if r.sawOld, err = d.saw(begun, broken); err != nil {
		return err
	}
	if r.sawNew, err = d.saw(recovered, time.Now()); err != nil {
		return err
	}
	r.check()
	d.rows = append(d.rows, r)
	r.show(d)
	return nil
}

// pass lets the client see the good state for a moment, then breaks it; it returns when that began.
func (d *demo) pass(ctx context.Context, f failure, active string) (time.Time, error) {
	select {
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	case <-time.After(500 * time.Millisecond): // 50 good answers to compare with
	}
	broken := time.Now()
	return broken, f.breaks(ctx, d, active)
}

func (d *demo) holder(ctx context.Context) (string, error) {
	node, err := d.lab.Cloud().Holder(ctx, lab.FloatingIP)
	if err == nil && node == "" {
		err = fmt.Errorf("demo: no node holds %s", lab.FloatingIP)
	}
	return node, err
}

// recovered waits until the client is served by the right node, and returns the holder.
func (d *demo) recovered(ctx context.Context, f failure, active string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	for {
		node, err := d.lab.Cloud().Holder(ctx, lab.FloatingIP)
		if err != nil {
			return "", err
		}
		if node != "" && (node != active) == f.moves {
			report, err := d.lab.Probe(ctx, lab.ProbeOptions{
				URL: demoURL, Every: 20 * time.Millisecond, For: 100 * time.Millisecond,
			})
			if err != nil {
				return "", err
			}
			if report.Failures == 0 && report.Requests > 0 {
				return node, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("demo: %s: not recovered after %s: the address is held by %s",
				f.title, stepLimit, cmp.Or(node, "nobody"))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// steady waits until every balancer is online and serves, and Pacemaker has nothing left to do.
func (d *demo) steady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	if err := d.lab.WaitCluster(ctx); err != nil {
		return err
	}
	for {
		state, err := d.status(ctx)
		if err == nil && state.serving() == len(d.lab.Nodes(lab.Balancer)) {
			break
		}
		select {
		case <-ctx.Done():
			return errors.Join(
				fmt.Errorf("demo: %d of %d HAProxies run after %s", state.serving(),
					len(d.lab.Nodes(lab.Balancer)), stepLimit),
				err)
		case <-time.After(200 * time.Millisecond):
		}
	}
	return d.lab.WaitSettled(ctx, "lb-1")
}

// hawserStatus is the part of `hawser status --json` that is used here.
type hawserStatus struct {
	HAProxy []struct {
		Node string `json:"node"`
		Is   string `json:"is"`
	} `json:"haproxy"`
}

func (s hawserStatus) serving() int {
	n := 0
	for _, h := range s.HAProxy {
		if h.Is == "running" {
			n++
		}
	}
	return n
}

func (d *demo) status(ctx context.Context) (hawserStatus, error) {
	var s hawserStatus
	out, _, err := d.lab.Exec(ctx, "lb-1", "hawser", "status", "--json")
	if out == "" && err != nil {
		return s, err
	}
	// its exit code reports faults, which the demonstration causes
	return s, json.Unmarshal([]byte(out), &s)
}

// saw returns the balancers that the application servers logged between the two times for requests
// of the client.
func (d *demo) saw(from, to time.Time) ([]string, error) {
	seen := map[string]bool{}
	for _, app := range d.lab.Nodes(lab.AppServer) {
		log, err := d.lab.AppLog(app.Name)
		if err != nil {
			return nil, err
		}
		for _, a := range log {
			if a.Client != "-" && a.At.After(from) && a.At.Before(to) {
				seen[a.Balancer] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

// check compares what was seen with what was claimed.
func (r *row) check() {
	complain := func(format string, a ...any) { r.wrong = append(r.wrong, fmt.Sprintf(format, a...)) }
	if r.failure.moves == (r.after == r.before) {
		complain("the address is held by %s", r.after)
	}
	if r.back != r.after {
		complain("the address moved on from %s to %s when the cluster was complete again", r.after,
			r.back)
	}
	if !slices.Equal(r.sawOld, []string{r.before}) || !slices.Equal(r.sawNew, []string{r.after}) {
		complain("the application servers saw %v before and %v after", r.sawOld, r.sawNew)
	}
	if r.report.LongestGap > r.failure.limit {
		complain("the longest gap was %s, more than %s", short(r.report.LongestGap),
			r.failure.limit)
	}
	if r.report.Requests == 0 || r.report.LongestGap == 0 {
		complain("the client measured nothing")
	}
}

func (r *row) show(d *demo) {
	printf(d.std.out, "The application servers saw %s before, and %s after.\n",
		strings.Join(r.sawOld, ", "), strings.Join(r.sawNew, ", "))
	printf(d.std.out, "%d requests in %s, %d failed; longest gap between two answers: %s.\n",
		r.report.Requests, short(r.report.Took), r.report.Failures, short(r.report.LongestGap))
	if len(r.wrong) > 0 {
		printf(d.std.out, "NOT AS CLAIMED: %s\n", strings.Join(r.wrong, "; "))
	} else {
		printf(d.std.out, "With all nodes back, %s is still held by %s: no fail-back.\n",
			lab.FloatingIP, r.after)
	}
}

// table ends the demonstration; its error says which steps did not go as claimed.
func (d *demo) table() error {
	d.title("What it cost")
	t := tabwriter.NewWriter(d.std.out, 0, 0, 2, ' ', 0)
	printf(t, "FAILURE\tADDRESS\tLONGEST GAP\tFAILED\tFAIL-BACK\tAS CLAIMED\n")
	var failed []string
	for _, r := range d.rows {
		where, verdict := "stays at "+r.after, "yes"
		if r.before != r.after {
			where = r.before + " -> " + r.after
		}
		failBack := "none"
		if r.back != r.after {
			failBack = "to " + r.back
		}
		if len(r.wrong) > 0 {
			verdict = "NO"
			failed = append(failed, r.failure.short+": "+strings.Join(r.wrong, "; "))
		}
		printf(t, "%s\t%s\t%s\t%d of %d\t%s\t%s\n", r.failure.short, where,
			short(r.report.LongestGap), r.report.Failures, r.report.Requests, failBack, verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	printf(d.std.out, `
The cloud takes %s to move an address here, and a real one about 11 s.

== Beside keepalived, with an address on the LAN
The longest gap that a client sees, median of 5 (docs/benchmarks.md):

%s`, d.lab.Spec().ActionTime, comparison)
	if len(failed) > 0 {
		return fmt.Errorf("demo: not as claimed: %s", strings.Join(failed, "\n"))
	}
	return nil
}
