package cloud

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Machines are what a cloud's droplets run on, if they are more than entries in this package. A
// droplet always shows the state of its machine, so that the two cannot drift apart, whoever
// switches it. An order is a no-op on a machine that is already in that state.
type Machines interface {
	// Running is whether the droplet's machine has power.
	Running(droplet int) bool
	// Cut cuts its power.
	Cut(droplet int) error
	// Boot gives it power.
	Boot(droplet int) error
	// Shutdown ends it in order.
	Shutdown(droplet int) error
}

// OnMachines makes the droplets run on machines. Those must not call the Cloud.
func (c *Cloud) OnMachines(m Machines) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.machines = m
}

// SetPower switches a droplet at once, behind everybody's back. It is for a cloud without Machines.
func (c *Cloud) SetPower(droplet int, on bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, known := c.droplets[droplet]
	switch {
	case !known:
		return fmt.Errorf("cloud: switch droplet %d: there is none", droplet)
	case c.machines != nil:
		return fmt.Errorf("cloud: switch droplet %d: it runs on a machine; switch that", droplet)
	}
	d.Off = !on
	c.droplets[droplet] = d
	return nil
}

// RemoveDroplet destroys the droplet.
func (c *Cloud) RemoveDroplet(droplet int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.droplets, droplet)
}

// running is whether the droplet has power. The caller holds mu.
func (c *Cloud) running(d Droplet) bool {
	if c.machines != nil {
		return c.machines.Running(d.ID)
	}
	return !d.Off
}

// dropletLocked says whether the cloud has locked the droplet. A droplet with an action in progress
// refuses others, and is not shown as locked (digitalocean/droplet_kit#218). The caller holds mu.
func (c *Cloud) dropletLocked(d Droplet) bool { return d.Locked || c.faulty(Locked, "") != nil }

// switches lists the actions on a droplet's power: their steps, and whether the droplet has to be
// on.
var switches = map[string]struct {
	on    bool
	steps []string
}{
	"power_off":   {true, []string{"cut"}},
	"power_on":    {false, []string{"boot"}},
	"power_cycle": {true, []string{"cut", "boot"}},
	"shutdown":    {true, []string{"shutdown"}},
	"reboot":      {true, []string{"shutdown", "boot"}},
}

// postDropletAction is POST /v2/droplets/{id}/actions with {"type":"power_off"}.
func postDropletAction(c *Cloud, _ caller, r *http.Request) (int, any, error) {
	var want struct {
		Type string `json:"type"`
	}
	if err := parseBody(r, &want); err != nil {
		return 0, nil, err
	}
	_, pendingFault := c.take(PendingEvent, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err := strconv.Atoi(r.PathValue("id"))
	d, known := c.droplets[id]
	if err != nil || !known {
		return 0, nil, notFound()
	}
	s, known := switches[want.Type]
	switch {
	case !known:
		return 0, nil, unprocessable("%q is not a valid action for a Droplet.", want.Type)
	case pendingFault || c.busy[id] != 0 || c.dropletLocked(d):
		return 0, nil, unprocessable("Droplet already has a pending event.")
	case s.on && !c.running(d):
		return 0, nil, unprocessable("Droplet is already powered off.")
	case !s.on && c.running(d):
		return 0, nil, unprocessable("Droplet is already powered on.")
	}
	c.nextAction++
	a := &action{
		id: c.nextAction, droplet: id, verb: want.Type, region: d.Region, status: inProgress,
		started: c.opts.Now(),
	}
	c.actions[a.id] = a
	c.busy[id] = a.id
	go c.switchDroplet(a, s.steps, c.actionTime, r.Method+" "+r.URL.Path)
	return http.StatusCreated, map[string]any{"action": a.shown()}, nil
}

// switchDroplet runs an action on a droplet to its end.
func (c *Cloud) switchDroplet(a *action, steps []string, takes time.Duration, request string) {
	time.Sleep(takes)
	c.wait(context.Background(), ActionStuck, request)
	c.mu.Lock()
	fails, idle := c.use(ActionError, request) != nil, c.use(ActionIdle, request) != nil
	machines := c.machines
	c.mu.Unlock()
	for _, step := range steps {
		if fails || idle {
			break
		}
		fails = c.step(machines, a.droplet, step) != nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a.status, a.stopped = completed, c.opts.Now()
	if fails {
		a.status = errored
	}
	delete(c.busy, a.droplet)
}

func (c *Cloud) step(machines Machines, droplet int, step string) error {
	switch {
	case machines == nil:
		return c.SetPower(droplet, step == "boot")
	case step == "boot":
		return machines.Boot(droplet)
	case step == "cut":
		return machines.Cut(droplet)
	}
	return machines.Shutdown(droplet)
}

func getDropletAction(c *Cloud, who caller, r *http.Request) (int, any, error) {
	c.mu.Lock()
	id, _ := strconv.Atoi(r.PathValue("id")) // 0, which no action has, if it is not a number
	a := c.actions[id]
	known := a != nil && a.droplet != 0 && strconv.Itoa(a.droplet) == r.PathValue("droplet")
	c.mu.Unlock()
	if !known {
		return 0, nil, notFound()
	}
	return getAction(c, who, r)
}

func listDropletActions(c *Cloud, _ caller, r *http.Request) (int, any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err := strconv.Atoi(r.PathValue("id"))
	if _, known := c.droplets[id]; err != nil || !known {
		return 0, nil, notFound()
	}
	var all []*action
	for _, a := range c.actions {
		if a.droplet == id {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *action) int { return b.id - a.id })
	some, links, meta := page(r, all)
	shown := []any{}
	for _, a := range some {
		shown = append(shown, a.shown())
	}
	return http.StatusOK, map[string]any{"actions": shown, "links": links, "meta": meta}, nil
}
