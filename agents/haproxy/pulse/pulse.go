// Package pulse tells whether a process that does not answer is at work all the same: out of file
// descriptors, out of places on its stats socket, overloaded, waiting for a disk. See
// docs/decisions/0044-what-is-a-hang.md.
//
// It imports haproxy and internal/procfs. Start reading here; poke.go wakes an idle process.
package pulse

import (
	"context"
	"time"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// Sign is what two pulses say together.
type Sign int

// Signs, from bad to good.
const (
	// Still is a process that did nothing that shows that it could serve. One that spins in an
	// endless loop is still too: it uses a processor and nothing else.
	Still Sign = iota
	// Hindered is one that could not have done anything, or that kept the kernel busy: it waited for
	// a processor or a disk. That lasts, if it is not its own fault.
	Hindered
	// Alive is one that went to sleep until something happens, as a loop of events does.
	Alive
)

// Pulse is what a process has done so far.
type Pulse struct {
	at     time.Time
	times  procfs.Times
	effort procfs.Effort
}

// Take takes the pulse of a process.
func Take(pid int) Pulse {
	return Pulse{time.Now(), procfs.Default.Schedule(pid), procfs.Default.Effort(pid)}
}

// busyShare is the part of the time that a process which serves spends in the kernel at least, in
// percent: it can receive and send nothing without it.
const busyShare = 2

// Since returns what the process has done since an earlier pulse.
func (p Pulse) Since(before Pulse) Sign {
	took := p.at.Sub(before.at)
	switch {
	case p.effort.Sleeps > before.effort.Sleeps:
		return Alive
	case p.effort.Uninterruptible || p.effort.System-before.effort.System > took*busyShare/100:
		return Hindered
	case p.times.Waited-before.times.Waited > took/2 && p.times.Ran-before.times.Ran < took/10:
		return Hindered // ready to run for most of the time, and hardly run
	}
	return Still
}

const (
	// PokeTime is how long a process may take to notice a poke.
	PokeTime = 500 * time.Millisecond
	// lookEvery is the pause between two looks.
	lookEvery = 20 * time.Millisecond
)

// LivesWhenPoked reports whether a process that seems to be still reacts to connections on its own
// sockets.
func LivesWhenPoked(ctx context.Context, pid int) bool {
	ctx, cancel := context.WithTimeout(ctx, PokeTime)
	defer cancel()
	before := Take(pid)
	poke(ctx, pid)
	for {
		if Take(pid).Since(before) == Alive {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(lookEvery):
		}
	}
}
