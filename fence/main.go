package fence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/param"
)

// Exit codes of FenceAgentAPI.md, "Agent Operations and Return Values".
const (
	exitOK    = 0
	exitError = 1
	exitOff   = 2 // of status: the machine is off
)

// params returns the parameters of every agent, bound to the call. The agent's own ones come after
// plug.
func (a *Agent) params(c *Call) []Param {
	first := []Param{
		{Name: "action", Old: "option", Letter: 'o', Holds: "action",
			Value: param.String(&c.Action, "reboot"),
			Text:  "Fencing action: " + strings.Join(actionNames(), ", ")},
		{Name: "plug", Old: "port", Letter: 'n', Holds: "id", Value: param.String(&c.Plug, ""),
			Text: a.PlugText},
	}
	last := []Param{
		{Name: "separator", Letter: 'C', Holds: "char", Value: param.String(&c.separator, ","),
			Text: "The separator between the columns of list"},
		{Name: "delay", Holds: "seconds", Value: param.Seconds(&c.Times.Delay, a.Times.Delay),
			Text: "How long to wait before an off or a reboot begins; Pacemaker's " +
				"pcmk_delay_base does the same"},
		{Name: "login_timeout", Holds: "seconds", Value: param.Seconds(&c.Times.Login,
			a.Times.Login),
			Text: "How long it may take to find the machine; what is left of it is added to " +
				"power_timeout"},
		{Name: "power_timeout", Holds: "seconds", Value: param.Seconds(&c.Times.Power,
			a.Times.Power),
			Text: fmt.Sprintf("How long it may take after an order until the machine is seen "+
				"off, or on. Pacemaker's timeout of the action "+
				"(pcmk_off_timeout, pcmk_reboot_timeout, 60 s where not set) has to be longer "+
				"than delay, login_timeout and power_timeout "+
				"together; for a reboot add %s and power_wait", startTime)},
		{Name: "shell_timeout", Holds: "seconds", Value: param.Seconds(&c.Times.Shell,
			a.Times.Shell),
			Text: "How long one request may take"},
		{Name: "power_wait", Holds: "seconds", Value: param.Seconds(&c.Times.Wait, a.Times.Wait),
			Text: "How long a reboot waits for the machine to come on, after it was seen off and " +
				"ordered on. The cluster waits as long"},
		{Name: "quiet", Letter: 'q', Value: param.Switch(&c.quiet),
			Text: "Print nothing on standard error unless verbose is set"},
		{Name: "verbose", Letter: 'v', Value: param.Switch(&c.verbose),
			Text: "Print on standard error what is done"},
		{Name: "debug_file", Old: "debug", Letter: 'D', Holds: "file",
			Value: param.String(&c.debugFile, ""),
			Text:  "Also write what is done to this file"},
		{Name: "version", Letter: 'V', Value: param.Switch(&c.version),
			Text: "Print the version and exit"},
		{Name: "help", Letter: 'h', Value: param.Switch(&c.help), Text: "Print this text and exit"},
	}
	return slices.Concat(first, a.Params, last)
}

// nodename is sent with every call besides plug, which wins (FenceAgentAPI.md, "Attribute
// Specifications").
func nodename(c *Call) Param { return Param{Name: "nodename", Value: param.String(&c.Node, "")} }

