package fencedroplet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/digitalocean/godo"

	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/internal/digitalocean"
	"github.com/hawser-ha/hawser/internal/fault"
)

// droplet is a droplet as the API described it at one moment.
type droplet struct {
	id        int
	name      string
	state     string // new, active, off, archive
	busy      string // the event that is under way, if that was checked
	rising    string // the event that may have given it power although it reads "off"
	tags      []string
	addresses []netip.Addr
}

// The states that matter, and the stand-in for the event of a droplet that the API calls locked.
const (
	stateActive = "active"
	stateOff    = "off"
	locked      = "locked"
)

func (d droplet) String() string { return fmt.Sprintf("droplet %d (%s)", d.id, d.name) }

// tagged reports whether the droplet has the tag; DigitalOcean's tags do not depend on case.
func (d droplet) tagged(tag string) bool {
	return slices.ContainsFunc(d.tags, func(t string) bool { return strings.EqualFold(t, tag) })
}

// isOff reports whether the droplet is off and no event is known that may have given it power.
func (d droplet) isOff() bool { return d.state == stateOff && d.rising == "" }

func read(from godo.Droplet) droplet {
	d := droplet{id: from.ID, name: from.Name, state: from.Status, tags: from.Tags}
	if from.Locked {
		d.rising = locked // until its events have been checked
	}
	if from.Networks != nil {
		for _, n := range from.Networks.V4 {
			d.add(n.IPAddress)
		}
		for _, n := range from.Networks.V6 {
			d.add(n.IPAddress)
		}
	}
	return d
}

func (d *droplet) add(text string) {
	if ip, err := netip.ParseAddr(text); err == nil {
		d.addresses = append(d.addresses, ip)
	}
}

// errNoDroplet says that the server which answers is not the API.
var errNoDroplet = fault.Errorf(fault.Unknown,
	"the answer is not about a droplet: is api_url the origin of DigitalOcean's API?")

// explain classifies the error of a request. A malformed answer usually comes from an outage, like
// a 5xx: it may pass.
func (a *agent) explain(ctx context.Context, what string, err error) *digitalocean.Failure {
	f := a.client.Explain(ctx, what, err)
	if f != nil && errors.Is(err, errNoDroplet) {
		f.Again = ctx.Err() == nil
	}
	return f
}

// get asks the API once.
func (a *agent) get(ctx context.Context, c *fence.Call, id int) (droplet, error) {
	client, err := a.open(c).Godo()
	if err != nil {
		return droplet{}, err
	}
	d, _, err := client.Droplets.Get(ctx, id)
	if err != nil {
		return droplet{}, err
	}
	if d == nil || d.ID != id {
		return droplet{}, errNoDroplet
	}
	return read(*d), nil
}

// perPage keeps a page far below the 1 MiB that the client reads of an answer: a droplet takes
// about 6 KB, most of it the sizes that its region offers. maxPages ends a list that never ends by
// itself.
const (
	perPage  = 50
	maxPages = 200
)

// all lists the droplets with a name, with a tag, or all if both are empty.
func (a *agent) all(ctx context.Context, c *fence.Call, name, tag string) ([]droplet, error) {
	client, err := a.open(c).Godo()
	if err != nil {
		return nil, err
	}
	var all []droplet
	for page := 1; page <= maxPages; page++ {
		o := &godo.ListOptions{Page: page, PerPage: perPage}
		var some []godo.Droplet
		var response *godo.Response
		switch {
		case name != "":
			some, response, err = client.Droplets.ListByName(ctx, name, o)
		case tag != "":
			some, response, err = client.Droplets.ListByTag(ctx, tag, o)
		default:
			some, response, err = client.Droplets.List(ctx, o)
		}
		if err != nil {
			return nil, err
		}
		if some == nil && (response.Meta == nil || response.Meta.Total > 0) {
			return nil, errNoDroplet
		}
		for _, d := range some {
			all = append(all, read(d))
		}
		if response.Links == nil || response.Links.IsLastPage() {
			return all, nil
		}
	}
	return nil, fault.Errorf(fault.Unknown, "the list of droplets has more than %d pages", maxPages)
}

