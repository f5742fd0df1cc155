// Package haproxy talks to a running HAProxy: to a process through its stats socket (Runtime), to
// the master of a master-worker pair through the master socket (Master), and to the program itself
// for a check of a configuration (Config).
//
// The formats are those of HAProxy's Management Guide, sections 9.1 (CSV), 9.3 (stats socket) and
// 9.4 (master CLI).
//
// It imports nothing of ours. Open source.go first for configurations, socket.go for the sockets.
package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// answerLimit bounds what is read from a socket: a `show stat` of 100,000 servers has about 50 MB.
const answerLimit = 128 << 20

// ask sends one command line to a socket of HAProxy and returns the answer up to the end of the
// connection. What was read so far is returned together with an error. The end of the context
// interrupts it.
func ask(ctx context.Context, path, command string) (string, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return "", fmt.Errorf("cannot connect to HAProxy's socket: %w", err)
	}
	defer func() { _ = conn.Close() }()
	unhook := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer unhook()

	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", answerError(ctx, path, command, err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, answerLimit))
	if err != nil {
		return string(answer), answerError(ctx, path, command, err)
	}
	return string(answer), nil
}

// answerError reports whether HAProxy was silent or broke the connection off.
func answerError(ctx context.Context, path, command string, err error) error {
	if cause := ctx.Err(); cause != nil {
		if errors.Is(cause, context.DeadlineExceeded) {
			return fmt.Errorf("HAProxy accepted a connection on %s but did not answer %q in "+
				"time: %w", path, command, cause)
		}
		return fmt.Errorf("asking HAProxy on %s for %q was given up: %w", path, command, cause)
	}
	return fmt.Errorf("HAProxy broke the connection on %s off at %q: %w", path, command, err)
}
