package fence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// action is a row of the table of actions.
type action struct {
	plug  bool // it needs a machine
	power bool // it changes the machine's power
	cuts  bool // it cuts power
	run   func(*Agent, context.Context, *Call) error
}

// actions lists all actions except metadata, manpage, help and version.
var actions = map[string]action{
	"on":     {plug: true, power: true, run: (*Agent).on},
	"off":    {plug: true, power: true, cuts: true, run: (*Agent).off},
	"reboot": {plug: true, power: true, cuts: true, run: (*Agent).reboot},
	"status": {plug: true, run: (*Agent).status},
	"monitor": {run: func(a *Agent, ctx context.Context, c *Call) error {
		return a.Monitor(ctx, c)
	}},
	"list":        {run: (*Agent).list},
	"list-status": {run: (*Agent).list},
	"validate-all": {run: func(a *Agent, ctx context.Context, c *Call) error {
		return a.Validate(ctx, c)
	}},
}

// actionNames returns all actions, as the metadata lists them.
func actionNames() []string {
	return append(slices.Sorted(maps.Keys(actions)), "metadata", "manpage")
}

func (a *Agent) on(ctx context.Context, c *Call) error {
	if err := a.On(ctx, c); err != nil {
		return err
	}
	c.done("Powered ON")
	return nil
}

func (a *Agent) off(ctx context.Context, c *Call) error {
	if err := a.cut(ctx, c); err != nil {
		return err
	}
	c.done("Powered OFF")
	return nil
}

// cut is a verified off. The machine is checked after the order, whether that failed or not: an
// order that failed may have been carried out, and one that was carried out may have been undone.
func (a *Agent) cut(ctx context.Context, c *Call) error {
	part, cancel := context.WithCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		// time for the last check
		part, cancel = context.WithDeadline(ctx, deadline.Add(-min(c.Times.Shell, c.Times.Power/5)))
	}
	defer cancel()
	ordered := a.Off(part, c)
	power, err := a.Status(ctx, c)
	switch {
	case err == nil && power == Off:
		if ordered != nil {
			c.Warnf("%s is off anyway: %v", c.Plug, ordered)
		}
		return nil
	case ordered != nil:
		return fmt.Errorf("%s is not known to be off: %w", c.Plug, ordered)
	case err != nil:
		return fmt.Errorf("%s is not known to be off: the order was carried out, and then: %w",
			c.Plug, err)
	}
	return fmt.Errorf("%s was off and is %s again: does something else switch it on?", c.Plug,
		power)
}

// reboot is a cut; whether the machine comes back afterwards matters to the operator, not to the
// cluster, which can go on without it ("reboot" in FenceAgentAPI.md).
func (a *Agent) reboot(ctx context.Context, c *Call) error {
	if err := a.cut(ctx, c); err != nil {
		return err
	}
	c.Infof("%s is off", c.Plug)
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTime)
	defer cancel()
	err := a.Start(rest, c)
	if err == nil && c.Times.Wait > 0 {
		look, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Times.Wait)
		defer cancel()
		err = a.On(look, c)
	}
	if err != nil {
		c.Errorf("%s was fenced and is off, and could not be switched on again: switch it on by "+
			"hand: %v", c.Plug, err)
	}
	c.done("Rebooted")
	return nil
}

func (a *Agent) status(ctx context.Context, c *Call) error {
	power, err := a.Status(ctx, c)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.env.Stdout, "Status: %s\n", power)
	if power == Off {
		return errIsOff
	}
	if power != On {
		return errors.New("the state is not known")
	}
	return nil
}

func (a *Agent) list(ctx context.Context, c *Call) error {
	plugs, err := a.List(ctx, c)
	if err != nil {
		return err
	}
	for _, p := range plugs {
		line := p.ID + c.separator + p.Name
		if c.Action == "list-status" {
			line += c.separator + p.Power.String()
		}
		fmt.Fprintln(c.env.Stdout, line)
	}
	return nil
}

// done prints what was done in the words of the Python fence agents, and logs it.
func (c *Call) done(what string) {
	fmt.Fprintf(c.env.Stdout, "Success: %s\n", what)
	c.Infof("%s: %s", c.Plug, what)
}
