package fencedroplet

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/digitalocean/godo"

	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/internal/digitalocean"
	"github.com/hawser-ha/hawser/internal/fault"
)

// settling is how many times the droplet is checked after an accepted order before the order is
// given again, if it is no longer under way.
const settling = 3

// order is a change of a droplet's power.
type order struct {
	what string // "power droplet 12 (lb-1) off"
	post func(*godo.Client, context.Context, int) error
	done func(droplet) bool
	// accepted is whether it is enough that the order was accepted.
	accepted bool
	cuts     bool
}

func (a *agent) off(ctx context.Context, c *fence.Call) error {
	d, err := a.find(ctx, c)
	if err != nil {
		return err
	}
	if err := a.notSelf(ctx, c, d); err != nil {
		return err
	}
	return a.carryOut(ctx, c, d, order{
		what: fmt.Sprintf("power %s off", d),
		post: func(client *godo.Client, ctx context.Context, id int) error {
			_, _, err := client.DropletActions.PowerOff(ctx, id)
			return err
		},
		done: droplet.isOff,
		cuts: true,
	})
}

func (a *agent) on(ctx context.Context, c *fence.Call) error { return a.powerOn(ctx, c, false) }

func (a *agent) start(ctx context.Context, c *fence.Call) error { return a.powerOn(ctx, c, true) }

func (a *agent) powerOn(ctx context.Context, c *fence.Call, accepted bool) error {
	d, err := a.find(ctx, c)
	if err != nil {
		return err
	}
	return a.carryOut(ctx, c, d, order{
		what: fmt.Sprintf("power %s on", d),
		post: func(client *godo.Client, ctx context.Context, id int) error {
			_, _, err := client.DropletActions.PowerOn(ctx, id)
			return err
		},
		done:     func(d droplet) bool { return d.state == stateActive },
		accepted: accepted,
	})
}

// doubtful reports whether the droplet's state "off" is not enough to believe it. Once an order to
// cut its power was accepted, "off" is the result of that.
func (a *agent) doubtful(d droplet) bool {
	return d.state == stateOff && (!a.cut || d.rising != "")
}

// carryOut repeats the order until the droplet is as ordered. The droplet is checked before each
// order: the answer to the previous one may have been lost, and a refused order may have been one
// too many. The order is given even if another event seems to be under way: whether to refuse it
// for that is up to the API.
func (a *agent) carryOut(ctx context.Context, c *fence.Call, target droplet, o order) error {
	pace := a.pacing.Begin()
	given, looks := 0, 0 // orders that were accepted, and checks since the latest one
	for {
		d, err := a.get(ctx, c, target.id)
		if err == nil && (o.cuts && a.doubtful(d) || given > 0 && looks >= settling && !o.done(d)) {
			err = a.seeEvent(ctx, c, &d)
		}
		f := a.explain(ctx, o.what, err)
		switch {
		case f != nil:
		case o.done(d):
			a.found = &d
			return nil
		case given > 0 && d.busy != "":
			f = busy("cannot %s: the API accepted it, and it is still under way (%s; it reads %q)",
				o.what, d.busy, d.state)
		case o.cuts && d.state == stateOff:
			f = busy("cannot %s: another event of it (%s), which may switch it on, is under way "+
				"or has just ended (it reads %q); the control panel shows it",
				o.what, d.rising, d.state)
		case given > 0 && looks < settling:
			looks++
			f = busy("cannot %s: the API accepted it, and the droplet reads %q", o.what, d.state)
		default:
			if f = a.give(ctx, c, d, o); f == nil {
				if o.accepted {
					return nil
				}
				a.cut = a.cut || o.cuts
				given, looks = given+1, 0
				f = busy("cannot %s: the API accepted it %d times, and the droplet reads %q",
					o.what, given, d.state)
			}
		}
		c.Debugf("%v", f.Err)
		if err := pace.Pause(ctx, f); err != nil {
			return err
		}
	}
}

// give posts the order. A refusal for the droplet's state, a 422, may be due to an event that will
// end: the next check shows.
func (a *agent) give(ctx context.Context, c *fence.Call, d droplet, o order) *digitalocean.Failure {
	client, err := a.open(c).Godo()
	if err == nil {
		err = o.post(client, ctx, d.id)
	}
	f := a.client.Explain(ctx, o.what, err)
	var answer *godo.ErrorResponse
	if f != nil && ctx.Err() == nil && errors.As(err, &answer) &&
		answer.Response.StatusCode == http.StatusUnprocessableEntity {
		f.Again = true
	}
	if f == nil {
		c.Infof("%s: the API accepted the order", o.what)
	}
	return f
}

func busy(format string, args ...any) *digitalocean.Failure {
	return &digitalocean.Failure{Again: true, Err: fault.Errorf(fault.Busy, format, args...)}
}

// status checks the droplet again.
func (a *agent) status(ctx context.Context, c *fence.Call) (fence.Power, error) {
	target, err := a.find(ctx, c)
	if err != nil {
		return 0, err
	}
	what := fmt.Sprintf("check whether %s is on", target)
	d, err := a.findID(ctx, c, what, target.id, true)
	if err != nil {
		return 0, err
	}
	power, err := d.power()
	if err != nil {
		return 0, fmt.Errorf("cannot %s: %w", what, err)
	}
	return power, nil
}

// power returns the droplet's power, if its state says so.
func (d droplet) power() (fence.Power, error) {
	switch {
	case d.isOff():
		return fence.Off, nil
	case d.state == stateActive:
		return fence.On, nil
	case d.state == stateOff:
		return 0, fault.Errorf(fault.Busy,
			"it reads %q, and an event of it (%s) is under way or has just ended, which may "+
				"switch it on", d.state, d.rising)
	}
	return 0, fault.Errorf(fault.Unknown, "the API says that it is %.40q", d.state)
}

// list returns the droplets that can be fenced.
func (a *agent) list(ctx context.Context, c *fence.Call) ([]fence.Plug, error) {
	all, err := a.lookUp(ctx, c, "list the droplets", "", a.tag)
	if err != nil {
		return nil, err
	}
	var plugs []fence.Plug
	for _, d := range all {
		if a.tag != "" && !d.tagged(a.tag) {
			continue
		}
		power, err := d.power()
		if err != nil {
			c.Debugf("%s: %v", d, err)
		}
		plugs = append(plugs, fence.Plug{ID: fmt.Sprint(d.id), Name: d.name, Power: power})
	}
	return plugs, nil
}

// monitor asks the API for the droplets, which shows a token that is refused or may not see them
// before a fence needs it. Whether it may switch them cannot be found out without doing so. It also
// notes which droplet this is.
func (a *agent) monitor(ctx context.Context, c *fence.Call) error {
	if _, err := a.self(ctx); err != nil {
		c.Debugf("%v", err)
	}
	if c.Plug != "" {
		_, err := a.find(ctx, c)
		return err
	}
	plugs, err := a.list(ctx, c)
	if err != nil {
		return err
	}
	if len(plugs) == 0 {
		under := ""
		if a.tag != "" {
			under = " with the tag " + a.tag
		}
		return fault.Errorf(fault.NotFound,
			"the API has no droplets%s for this token: nothing can be fenced; is it another "+
				"team's?", under)
	}
	return nil
}
