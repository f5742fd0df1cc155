// Package protect holds new TCP connections while a command runs, and releases them afterwards in
// the order in which they came. A daemon that is reloaded or restarted meanwhile loses none of
// them: to the clients the service was slow for a moment.
//
// Only the first packet of a connection is held, a SYN without ACK, on its way in. Established
// connections are not affected.
//
// Of ours it imports internal/procfs alone. Open protect.go first.
package protect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// Method is how packets are held.
type Method string

// The methods. Auto is NFQUEUE, or plug if the kernel lacks NFQUEUE and everything protected is on
// the loopback interface.
const (
	Auto    Method = "auto"
	NFQueue Method = "nfqueue"
	Plug    Method = "plug"
)

// Options are the options of one run.
type Options struct {
	Match
	MaxHold time.Duration // from the first packet held; COMMAND may run longer
	Method  Method
	// Start says that the daemon does not listen yet: COMMAND starts it, and the connections are
	// held until it does.
	Start   bool
	Verbose bool

	Command        []string
	Stdin          io.Reader // COMMAND's, as they are if they are files
	Stdout, Stderr io.Writer
	// Say prints a sentence for the user.
	Say func(format string, args ...any)
	// Signals are passed on to COMMAND; any of them releases what is held.
	Signals <-chan os.Signal
	// Terminal says that the user sits at one: it sends SIGINT and SIGQUIT to COMMAND itself.
	Terminal bool

	// Guard is the beginning of a command line, the program's name first, with which this program
	// calls Guard.
	Guard []string
	// Dir is where the lock against a second run is.
	Dir string

	try []variant // the ways to write the rules, all if nil
}

// holderOf connections.
type holderOf interface {
	hold() error
	releaseUpTo(n int) error // the first n that were ever held, in order
	release() error          // all that is held, in order; nothing is held afterwards
	remove() error           // all traces
	close()
	held() int
	guarded() guarded
}

const (
	// drainFor is how long connections that had already begun may take to be accepted. A distant
	// client's handshake takes a round trip.
	drainFor = 100 * time.Millisecond
	// handOverFor is how long an old process may go on listening beside the new one.
	handOverFor = 250 * time.Millisecond
	tick        = 2 * time.Millisecond
)

// Run runs COMMAND and returns its exit code. An error says that COMMAND was not run, or that it
// ended and something of ours could not be removed.
func Run(ctx context.Context, o Options) (code int, err error) {
	path, err := find(o.Command[0])
	if err != nil {
		return 0, err
	}
	before, err := o.listeners()
	if err != nil {
		return 0, err
	}
	if why := needless(before); why != "" {
		o.Say("this is not needed here, but is done anyway: %s", why)
	}
	l, err := takeLock(o.Dir, o.Command)
	if err != nil {
		return 0, err
	}
	defer l.release()
	if err := o.clearLeftOvers(); err != nil {
		return 0, err
	}
	h, err := o.open()
	if err != nil {
		return 0, err
	}
	defer h.close()
	g, err := startGuard(o.Guard, h.guarded(), l, o.MaxHold+drainFor)
	if err != nil {
		return 0, err
	}
	defer g.leave()

	r := &run{Options: o, holder: h, before: before, began: time.Now(), freed: make(chan struct{})}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := h.hold(); err != nil {
		_ = h.release() // what is there of it
		return 0, errors.Join(err, h.remove())
	}
	code, err = r.command(ctx, path)
	return code, errors.Join(err, r.release(), h.remove())
}

// defaultPorts are protected if none is named, provided that something listens on them.
func defaultPorts() []uint16 { return []uint16{80, 443} }

// listeners finds out which processes listen, and fills in the ports.
func (o *Options) listeners() (sight, error) {
	chosen := len(o.Ports) > 0
	if !chosen {
		o.Ports = defaultPorts()
	}
	seen, err := listSockets(o.Match)
	if err != nil {
		return seen, fmt.Errorf("find out who listens on %v: %w", o.Match, err)
	}
	none := seen.unused(o.Ports)
	if !o.Start && !chosen && len(none) < len(o.Ports) {
		o.Ports = slices.DeleteFunc(o.Ports, func(p uint16) bool {
			return slices.Contains(none, p)
		})
		none = nil
	}
	if len(none) > 0 && !o.Start {
		return seen, fmt.Errorf("nothing listens on %v in this network namespace: name the "+
			"--ports, or use --start if COMMAND starts the daemon",
			Match{Ports: none, Addresses: o.Addresses})
	}
	return seen, nil
}

// open finds a method that works here.
func (o Options) open() (holderOf, error) {
	if o.Method == Plug {
		if err := o.onLoopback(); err != nil {
			return nil, err
		}
		return openPlug(o.Match)
	}
	q, err := openQueue(o.Match, o.try)
	if err == nil {
		return q, nil
	}
	if o.Method == Auto && isRefusal(err) && o.onLoopback() == nil {
		return openPlug(o.Match)
	}
	return nil, err
}

// onLoopback refuses what the plug qdisc could not hold.
func (o Options) onLoopback() error {
	for _, a := range o.Addresses {
		if !a.IsLoopback() {
			return fmt.Errorf("the plug qdisc holds only what comes over the loopback interface, "+
				"and %v is not an address of it: use --method nfqueue", a)
		}
	}
	if len(o.Addresses) == 0 {
		return errors.New("the plug qdisc holds only what comes over the loopback interface: say " +
			"so with --addresses 127.0.0.1,::1, or use --method nfqueue")
	}
	return nil
}

