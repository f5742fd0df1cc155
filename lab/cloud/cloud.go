// Package cloud is a DigitalOcean that runs in memory: the part of its v2 API that moves reserved
// (once called floating) addresses and switches droplets, and the metadata service that each
// droplet asks about itself. Both are plain http.Handlers over one state, so a test can run them in
// its own process, and the laboratory can put them behind the addresses at which a droplet expects
// them.
//
// It treats its clients as the real service does: actions take time, a second action meets "already
// has a pending event", tokens lack scopes, requests run into rate limits. What the real one does
// only now and then is a Fault.
//
// It imports nothing of ours. Open cloud.go first.
package cloud

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Scopes of a token, in DigitalOcean's words. A token with AllScopes may do everything.
const (
	AllScopes          = "*"
	ScopeDropletRead   = "droplet:read"
	ScopeDropletUpdate = "droplet:update"
	ScopeIPRead        = "reserved_ip:read"
	ScopeIPUpdate      = "reserved_ip:update"
	ScopeActionRead    = "actions:read"
)

// Options of a Cloud. The zero value is a cloud that serves any token, completes actions after a
// second and has DigitalOcean's own rate limits.
type Options struct {
	// Region is the default data centre of droplets and addresses; "nyc3" if empty.
	Region string
	// ActionTime is how long an assignment is in progress; one second if zero, nothing at all if
	// negative. The real one takes about eleven.
	ActionTime time.Duration
	// Tokens are the bearer tokens that the API knows, with their scopes. Empty: every token may do
	// everything, but there has to be one.
	Tokens map[string][]string
	// Hourly and PerMinute limit the requests of one token in a sliding hour and minute; 5000 and
	// 250 if zero, no limit if negative.
	Hourly, PerMinute int
	// Now is the clock of the rate limits and time stamps; time.Now if nil. Actions run in real
	// time.
	Now func() time.Time
}

// Droplet is a server of the cloud. Only ID is required.
type Droplet struct {
	ID     int    // DigitalOcean's number of the droplet
	Name   string // its hostname
	Region string // the cloud's own region if empty

	Public        netip.Prefix // first public interface: address and prefix length
	PublicGateway netip.Addr
	Public6       netip.Prefix
	Gateway6      netip.Addr
	Anchor        netip.Prefix // the address behind which a reserved IPv4 address arrives
	AnchorGateway netip.Addr
	Private       netip.Prefix // first private interface

	Tags []string
	// Off is whether the power is off. With Machines, a droplet shows the state of its machine.
	Off bool
	// Locked refuses every action, as the cloud does for a droplet that it has locked itself.
	Locked bool
}

// ReservedIP is a reserved address, IPv4 or IPv6, and the droplet that holds it.
type ReservedIP struct {
	IP     netip.Addr
	Region string // the cloud's own region if empty
	// Droplet is the holder's id, 0 if nobody holds the address.
	Droplet int
	// Locked refuses every action, as the cloud does while it works on an address itself.
	Locked bool
}

// Cloud is the state behind the handlers. All its methods may be called concurrently.
type Cloud struct {
	opts Options

	mu         sync.Mutex
	actionTime time.Duration
	droplets   map[int]Droplet
	ips        map[netip.Addr]*reserved
	actions    map[int]*action
	nextAction int
	faults     []*Fault
	changed    chan struct{} // closed and replaced whenever the faults change
	history    map[string][]time.Time
	requests   int
	onMove     func(ip netip.Addr, from, to int)
	moves      sync.Mutex // keeps the calls of onMove in the order of the moves
	machines   Machines
	busy       map[int]int // the action in progress of a droplet
}

type reserved struct {
	ReservedIP
	pending int // id of the action in progress, or 0
}

// New makes an empty cloud.
func New(o Options) *Cloud {
	o.Region = cmp.Or(o.Region, "nyc3")
	o.ActionTime = cmp.Or(o.ActionTime, time.Second)
	o.Hourly = cmp.Or(o.Hourly, 5000)
	o.PerMinute = cmp.Or(o.PerMinute, 250)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Cloud{
		opts: o, actionTime: o.ActionTime,
		busy: map[int]int{}, droplets: map[int]Droplet{}, ips: map[netip.Addr]*reserved{},
		actions:    map[int]*action{},
		nextAction: 68212728, changed: make(chan struct{}), history: map[string][]time.Time{},
	}
}

