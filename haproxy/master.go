package haproxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Master is the master socket of a HAProxy in master-worker mode (`haproxy -W -S path`).
type Master struct {
	// Path is the socket's path.
	Path string
}

const (
	// askAgain is the pause between two attempts to reach a socket that is about to come back.
	askAgain = 20 * time.Millisecond
	// askTimeout is how long one attempt may take: a connection that the master forgot while it
	// executed itself again is given up.
	askTimeout = 2 * time.Second
)

// ReloadError says that HAProxy tried a reload and kept its old configuration, with which it keeps
// serving.
type ReloadError struct {
	// Complaint is what HAProxy had to say; HAProxy 2.6 says nothing.
	Complaint string
}

// Error returns the complaint with what it means.
func (e *ReloadError) Error() string {
	if e.Complaint == "" {
		return "HAProxy keeps the old configuration and gives no reason: check its log, addresses " +
			"to bind, maxconn and ulimit-n (LimitNOFILE), and chroot"
	}
	return "HAProxy could not load the new configuration and keeps the old one: " +
		e.Complaint
}

// Settled queries `show proc` until the master answers: it does not while it executes itself again
// in a reload.
func (m Master) Settled(ctx context.Context) (Procs, error) {
	var procs Procs
	err := m.insist(ctx, func() (err error) {
		brief, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		procs, err = m.Procs(brief)
		return err
	})
	return procs, err
}

// insist repeats a query that fails because the master is executing itself again.
func (m Master) insist(ctx context.Context, question func() error) error {
	for {
		err := question()
		if err == nil || !passing(err) && (!errors.Is(err, context.DeadlineExceeded) ||
			ctx.Err() != nil) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("HAProxy's master did not answer in time: %w (%w)", err, ctx.Err())
		case <-time.After(askAgain):
		}
	}
}

// errBusy means that the master is busy with another reload (HAProxy 3.1 and later) and has not
// begun this one.
var errBusy = errors.New("HAProxy is in the middle of another reload")

// passing reports whether an error may be gone once the master has executed itself again. The path
// vanishes only for the time of a rename, but a starting master has yet to create it.
func passing(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOENT) ||
		errors.Is(err, errNoAnswer) ||
		errors.Is(err, errBusy)
}

// errNoAnswer means that the connection was closed without an answer.
var errNoAnswer = errors.New("HAProxy closed the connection without an answer")

// Reload makes the master load its configuration again and waits for the outcome. A *ReloadError
// says that the old configuration is still served; any other error says that the outcome is not
// known. HAProxy 2.7 and later answer the command itself, with "Success=1" or "Success=0", "--" and
// their complaint; earlier ones close the connection and count failed reloads in `show proc`.
func (m Master) Reload(ctx context.Context) error {
	before, err := m.Settled(ctx)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	return m.ReloadFrom(ctx, before)
}

// ReloadFrom is Reload for a caller that has asked the master for its processes, and keeps them.
func (m Master) ReloadFrom(ctx context.Context, before Procs) error {
	answer, err := m.askReload(ctx)
	if err == nil && strings.TrimSpace(answer) == "" && answersReload(before.Master.Version) {
		// The answer was lost, with a connection that the master forgot when it executed itself
		// again. Another reload does no harm, and from 3.1 on `show proc` cannot tell a worker that
		// has taken over from one that is still reading its configuration.
		answer, err = m.askReload(ctx)
	}
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	if decided, err := reloadAnswer(answer); decided {
		return err
	}
	return m.awaitReload(ctx, before)
}

// askReload requests a reload until the master has received it. The answer is empty if it said
// nothing.
func (m Master) askReload(ctx context.Context) (answer string, err error) {
	err = m.insist(ctx, func() error {
		// Without the quit, a master of 3.1 that refuses keeps the connection open and waits for
		// more.
		text, err := ask(ctx, m.Path, "reload;quit")
		answer = text
		if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
			return err // not yet requested: another reload is under way
		}
		if err != nil && ctx.Err() == nil {
			return nil // the master of 2.6 drops its connections when it executes itself again
		}
		if err == nil && strings.Contains(text, "Another reload is still in progress") {
			return errBusy
		}
		return err
	})
	return answer, err
}

// answersReload reports whether a version says how its reload went: 2.7 and later do.
func answersReload(version string) bool {
	var major, minor int
	n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor)
	return n == 2 && (major > 2 || major == 2 && minor >= 7)
}

// reloadAnswer reads the answer of HAProxy 2.7 and later; an empty one decides nothing.
func reloadAnswer(answer string) (decided bool, err error) {
	head, logs, _ := strings.Cut(strings.TrimSpace(answer), "--\n")
	switch strings.TrimSpace(head) {
	case "":
		return false, nil
	case "Success=1":
		return true, nil
	case "Success=0":
		return true, &ReloadError{Complaint: Complaint(logs)}
	}
	return true, fmt.Errorf("reload: HAProxy's answer is not understood: %s", excerpt(answer))
}

// awaitReload waits for the outcome of a reload that was requested, by the master socket or by
// SIGUSR2, after before was read. Its errors are those of Reload.
func (m Master) awaitReload(ctx context.Context, before Procs) error {
	for {
		now, err := m.Settled(ctx)
		if err != nil {
			return fmt.Errorf("reload: %w", err)
		}
		if now.Master.Reloads > before.Master.Reloads {
			fresh := slices.ContainsFunc(now.Workers, func(w Proc) bool { return w.Reloads == 0 })
			switch {
			case now.Failed > before.Failed, now.Failed > 0 && !fresh:
				return &ReloadError{}
			case fresh:
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("reload: the master answers but has no new worker yet: %w", ctx.Err())
		case <-time.After(askAgain):
		}
	}
}
