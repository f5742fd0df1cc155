package cloud

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// The states of an action.
const (
	inProgress = "in-progress"
	completed  = "completed"
	errored    = "errored"
)

// action is a change of an address's holder or of a droplet's power, under way or over.
type action struct {
	id               int
	droplet          int // 0 for an action on an address
	ip               netip.Addr
	family           family
	verb             string // assign_ip, unassign_ip, power_off …
	region           string
	status           string
	started, stopped time.Time
}

func (a *action) shown() map[string]any {
	var stopped any
	if !a.stopped.IsZero() {
		stopped = a.stopped.UTC().Format(time.RFC3339)
	}
	shown := map[string]any{
		"id": a.id, "status": a.status, "type": a.verb,
		"started_at": a.started.UTC().Format(time.RFC3339), "completed_at": stopped,
		"region": region(a.region), "region_slug": a.region,
	}
	if a.droplet != 0 {
		shown["resource_id"], shown["resource_type"] = a.droplet, "droplet"
	} else {
		b := a.ip.AsSlice()
		shown["resource_id"], shown["resource_type"] = binary.BigEndian.Uint32(b[len(b)-4:]), a.family.kind
	}
	return shown
}

// parseBody reads a request's JSON. The error is what the API answers to something else.
func parseBody(r *http.Request, into any) error {
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<16)).Decode(into); err != nil {
		return &problem{
			status: http.StatusBadRequest, ID: "bad_request",
			Message: "Unable to parse the request body: " + err.Error(),
		}
	}
	return nil
}

// postIPAction is POST …/{ip}/actions with {"type":"assign","droplet_id":N} or {"type":"unassign"}.
func postIPAction(c *Cloud, _ caller, r *http.Request) (int, any, error) {
	f := familyOf(r)
	var want struct {
		Type    string `json:"type"`
		Droplet int    `json:"droplet_id"`
	}
	if err := parseBody(r, &want); err != nil {
		return 0, nil, err
	}
	_, pendingFault := c.take(PendingEvent, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	ip, err := f.find(c, r)
	if err != nil {
		return 0, nil, err
	}
	if pendingFault || ip.pending != 0 {
		return 0, nil, unprocessable("The %s already has a pending event.", f.words())
	}
	if c.locked(ip) {
		return 0, nil, unprocessable("The %s is locked.", f.words())
	}
	if err := c.admissible(f, ip, want.Type, want.Droplet); err != nil {
		return 0, nil, err
	}
	c.nextAction++
	a := &action{
		id: c.nextAction, ip: ip.IP, family: f, verb: want.Type + "_ip", region: ip.Region,
		status: inProgress, started: c.opts.Now(),
	}
	c.actions[a.id] = a
	ip.pending = a.id
	go c.carryOut(a, ip, want.Droplet, c.actionTime, r.Method+" "+r.URL.Path)
	return http.StatusCreated, map[string]any{"action": a.shown(), "links": map[string]any{}}, nil
}

func (f family) words() string {
	switch {
	case f.is6:
		return "reserved IPv6"
	case f.kind == "floating_ip":
		return "floating IP"
	}
	return "reserved IP"
}

// admissible refuses what the cloud refuses. The caller holds mu.
func (c *Cloud) admissible(f family, ip *reserved, verb string, droplet int) error {
	switch verb {
	case "unassign":
		if ip.Droplet == 0 {
			return unprocessable("The %s is not assigned to a Droplet.", f.words())
		}
		return nil
	case "assign":
	default:
		return unprocessable("%q is not a valid action for a %s.", verb, f.words())
	}
	d, known := c.droplets[droplet]
	if !known {
		return notFound()
	}
	if d.Region != ip.Region {
		return unprocessable("The %s and the Droplet must be in the same region.", f.words())
	}
	for _, other := range c.ips {
		if other != ip && other.Droplet == droplet && other.IP.Is6() == f.is6 {
			return unprocessable("The Droplet already has a %s assigned to it.", f.words())
		}
	}
	return nil
}

// carryOut runs an action to its end. to is 0 if the address is to be unassigned.
func (c *Cloud) carryOut(a *action, ip *reserved, to int, takes time.Duration, request string) {
	time.Sleep(takes)
	c.wait(context.Background(), ActionStuck, request)
	c.mu.Lock()
	fails := c.use(ActionError, request)
	current := c.ips[a.ip] == ip // false when AddReservedIP has replaced the address meanwhile
	c.mu.Unlock()
	if fails == nil && current {
		c.move(a.ip, to)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a.status, a.stopped = completed, c.opts.Now()
	if fails != nil {
		a.status = errored
	}
	ip.pending = 0
}

// use returns the fault of this kind that the action meets, and counts it as used once more. The
// caller holds mu.
func (c *Cloud) use(k Kind, request string) *Fault {
	f := c.faulty(k, request)
	if f != nil && f.Count > 0 {
		if f.Count--; f.Count == 0 {
			c.faults = slices.DeleteFunc(c.faults, func(g *Fault) bool { return g == f })
		}
	}
	return f
}

func getAction(c *Cloud, _ caller, r *http.Request) (int, any, error) {
	if f, ok := c.take(ActionPoll, r); ok {
		if f.Status == 0 {
			f.Status = http.StatusNotFound
		}
		return 0, nil, statusProblem(f.Status)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || c.actions[id] == nil {
		return 0, nil, notFound()
	}
	return http.StatusOK, map[string]any{
		"action": c.actions[id].shown(), "links": map[string]any{},
	}, nil
}

func getIPAction(c *Cloud, who caller, r *http.Request) (int, any, error) {
	f := familyOf(r)
	c.mu.Lock()
	ip, err := f.find(c, r)
	id, _ := strconv.Atoi(r.PathValue("id")) // 0, which no action has, if it is not a number
	a := c.actions[id]
	known := err == nil && a != nil && a.ip == ip.IP
	c.mu.Unlock()
	if f.is6 || !known { // the API has no such path for IPv6
		return 0, nil, notFound()
	}
	return getAction(c, who, r)
}

func listIPActions(c *Cloud, _ caller, r *http.Request) (int, any, error) {
	f := familyOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	ip, err := f.find(c, r)
	if err != nil || f.is6 {
		return 0, nil, notFound()
	}
	var all []*action
	for _, a := range c.actions {
		if a.ip == ip.IP {
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