// lookUp is all, retried until the context ends.
func (a *agent) lookUp(ctx context.Context, c *fence.Call, what, name, tag string) ([]droplet,
	error) {
	for pace := a.pacing.Begin(); ; {
		all, err := a.all(ctx, c, name, tag)
		if err == nil {
			return all, nil
		}
		f := a.explain(ctx, what, err)
		c.Debugf("%v", f.Err)
		if err := pace.Pause(ctx, f); err != nil {
			return nil, err
		}
	}
}

// byTag is the prefix of a plug that is a tag.
const byTag = "tag:"

// find returns the droplet that the plug names. Nothing but exactly one will do.
func (a *agent) find(ctx context.Context, c *fence.Call) (droplet, error) {
	if a.found != nil {
		return *a.found, nil
	}
	what := fmt.Sprintf("find the droplet %q", c.Plug)
	id, err := strconv.Atoi(c.Plug)
	var d droplet
	switch {
	case err == nil && id > 0 && strconv.Itoa(id) == c.Plug:
		d, err = a.findID(ctx, c, what, id, false)
	case strings.HasPrefix(c.Plug, byTag) && len(c.Plug) > len(byTag):
		d, err = a.findOne(ctx, c, what, "", strings.TrimPrefix(c.Plug, byTag))
	case !validName(c.Plug):
		return d, fmt.Errorf("cannot %s: that is not a droplet's id, not a name (letters, "+
			"digits, dots, dashes), and not tag:NAME", what)
	default:
		d, err = a.findOne(ctx, c, what, c.Plug, "")
	}
	if err != nil {
		return droplet{}, err
	}
	if a.tag != "" && !d.tagged(a.tag) {
		return droplet{}, fault.Errorf(fault.NotFound,
			"cannot %s: %s does not have the tag %s, and only those that have it are considered",
			what, d, a.tag)
	}
	a.found = &d
	return d, nil
}

// findID is get, retried until the context ends; with events it also fetches what isOff needs to
// judge an "off".
func (a *agent) findID(ctx context.Context, c *fence.Call, what string, id int,
	events bool) (droplet, error) {
	for pace := a.pacing.Begin(); ; {
		d, err := a.get(ctx, c, id)
		if err == nil && events && a.doubtful(d) {
			err = a.seeEvent(ctx, c, &d)
		}
		if err == nil {
			return d, nil
		}
		f := a.explain(ctx, what, err)
		c.Debugf("%v", f.Err)
		if err := pace.Pause(ctx, f); err != nil {
			return droplet{}, err
		}
	}
}

func (a *agent) findOne(ctx context.Context, c *fence.Call, what, name, tag string) (droplet,
	error) {
	all, err := a.lookUp(ctx, c, what, name, tag)
	if err != nil {
		return droplet{}, err
	}
	// The server may have ignored the filter: then all droplets are in the list.
	match := slices.DeleteFunc(all, func(d droplet) bool {
		if name != "" {
			return d.name != name
		}
		return !d.tagged(tag)
	})
	if a.tag != "" && len(match) > 1 {
		match = slices.DeleteFunc(match, func(d droplet) bool { return !d.tagged(a.tag) })
	}
	switch len(match) {
	case 1:
		return match[0], nil
	case 0:
		return droplet{}, fault.Errorf(fault.NotFound,
			"cannot %s: this token sees no such droplet: check the name, or give the "+
				"droplet's id in pcmk_host_map; fence_droplet -o list shows all", what)
	}
	names := make([]string, len(match))
	for i, d := range match {
		names[i] = d.String()
	}
	return droplet{}, fmt.Errorf("cannot %s: %d match: %s: give the id in pcmk_host_map, "+
		"NODE:ID, or tell them apart with the parameter tag",
		what, len(match), strings.Join(names, ", "))
}

// validName reports whether a droplet can have the name: a-z, A-Z, 0-9, dots and dashes
// (DigitalOcean's API, create a droplet, name).
func validName(name string) bool {
	return len(name) <= 255 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' &&
			r != '-'
	})
}
