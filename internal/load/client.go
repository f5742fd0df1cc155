package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// client makes one request after the other.
type client struct {
	run    *Running
	dialer net.Dialer
	conn   net.Conn // kept for the next request, else nil
	reader *bufio.Reader
	line   bytes.Buffer // the beginning of the body
}

func (r *Running) newClient() *client {
	return &client{
		run: r, dialer: net.Dialer{KeepAlive: -1}, reader: bufio.NewReaderSize(nil, 4096),
	}
}

// fault is a failed request's kind and cause.
type fault struct {
	kind Kind
	err  error
}

// ask makes one request and says whether its answer was good.
func (c *client) ask() bool {
	t := c.run.tally
	begun := t.since()
	deadline := time.Now().Add(c.run.plan.Timeout)
	again := c.conn != nil
	f, inFlight := c.once(deadline)
	if again && f != nil && (f.kind == ResetBefore || f.kind == ResetAfter) {
		t.retried()
		f, inFlight = c.once(deadline)
	}
	if f != nil {
		c.hangUp()
		t.failed(begun, f.kind, f.err, inFlight)
		return false
	}
	t.good(begun, c.firstLine())
	c.run.firstOnce.Do(func() { close(c.run.first) })
	if c.conn != nil && !c.run.plan.KeepAlive {
		c.partAfterServer()
	}
	return true
}

// once makes the request on the existing connection, or on a new one. inFlight is how many were
// sent and not answered when it ended.
func (c *client) once(deadline time.Time) (f *fault, inFlight int) {
	waiting := &c.run.inFlight
	if c.conn == nil {
		c.dialer.Deadline = deadline
		conn, err := c.dialer.Dial(c.run.target.network, c.run.target.address)
		if err != nil {
			return &fault{kindOf(err, Refused, ConnectTimeout), err}, int(waiting.Load())
		}
		c.conn = conn
		c.reader.Reset(conn)
	}
	if err := c.conn.SetDeadline(deadline); err != nil {
		return c.broken(&fault{LocalFault, err}), int(waiting.Load())
	}
	// before it is sent: the server may have died of it by the time that Write returns
	waiting.Add(1)
	if _, err := c.conn.Write(c.run.target.request); err != nil {
		return c.broken(&fault{kindOf(err, ResetBefore, AnswerTimeout), err}), int(waiting.Add(-1))
	}
	f, last := c.answer()
	inFlight = int(waiting.Add(-1)) + 1
	if f != nil {
		return c.broken(f), inFlight
	}
	if last && c.run.plan.KeepAlive {
		c.hangUp()
	}
	return nil, inFlight
}

// answer reads a whole answer; last says that the server closes the connection after it.
func (c *client) answer() (f *fault, last bool) {
	if _, err := c.reader.Peek(1); err != nil {
		return &fault{kindOf(err, ResetAfter, AnswerTimeout), err}, true
	}
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return &fault{kindOf(err, CutOff, AnswerTimeout), err}, true
	}
	defer func() { _ = resp.Body.Close() }()
	c.line.Reset()
	_, err = io.CopyN(&c.line, resp.Body, longestLine)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return &fault{kindOf(err, CutOff, AnswerTimeout), err}, true
	}
	if resp.StatusCode >= 400 {
		return &fault{Kind(fmt.Sprintf("status %d", resp.StatusCode)), nil}, true
	}
	return nil, resp.Close
}

const longestLine = 128

func (c *client) firstLine() []byte {
	line, _, _ := bytes.Cut(c.line.Bytes(), []byte("\n"))
	return line
}

func (c *client) broken(f *fault) *fault {
	c.hangUp()
	return f
}

func (c *client) hangUp() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing more is sent or read
		c.conn = nil
	}
}

// partingWait is how long the server may take to close a connection after its last answer.
const partingWait = 100 * time.Millisecond

// partAfterServer lets the server close first: the side that closes first keeps the pair of ports
// for a minute (TIME_WAIT), and the client's 28,000 would last only some seconds. A connection that
// the server does not close is reset, for the same reason.
func (c *client) partAfterServer() {
	_ = c.conn.SetReadDeadline(time.Now().Add(partingWait)) // an error shows in Read
	if _, err := c.reader.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		if tcp, ok := c.conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // the connection has ended: nothing to reset
		}
	}
	c.hangUp()
}

// kindOf classifies an error; closed and late are the kinds for a closed connection and a passed
// deadline at this point.
func kindOf(err error, closed, late Kind) Kind {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return late
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		// a Unix socket that is not there
		return Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return Unreachable
	case errors.Is(err, syscall.ETIMEDOUT):
		return late
	case errors.Is(err, syscall.ECONNRESET) && closed == Refused:
		return ResetBefore // accepted and reset before connect returned
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF):
		return closed
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return late
	}
	var system syscall.Errno
	if errors.As(err, &system) || closed == Refused {
		return LocalFault
	}
	return BadAnswer
}
