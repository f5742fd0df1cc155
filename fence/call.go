package fence

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Call is one run of the agent.
type Call struct {
	// Action is the requested action, Plug the machine, as the cluster or a person named it; Node
	// is the cluster's name for it.
	Action, Plug, Node string
	// Times are the times in effect.
	Times Times

	separator                     string
	quiet, verbose, version, help bool
	debugFile                     string
	env                           Env
	name                          string

	mu      sync.Mutex // an action that overruns its time may print beside the message about that
	secrets []string
	debug   io.Writer
	log     io.Writer
}

// Redact keeps the text out of everything that the agent prints or logs from now on.
func (c *Call) Redact(secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if secret != "" {
		c.secrets = append(c.secrets, secret)
	}
}

func (c *Call) redact(text string) string {
	for _, s := range c.secrets {
		text = strings.ReplaceAll(text, s, "********")
	}
	return text
}

// Debugf reports details for troubleshooting: on standard error with verbose, and in debug_file.
func (c *Call) Debugf(format string, args ...any) { c.say("debug", false, c.verbose, format, args) }

// Infof reports what an operator may want to know later: in the system's log, and as Debugf does.
// It does not always write to standard error, since Pacemaker takes what it finds there for a
// complaint.
func (c *Call) Infof(format string, args ...any) { c.say("notice", true, c.verbose, format, args) }

// Warnf reports what an operator should check.
func (c *Call) Warnf(format string, args ...any) { c.say("warning", true, !c.quiet, format, args) }

// Errorf logs why the action failed.
func (c *Call) Errorf(format string, args ...any) { c.say("error", true, !c.quiet, format, args) }

// logPatience is how long the log may take for a message: a syslog that hangs must not hold up a
// fence.
const logPatience = 300 * time.Millisecond

func (c *Call) say(level string, logged, shown bool, format string, args []any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := level + ": " + strings.ReplaceAll(strings.TrimSpace(c.redact(fmt.Sprintf(format,
		args...))), "\n", "; ")
	if shown {
		fmt.Fprintf(c.env.Stderr, "%s: %s\n", c.name, text)
	}
	if c.debug != nil {
		fmt.Fprintf(c.debug, "%s %s[%d]: %s\n", time.Now().Format(time.RFC3339), c.name,
			os.Getpid(), text)
	}
	if !logged || c.log == nil {
		return
	}
	done := make(chan struct{})
	log := c.log
	go func() {
		defer close(done)
		// a log that cannot be written makes no difference to the machine
		_, _ = log.Write([]byte(text))
	}()
	select {
	case <-done:
	case <-time.After(logPatience):
		c.log = nil
	}
}

// openDebug opens debug_file.
func (c *Call) openDebug() error {
	if c.debugFile == "" {
		return nil
	}
	file, err := os.OpenFile(c.debugFile,
		os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return fmt.Errorf("parameter debug_file: %w", err)
	}
	c.debug = file
	return nil
}
