package ocf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// DefaultRunDir is where the agents keep what they have to remember until the next boot.
// HAWSER_RUNDIR in the environment overrides it.
const DefaultRunDir = "/run/hawser"

// Call is one invocation of an agent. Handlers get it from their context.
type Call struct {
	// Action is the action as the caller named it.
	Action string
	// Instance is the name of the resource instance (OCF_RESOURCE_INSTANCE): "haproxy", or
	// "haproxy:0" in a clone with globally unique instances.
	Instance string
	// Node is the name by which the cluster knows this node, or the host's name if Pacemaker did
	// not say.
	Node string
	// Clustered is whether Pacemaker made the call, and not a person or a test.
	Clustered bool
	// Dir is the directory of the instance, 0700; it exists during every action but validate-all,
	// and is empty after a boot.
	Dir string
	// Timeout is the operation's timeout; the context ends somewhat earlier.
	Timeout time.Duration
	// Interval is the operation's interval, 0 for a probe.
	Interval time.Duration
	// Level is OCF_CHECK_LEVEL.
	Level int
	// levelGiven is whether the caller gave a level.
	levelGiven bool

	rundir      string
	hasInterval bool
	// named is set if Node was found out by SetNode.
	named bool
	// hindered is why nothing can be written to Dir, nil if it can.
	hindered error
	// a handler that is left behind may still log while Main reports the reason
	mu      sync.Mutex
	secrets []string
	log     logger
	getenv  func(string) string
	stderr  io.Writer
}

type callKey struct{}

// CallFrom returns the Call that the context of a handler belongs to. It panics for any other
// context.
func CallFrom(ctx context.Context) *Call {
	return ctx.Value(callKey{}).(*Call)
}

// newCall reads the environment that OCF 1.1 section 4.2 and Pacemaker define. It returns a Call
// even with an error, so that the error can be reported.
func newCall(a *Agent, action string, env Env) (*Call, error) {
	c := &Call{
		Action:   action,
		Instance: env.Getenv("OCF_RESOURCE_INSTANCE"),
		Node:     env.Getenv(nodeVariable),
		Timeout:  a.advertised(action),
		rundir:   env.Getenv("HAWSER_RUNDIR"),
		getenv:   env.Getenv,
		stderr:   env.Stderr,
	}
	c.Clustered = c.Node != ""
	if c.rundir == "" {
		c.rundir = DefaultRunDir
	}
	c.log = newLogger(a.Name, cmp.Or(env.LogName, a.LogName), c.Instance, env)

	if c.Instance == "" && action == "validate-all" {
		c.Instance = a.Name // crm_resource --validate asks about an agent, not about a resource
	}
	switch {
	case c.Instance == "":
		return c, Errorf(ErrArgs, "OCF_RESOURCE_INSTANCE is not set: the agent must know which "+
			"resource it is asked about")
	case strings.ContainsAny(c.Instance, "/\x00") || strings.HasPrefix(c.Instance, "."):
		return c, Errorf(ErrArgs, "OCF_RESOURCE_INSTANCE is %q, which cannot be a file name",
			c.Instance)
	case !filepath.IsAbs(c.rundir):
		return c, Errorf(ErrArgs, "HAWSER_RUNDIR is %q, which is not an absolute path", c.rundir)
	}
	c.Dir = filepath.Join(c.rundir, c.Instance)

	if c.Node == "" {
		host, err := os.Hostname()
		if err != nil {
			return c, fmt.Errorf("cannot find out this node's name: %w", err)
		}
		c.Node = host
	}
	for _, number := range []struct {
		name string
		set  func(n int)
	}{
		{"OCF_RESKEY_CRM_meta_timeout", func(ms int) {
			if ms > 0 {
				c.Timeout = time.Duration(ms) * time.Millisecond
			}
		}},
		{"OCF_RESKEY_CRM_meta_interval", func(ms int) {
			c.Interval, c.hasInterval = time.Duration(ms)*time.Millisecond, true
		}},
		{"OCF_CHECK_LEVEL", func(n int) { c.Level, c.levelGiven = n, true }},
		{"OCF_RESKEY_OCF_CHECK_LEVEL", func(n int) { c.Level, c.levelGiven = n, true }},
	} {
		text := env.Getenv(number.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if (err != nil || n < 0) && action == "stop" {
			c.Warnf("stop goes on although %s is %q, which is not a whole number", number.name,
				text)
			continue
		}
		if err != nil || n < 0 {
			return c, Errorf(ErrArgs, "%s is %q, which is not a whole number", number.name, text)
		}
		number.set(n)
	}
	return c, nil
}

// SetNode gives the call the name by which the cluster knows this node, where Pacemaker did not say it:
// a person made the call. The host may be called otherwise.
func (c *Call) SetNode(name string) { c.Node, c.named = name, true }

// ParametersOnly reports whether the parameters alone are to be judged, and not whether this node has
// what they name: for the answer to a validate-all with OCF_CHECK_LEVEL=0 all nodes are the same (OCF
// 1.1). Without a level it is the whole answer that is wanted.
func (c *Call) ParametersOnly() bool {
	return c.Action == "validate-all" && c.levelGiven && c.Level == 0
}

// probe reports whether the call asks about a resource that is not expected to run here (OCF 1.1
// section 4.3.4).
func (c *Call) probe() bool {
	return (c.Action == "monitor" || c.Action == "status") && c.hasInterval && c.Interval == 0
}

// lenient reports whether wrong parameters are ignored: what runs must be found and stopped even if
// its configuration has since been broken, and a probe also runs on nodes that are not set up for
// the resource.
func (c *Call) lenient() bool { return c.Action == "stop" || c.probe() }

// exit reports the error, as the exit reason and in the log, and returns its code.
func (c *Call) exit(err error) int {
	var v *verdict
	if errors.As(err, &v) && v.err == nil {
		return int(v.code) // a plain "not running" is an answer, not a fault
	}
	if err == nil {
		return int(Success)
	}
	code := CodeOf(err)
	if v != nil {
		code = v.code
	}
	reason := c.redact(oneLine(err.Error()))
	fmt.Fprintf(c.stderr, "ocf-exit-reason:%s\n", reason)
	if code == DegradedCode {
		c.log.write("WARNING", c.Action+": "+reason, true)
	} else {
		c.log.write("ERROR", c.Action+": "+reason, true)
	}
	return int(code)
}

// redact removes every secret from a text.
func (c *Call) redact(text string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, secret := range c.secrets {
		text = strings.ReplaceAll(text, secret, "********")
	}
	return text
}

// Redact registers a text that must never be shown, such as a token read from a file. Secret
// parameters are registered by Main.
func (c *Call) Redact(secret string) {
	if secret != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.secrets = append(c.secrets, secret)
	}
}

// oneLine folds a text into one line of printable ASCII. Pacemaker takes an exit reason up to the
// end of its line, and Pacemaker 2.1.5 writes & < > and quotes unescaped into the CIB once a
// character outside ASCII precedes them: then nothing could read the CIB.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, strings.Join(strings.Fields(text), " "))
}
