package fencedroplet

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/digitalocean/godo"

	"github.com/hawser-ha/hawser/fence"
)

// Since 2019 the API's field locked says nothing about a droplet's events: it is for DigitalOcean's
// own locks (digitalocean/droplet_kit#218). Whether a droplet that reads "off" is being switched on
// can be read from the list of its actions, newest first.

const (
	// settled is how long after an event the API may still show the droplet's previous state: "a
	// few seconds" (digitalocean/droplet_kit#50).
	settled = 15 * time.Second
	// forgotten is the age after which an event in progress counts as one that the API has lost
	// track of, as it does now and then.
	forgotten = time.Hour
)

// cutting lists the actions that do not give a droplet power.
var cutting = []string{"power_off", "shutdown"}

// seeEvent finds the droplet's latest event. A token that may not see events must not prevent
// fencing: then the droplet's state alone counts, unless the droplet is locked.
func (a *agent) seeEvent(ctx context.Context, c *fence.Call, d *droplet) error {
	client, err := a.open(c).Godo()
	if err != nil {
		return err
	}
	actions, response, err := client.Droplets.Actions(ctx, d.id, &godo.ListOptions{PerPage: 20})
	var answer *godo.ErrorResponse
	switch {
	case errors.As(err, &answer) && (answer.Response.StatusCode == http.StatusForbidden ||
		answer.Response.StatusCode == http.StatusNotFound):
		if !a.blind {
			a.blind = true
			c.Warnf("which events of %s are under way cannot be seen, so its state alone counts: "+
				"%v", d, a.client.Redact(err.Error()))
		}
		return nil
	case err != nil:
		return err
	case actions == nil && response.Meta == nil:
		return errNoDroplet
	}
	now := time.Now()
	if at, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		now = at // the API's clock, as in its time stamps; this node's may be wrong
	}
	d.busy, d.rising = latest(actions, now)
	return nil
}

// latest returns the latest event as busy if it is under way, and as rising if it may have given
// the droplet power that its state does not show.
func latest(actions []godo.Action, now time.Time) (busy, rising string) {
	actions = slices.DeleteFunc(slices.Clone(actions), func(e godo.Action) bool {
		return e.ResourceType != "" && e.ResourceType != "droplet"
	})
	if len(actions) == 0 {
		return "", ""
	}
	e := slices.MaxFunc(actions, func(x, y godo.Action) int { return x.ID - y.ID })
	since := func(t *godo.Timestamp) time.Duration {
		if t == nil || t.IsZero() {
			return 0
		}
		return now.Sub(t.Time)
	}
	underWay := e.Status == godo.ActionInProgress && since(e.StartedAt) < forgotten
	if underWay {
		busy = e.Type
	}
	if !slices.Contains(cutting, e.Type) && (underWay || e.Status != godo.ActionInProgress &&
		since(e.CompletedAt) < settled) {
		rising = e.Type
	}
	return busy, rising
}
