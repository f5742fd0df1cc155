package keeper

import (
	"context"
	"errors"
	"time"
)

// besideEvery is how often to look for another process that listens where HAProxy does. The kernel
// lists its listening sockets for that, and no process is looked at as long as they are HAProxy's.
const besideEvery = 5 * time.Second

// lookBeside looks for such a process until the context ends, and leaves a note for the monitor.
func (k *keeper) lookBeside(ctx context.Context) {
	next := time.NewTicker(besideEvery)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		k.mu.Lock()
		own, holding := k.held.Inodes(), !k.holding.IsZero()
		k.mu.Unlock()
		if holding || len(own) == 0 {
			continue
		}
		found := k.intruder(ctx, own)
		if s, ok := k.in.Load(); ok && s.Wanted() && ctx.Err() == nil {
			_ = k.in.NoteBeside(found) // where /run is full, it is found again
		}
	}
}

// errUnbound means that the resource's parameters cannot be read, and so not which processes are
// HAProxy's.
var errUnbound = errors.New("the keeper does not know its parameters")

// intruder returns an error that names such a process, or another one.
func (k *keeper) intruder(ctx context.Context, own map[uint64]bool) error {
	_, in := k.call(ctx)
	if in == nil {
		return errUnbound
	}
	return in.Intruder(own)
}