// AddDroplet adds the droplet, or replaces the one of the same id.
func (c *Cloud) AddDroplet(d Droplet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d.Region = cmp.Or(d.Region, c.opts.Region)
	d.Name = cmp.Or(d.Name, fmt.Sprintf("droplet-%d", d.ID))
	c.droplets[d.ID] = d
}

// AddReservedIP adds the address, or replaces it and everything pending for it. The data path is
// notified as for any move.
func (c *Cloud) AddReservedIP(r ReservedIP) {
	r.Region = cmp.Or(r.Region, c.opts.Region)
	c.moves.Lock()
	defer c.moves.Unlock()
	c.mu.Lock()
	from := 0
	if old := c.ips[r.IP]; old != nil {
		from = old.Droplet
	}
	c.ips[r.IP] = &reserved{ReservedIP: r}
	told := c.onMove
	c.mu.Unlock()
	if told != nil && from != r.Droplet {
		told(r.IP, from, r.Droplet)
	}
}

// OnMove names the function that carries out a move in the data path. It is called each time an
// address changes its holder, one move at a time, before the action reads as completed; 0 stands
// for no droplet. It must not call the Cloud.
func (c *Cloud) OnMove(f func(ip netip.Addr, from, to int)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onMove = f
}

// SetActionTime changes how long the actions that begin from now on are in progress.
func (c *Cloud) SetActionTime(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.actionTime = d
}

// Holder returns the id of the droplet that holds the address, 0 if none does or the address is
// unknown.
func (c *Cloud) Holder(ip netip.Addr) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.ips[ip]; r != nil {
		return r.Droplet
	}
	return 0
}

// Move gives the address to the droplet (0: to nobody) at once, as an operator does in the control
// panel.
func (c *Cloud) Move(ip netip.Addr, to int) error {
	c.mu.Lock()
	r := c.ips[ip]
	_, known := c.droplets[to]
	c.mu.Unlock()
	if r == nil {
		return fmt.Errorf("cloud: move %s: no such reserved address", ip)
	}
	if to != 0 && !known {
		return fmt.Errorf("cloud: move %s: no droplet %d", ip, to)
	}
	c.move(ip, to)
	return nil
}

// State is what the cloud holds, for people and tests.
type State struct {
	Droplets   []Droplet
	Reserved   []ReservedIP
	Faults     []Fault
	ActionTime time.Duration
	// Requests counts the API requests so far, including refused ones; metadata requests are not
	// counted.
	Requests int
}

// State returns a copy of the state, sorted.
func (c *Cloud) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := State{ActionTime: c.actionTime, Requests: c.requests}
	for _, d := range c.droplets {
		d.Off, d.Locked = !c.running(d), c.dropletLocked(d)
		s.Droplets = append(s.Droplets, d)
	}
	slices.SortFunc(s.Droplets, func(a, b Droplet) int { return cmp.Compare(a.ID, b.ID) })
	for _, r := range c.ips {
		shown := r.ReservedIP
		shown.Locked = c.locked(r)
		s.Reserved = append(s.Reserved, shown)
	}
	slices.SortFunc(s.Reserved, func(a, b ReservedIP) int { return a.IP.Compare(b.IP) })
	for _, f := range c.faults {
		s.Faults = append(s.Faults, *f)
	}
	return s
}

// Requests returns how many API requests have come in.
func (c *Cloud) Requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// move changes the holder and notifies the data path, with the moves in the same order for both.
func (c *Cloud) move(ip netip.Addr, to int) {
	c.moves.Lock()
	defer c.moves.Unlock()
	c.mu.Lock()
	r, told := c.ips[ip], c.onMove
	if r == nil || r.Droplet == to {
		c.mu.Unlock()
		return
	}
	from := r.Droplet
	r.Droplet = to
	c.mu.Unlock()
	if told != nil {
		told(ip, from, to)
	}
}

// locked says whether the address refuses actions. The caller holds mu.
func (c *Cloud) locked(r *reserved) bool {
	return r.Locked || r.pending != 0 || c.faulty(Locked, "") != nil
}

func requestID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program rather than return an error
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