// Main runs the action that env asks for and returns the exit code. It never calls os.Exit, so that
// tests run it in process.
func (a *Agent) Main(ctx context.Context, env Env) int {
	began := time.Now()
	c := &Call{env: env, name: a.Name, log: env.Log}
	params := a.params(c)
	given, err := a.options(params, env)
	if err == nil {
		err = take(append(params, nodename(c)), given, c)
	}
	c.Action = strings.ToLower(c.Action)
	switch {
	case c.help || c.Action == "help":
		err = a.writeHelp(env.Stdout, params)
		return c.exit(err)
	case c.version || c.Action == "version":
		_, err = fmt.Fprintln(env.Stdout, a.Version)
		return c.exit(err)
	case err != nil:
		return c.exit(err)
	case c.Action == "metadata" || c.Action == "meta-data":
		return c.exit(a.writeMetadata(env.Stdout, params))
	case c.Action == "manpage":
		return c.exit(a.writeManual(env.Stdout, params))
	}
	act, known := actions[c.Action]
	if !known {
		return c.exit(fmt.Errorf("no action %.40q: there are %s", c.Action,
			strings.Join(actionNames(), ", ")))
	}
	if c.Plug == "" {
		c.Plug = c.Node
	}
	for _, p := range params {
		if p.Required && !slices.ContainsFunc(given, func(o option) bool {
			return (o.name == p.Name || o.name == p.Old) && o.text != ""
		}) {
			err = errors.Join(err, fmt.Errorf("parameter %s is not set: %s", p.Name, p.Text))
		}
	}
	if act.plug && c.Plug == "" {
		err = errors.Join(err, fmt.Errorf("parameter plug is not set: %s needs a machine",
			c.Action))
	}
	if err == nil {
		if err = c.openDebug(); err != nil && act.power {
			// a full disk must not prevent fencing; monitor and status complain about it earlier
			c.Warnf("%v", err)
			err = nil
		}
	}
	if err != nil {
		return c.exit(err)
	}
	return c.exit(a.within(ctx, c, began, act))
}

// options reads the options: with flags, standard input is not read.
func (a *Agent) options(params []Param, env Env) ([]option, error) {
	if len(env.Args) > 1 {
		given, err := parseFlags(params, env.Args[1:])
		if err != nil {
			return nil, fmt.Errorf("%w: see %s --help", err, a.Name)
		}
		return given, nil
	}
	if file, ok := env.Stdin.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 &&
			info.Mode()&os.ModeDevice != 0 && file.Name() != os.DevNull {
			return nil, fmt.Errorf("no options given, and a terminal on standard input: see %s "+
				"--help", a.Name)
		}
	}
	text, err := readInput(env.Stdin)
	given := parseInput(text)
	if anyAction(given) {
		// With help or version among a device's options, every off would succeed without touching
		// the machine.
		given = slices.DeleteFunc(given, func(o option) bool {
			return o.name == "help" || o.name == "version"
		})
	}
	return given, err
}

// errIsOff is the status "off", passed as an error so that there is only one way out.
var errIsOff = errors.New("off")

func (c *Call) exit(err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errIsOff):
		return exitOff
	}
	c.Errorf("%v", err)
	return exitError
}

// within runs the action after its delay, and ends it when its time is over, whatever it is doing:
// if Pacemaker kills the agent, no reason is left behind.
func (a *Agent) within(ctx context.Context, c *Call, began time.Time, act action) error {
	if act.cuts && c.Times.Delay > 0 {
		c.Debugf("waiting %s before the %s", c.Times.Delay, c.Action)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(began.Add(c.Times.Delay))):
		}
		began = began.Add(c.Times.Delay)
	}
	limit := c.Times.limit(c.Action)
	most := limit
	if c.Action == "reboot" {
		most += startTime + c.Times.Wait
	}
	work, cancel := context.WithDeadline(ctx, began.Add(limit))
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if fault := recover(); fault != nil {
				done <- fmt.Errorf("%s: this is a fault of %s, please report it: %v\n%s", c.Action,
					c.name, fault, debug.Stack())
			}
		}()
		done <- act.run(a, work, c)
	}()
	late := time.NewTimer(time.Until(began.Add(most + time.Second)))
	defer late.Stop()
	select {
	case err := <-done:
		if err != nil && work.Err() != nil && !errors.Is(err, errIsOff) {
			return fmt.Errorf("%s not finished after %s: %w", c.Action, limit, err)
		}
		return err
	case <-late.C:
		return fmt.Errorf("%s: the agent was still busy when its time was over, after %s", c.Action,
			most)
	}
}
