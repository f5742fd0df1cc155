package ocf

import (
	"fmt"
	"io"
	"log/syslog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// logger writes to Pacemaker's log in the form of the shell agents (resource-agents,
// ocf-shellfuncs, ha_log): to syslog if HA_LOGFACILITY names a facility, to the file HA_LOGFILE if
// that is set, to stderr if neither is.
type logger struct {
	tag      string // in the file
	name     string // in syslog, empty for tag
	instance string
	facility syslog.Priority
	syslog   bool
	file     string
	stderr   io.Writer
	stuck    *atomic.Bool // a message was not taken in time
}

// logPatience is how long the log may take for a message. If a syslog daemon hangs, its socket
// fills up, and then whoever writes to it waits for ever: a monitor would fail, and then the stop,
// because of a log message.
const logPatience = 500 * time.Millisecond

// facilities lists those that syslog(3) allows a program, by the names that Pacemaker uses in
// PCMK_logfacility.
var facilities = map[string]syslog.Priority{
	"daemon": syslog.LOG_DAEMON, "user": syslog.LOG_USER,
	"local0": syslog.LOG_LOCAL0, "local1": syslog.LOG_LOCAL1, "local2": syslog.LOG_LOCAL2,
	"local3": syslog.LOG_LOCAL3,
	"local4": syslog.LOG_LOCAL4, "local5": syslog.LOG_LOCAL5, "local6": syslog.LOG_LOCAL6,
	"local7": syslog.LOG_LOCAL7,
}

func newLogger(agent, name, instance string, env Env) logger {
	l := logger{tag: agent, name: name, instance: instance, file: env.Getenv("HA_LOGFILE"),
		stderr: env.Stderr, stuck: new(atomic.Bool)}
	if instance != "" {
		l.tag += "(" + instance + ")"
	}
	l.facility, l.syslog = facilities[env.Getenv("HA_LOGFACILITY")]
	return l
}

// write logs one message. What has already been written to stderr is not repeated there. A log that
// cannot be written makes no difference to the resource, so a failure is ignored.
func (l logger) write(level, message string, saidOnStderr bool) {
	message = level + ": " + strings.TrimRight(message, "\n")
	stamp := time.Now().Format("Jan 02 15:04:05")
	if !l.syslog && l.file == "" {
		if !saidOnStderr {
			fmt.Fprintf(l.stderr, "%s %s\n", stamp, message)
		}
		return
	}
	if l.stuck.Load() {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.deliver(level, stamp, message)
	}()
	select {
	case <-done:
	case <-time.After(logPatience):
		l.stuck.Store(true)
	}
}

// deliver writes to the log proper, and may hang.
func (l logger) deliver(level, stamp, message string) {
	if l.syslog {
		priority := map[string]syslog.Priority{"ERROR": syslog.LOG_ERR,
			"WARNING": syslog.LOG_WARNING}[level]
		if priority == 0 {
			priority = syslog.LOG_INFO
		}
		tag, text := l.tag, message
		if l.name != "" {
			tag = l.name
			// an identifier is for filtering, and is the same for all instances
			if l.instance != "" {
				text = l.instance + ": " + message
			}
		}
		if w, err := syslog.New(l.facility|priority, tag); err == nil {
			_, _ = w.Write([]byte(text))
			_ = w.Close()
		}
	}
	if l.file != "" {
		flags := os.O_APPEND | os.O_CREATE | os.O_WRONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
		if f, err := os.OpenFile(l.file, flags, 0o600); err == nil {
			fmt.Fprintf(f, "%s  %s[%d]:    %s\n", stamp, l.tag, os.Getpid(), message)
			_ = f.Close()
		}
	}
}

// Infof writes to Pacemaker's log what an operator may want to know later.
func (c *Call) Infof(format string, args ...any) { c.logf("INFO", format, args) }

// Warnf writes to Pacemaker's log what an operator should check.
func (c *Call) Warnf(format string, args ...any) { c.logf("WARNING", format, args) }

// Errorf writes to Pacemaker's log what went wrong although the action continues.
func (c *Call) Errorf(format string, args ...any) { c.logf("ERROR", format, args) }

func (c *Call) logf(level, format string, args []any) {
	c.log.write(level, c.redact(fmt.Sprintf(format, args...)), false)
}