// clearLeftOvers removes what a killed run left. We hold the lock, so it does not belong to a live
// run.
func (o Options) clearLeftOvers() error {
	p, err := openPlug(o.Match)
	if err != nil {
		return err
	}
	defer p.close()
	_ = p.release() // usually there is none
	removed, err := removeTables(p.rules.socket)
	if err == nil {
		err = p.remove()
	}
	if err != nil {
		return fmt.Errorf("look for what a killed run left: %w", explain(err))
	}
	if removed {
		o.Say("removed the rules that a killed run had left")
	}
	return nil
}

type run struct {
	Options
	holder holderOf
	before sight
	began  time.Time
	freed  chan struct{} // closed when nothing is held any more
}

// command runs COMMAND with the connections held, and returns its exit code once they no longer
// need to be held.
func (r *run) command(ctx context.Context, path string) (int, error) {
	limit := time.NewTimer(time.Until(r.began.Add(r.MaxHold)))
	defer limit.Stop()
	r.drain(ctx)
	c, err := start(path, r.Command, r.Stdin, r.Stdout, r.Stderr)
	if err != nil {
		return 0, err
	}
	lacking := r.Command[0] + " has not ended, and keeps running"
	err = r.await(c.done, limit.C, lacking, c)
	settled := make(chan struct{})
	lacking = "the daemon has not taken over: `ss -ltn` shows who listens"
	go func() {
		defer close(settled)
		r.handOver(c.code())
	}()
	return c.code(), errors.Join(err, r.await(settled, limit.C, lacking, c))
}

// await waits for something to end, and releases what is held when the time is up or a signal
// comes.
func (r *run) await(end <-chan struct{}, limit <-chan time.Time, lacking string, c *child) error {
	var err error
	for {
		select {
		case <-end:
			return err
		case <-limit:
			err = errors.Join(err, r.release())
			r.Say("the connections are released after %v (--max-hold): %s", r.MaxHold, lacking)
		case s := <-r.Signals:
			if !r.Terminal || s != syscall.SIGINT && s != syscall.SIGQUIT {
				c.forward(s)
			}
			err = errors.Join(err, r.release())
		}
	}
}

// drain waits until the daemon has accepted what came before, or for drainFor.
func (r *run) drain(ctx context.Context) {
	deadline := time.Now().Add(min(drainFor, r.MaxHold/4))
	for time.Now().Before(deadline) && ctx.Err() == nil {
		now, err := listSockets(r.Match)
		if err != nil || now.drained() {
			return
		}
		time.Sleep(tick)
	}
}

// handOver waits until only one process listens: the new one, or the old one if nothing was to
// change.
func (r *run) handOver(code int) {
	clock := time.NewTicker(tick)
	defer clock.Stop()
	for began := time.Now(); ; {
		now, err := listSockets(r.Match)
		if err != nil {
			return
		}
		nobody := len(now.unused(r.Ports)) > 0
		switch {
		case now.handedOver(r.before, r.Ports):
			return
		case nobody && code != 0: // it failed: there is nothing to wait for
			return
		case !nobody && time.Since(began) > handOverFor: // both go on, as the daemon may choose
			return
		}
		select {
		case <-r.freed:
			return
		case <-clock.C:
		}
	}
}

// release releases the connections, once.
func (r *run) release() error {
	select {
	case <-r.freed:
		return nil
	default:
	}
	if err := errors.Join(r.trickle(), r.holder.release()); err != nil {
		return fmt.Errorf("release the connections: %w", err)
	}
	close(r.freed)
	if r.Verbose {
		r.Say("held for %v; %d packets waited", time.Since(r.began).Round(time.Millisecond),
			r.holder.held())
	}
	return nil
}

const (
	// portion is how many packets are released at a time: fewer than any daemon's accept queue
	// holds.
	portion = 64
	// trickleFor is how long a daemon may at least take to accept the portions; --max-hold is
	// another bound.
	trickleFor = 250 * time.Millisecond
)

// trickle releases portion after portion as the daemon accepts them: a full accept queue drops
// SYNs, and a client comes again only after a second (measured: 1,500 released at once, 1,028
// dropped by a HAProxy that had no processor).
func (r *run) trickle() error {
	deadline := time.Now().Add(trickleFor)
	if limit := r.began.Add(r.MaxHold); limit.After(deadline) {
		deadline = limit
	}
	for n := portion; n < r.holder.held() && time.Now().Before(deadline); n += portion {
		if err := r.holder.releaseUpTo(n); err != nil {
			return err
		}
		for time.Now().Before(deadline) {
			if now, err := listSockets(r.Match); err != nil || now.roomFor(portion) {
				break
			}
			time.Sleep(tick)
		}
	}
	return nil
}

// ForwardedSignals returns the signals that hawser passes on to COMMAND. One that is ignored, as
// SIGHUP is under nohup, stays ignored for both.
func ForwardedSignals() []os.Signal {
	var all []os.Signal
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT,
		syscall.SIGUSR1, syscall.SIGUSR2} {
		if !signal.Ignored(s) {
			all = append(all, s)
		}
	}
	return all
}
