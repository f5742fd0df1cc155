package instance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/agents/haproxy/strangers"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// A HAProxy that is started beside this one, by `systemctl restart haproxy` out of habit, gets its
// share of the connections and serves them by its own configuration. Neither of the two notices.

// Intruder returns an error that names a process outside of the instance which takes connections
// that are meant for it, nil if there is none. own are the instance's listening sockets. While
// nobody else listens at their addresses no process is looked at.
func (in *Instance) Intruder(own map[uint64]bool) error {
	listeners, err := client.Listeners()
	if err != nil {
		return err
	}
	var at []client.Reach
	for _, l := range listeners {
		if own[l.Inode] {
			at = append(at, l.Reach)
		}
	}
	found, err := in.anybody().Find(at, own)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(found, func(s strangers.Stranger) bool { return s.Takes })
	if i < 0 {
		return nil
	}
	return &intruderError{found[i]}
}

// intruderError is a process that listens where the instance does.
type intruderError struct{ strangers.Stranger }

// IsIntruder reports whether an error names a process that takes connections of HAProxy's.
func IsIntruder(err error) bool {
	var intruder *intruderError
	return errors.As(err, &intruder)
}

// Error is short enough for an exit reason, with the command that ends the process.
func (e *intruderError) Error() string {
	name := procfs.Default.Executable(e.PID)
	if name == "" {
		name = "a process"
	}
	if e.Service == "" {
		return fmt.Sprintf("%s (pid %d) also listens on %s and takes connections from this HAProxy: "+
			"end it", name, e.PID, e.Addr)
	}
	return fmt.Sprintf("%s (pid %d) also listens on %s: systemctl disable --now %s", name, e.PID,
		e.Addr, e.Service)
}

// RefuseIntruders returns an error if another process takes connections of the HAProxy that runs.
// What cannot be found out is no reason to refuse.
func (in *Instance) RefuseIntruders() error {
	fam, err := in.Find()
	if err != nil {
		return err
	}
	_, own, err := strangers.Bound(fam.PIDs())
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	if err := in.Intruder(own); IsIntruder(err) {
		return err
	}
	return nil
}

// LookBeside is Intruder for the sockets that HAProxy itself hands out.
func (in *Instance) LookBeside(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Briefly)
	defer cancel()
	sockets, err := client.Runtime{Path: in.StatsSocket()}.Sockets(ctx)
	if err != nil {
		return err
	}
	defer sockets.Close()
	return in.Intruder(sockets.Inodes())
}

// NoteBeside notes for the monitor who takes connections of HAProxy, or that nobody does. An error
// that is none of Intruder's leaves the note as it is.
func (in *Instance) NoteBeside(found error) error {
	var intruder *intruderError
	switch {
	case found == nil:
		return Remove(in.Beside())
	case !errors.As(found, &intruder):
		return nil
	}
	text := intruder.Error() + "\n"
	if old, err := os.ReadFile(in.Beside()); err == nil && string(old) == text {
		return nil
	}
	return writeFile(in.Beside(), []byte(text))
}

// NotedBeside returns what NoteBeside noted, nil if nothing.
func (in *Instance) NotedBeside() error {
	text, err := os.ReadFile(in.Beside())
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.New(strings.TrimSpace(string(text)))
}
