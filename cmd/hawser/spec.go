package main

import (
	"strconv"
	"time"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/ocf"
)

// The names in the cluster's configuration, those of the tutorial.
const (
	haproxyID = "haproxy"
	cloneID   = "haproxy-clone"
	tagID     = "hawser"        // names what hawser made
	beforeID  = "hawser-before" // keeps what hawser replaced
)

func constraintID(ip string) string { return ip + "-haproxy" }

// leavesID is the id of the order in which an address leaves a node before HAProxy does.
func leavesID(ip string) string { return ip + "-leaves-first" }

// servedID is the id of the constraint by which an address prefers nodes whose HAProxy serves.
func servedID(ip string) string { return ip + "-where-served" }

func apartID(a, b string) string { return a + "-apart-" + b }

const (
	// stickiness keeps an address where it is when a lost node comes back.
	stickiness = "100"
	// apart outweighs stickiness: two addresses share a node only while there are fewer nodes than addresses.
	apart = "-1000"
	// serving is what a node is worth to an address for its HAProxy being up: less than stickiness, so that it moves nothing. Without
	// it Pacemaker takes the node with the fewest resources, and that is the one whose HAProxy is not running yet.
	serving = "10"
	// retryAddress and retryHAProxy make Pacemaker forget a failure, which by default keeps a resource off the node until an
	// administrator says otherwise: an API outage of some minutes would leave an address nowhere for good. A HAProxy that failed
	// on every node, as when all servers are away for a moment and min_servers counts them, serves nobody for that long.
	retryAddress, retryHAProxy = "60s", "10s"
	// tries is after how many failures HAProxy leaves the node, and the address with it. A crash is healed where it happens, by the
	// agent's keeper; what comes to Pacemaker is what that did not heal, and another node's HAProxy serves already.
	tries = "1"
	// stopReserve is what stopping takes beyond the time that open connections are given.
	stopReserve = 15 * time.Second
	// holderCheck is how often the provider is asked who holds an address; it shows an expired token before a failover needs it.
	holderCheck, floatipCheck = "5min", "30s"
	// checkReserve is what the monitor takes beyond the time that the check through the balancer is given.
	checkReserve = 15 * time.Second
)

// Time-outs of the operations, those that the agents advertise: Pacemaker's own default is 20 s for each.
const (
	haproxyStart, haproxyStop, haproxyMonitor = "30s", "30s", "20s"
	// haproxyReload has to be written too: of a large configuration the check and the reload read each file, and Pacemaker's default
	// ends them after 20 s whatever the agent advertises.
	haproxyReload                             = "60s"
	floatipStart, floatipStop, floatipMonitor = "90s", "60s", "20s"
)

// clusterObjects is what the file asks for, in the cluster's terms. cur decides about fencing, and keeps what reloads have written.
func clusterObjects(c *config.File, cur *crm.CIB) []crm.Object {
	all := []crm.Object{
		keepGeneration(cur, primitiveOfHAProxy(&c.HAProxy)),
		&crm.Clone{Name: cloneID, Resource: haproxyID, Meta: crm.Attrs{{Name: "interleave", Value: "true"}}},
	}
	matters := priorities(c, cur)
	for i, ip := range c.Addresses {
		p := primitiveOfAddress(&ip)
		if matters != nil {
			p.Meta = append(p.Meta, crm.Attr{Name: "priority", Value: matters[i]})
		}
		all = append(all, p)
	}
	for i, ip := range c.Addresses {
		all = append(all, &crm.Colocation{Name: constraintID(ip.Name), Score: "INFINITY", Resource: ip.Name, With: cloneID})
		// On a planned stop new connections go elsewhere before HAProxy closes its sockets to them. Only for the stop, and optional:
		// a HAProxy that takes long to start on one node must not keep the address from another. See docs/decisions/0015.
		all = append(all, &crm.Order{Name: leavesID(ip.Name), Kind: "Optional", First: ip.Name, FirstAction: "stop", Then: cloneID, ThenAction: "stop", Symmetrical: "false"})
		all = append(all, crm.Prefer(servedID(ip.Name), ip.Name, "hawser-"+haproxyID, serving)) // the agent sets it, and unsets it with its stop
		for _, other := range c.Addresses[:i] {
			all = append(all, &crm.Colocation{Name: apartID(other.Name, ip.Name), Score: apart, Resource: ip.Name, With: other.Name})
		}
	}
	return append(all, fencingObjects(c, cur)...)
}

// keepGeneration leaves what reloads and pushes have written as it is: it is not the file's.
func keepGeneration(cur *crm.CIB, p *crm.Primitive) *crm.Primitive {
	if o, ok := cur.Object(p.Name); ok {
		if now, ok := o.(*crm.Primitive); ok {
			for _, name := range []string{generationParam, pushParam} {
				if word, ok := now.Params.Get(name); ok {
					p.Params.Set(name, word)
				}
			}
		}
	}
	return p
}

func primitiveOfHAProxy(h *config.HAProxy) *crm.Primitive {
	p := &crm.Primitive{Name: haproxyID, Class: "ocf", Provider: "hawser", Type: "haproxy"}
	set := func(name, value string) {
		if value != "" {
			p.Params.Set(name, value)
		}
	}
	set("conffile", h.Config)
	set("binpath", h.Binary)
	set("extraconf", h.Extra)
	set("check_url", h.Check.URL)
	set("check_timeout", h.Check.Timeout)
	if h.MinServersGiven {
		set("min_servers", strconv.Itoa(h.MinServers))
	}
	set("stop_grace", h.StopGrace)
	set("keeper", h.Keeper)
	if h.MaxCrashes != 0 {
		set("max_crashes", strconv.Itoa(h.MaxCrashes))
	}
	set("crash_window", h.CrashWindow)
	set("unit", h.Unit)
	set("anchor_ip", h.AnchorIP)
	set("private_ip", h.PrivateIP)
	set("metadata_url", h.MetadataURL)

	if h.Check.URL == "" {
		p.Ops = []crm.Op{operation("monitor", h.Monitor, haproxyMonitor)}
	} else {
		every := h.Check.Every
		if every == "" {
			every = h.Monitor
		}
		p.Ops = monitors(h.Monitor, haproxyMonitor, every, atLeast(haproxyMonitor, h.Check.Timeout, checkReserve))
	}
	p.Ops = append(p.Ops,
		operation("start", "0s", haproxyStart),
		operation("stop", "0s", atLeast(haproxyStop, h.StopGrace, stopReserve)),
		operation("reload-agent", "0s", haproxyReload))
	p.Meta = crm.Attrs{{Name: "failure-timeout", Value: retryHAProxy}, {Name: "migration-threshold", Value: tries}}
	return p
}

func primitiveOfAddress(ip *config.Address) *crm.Primitive {
	p := &crm.Primitive{Name: ip.Name, Class: "ocf", Provider: "hawser", Type: "floatip"}
	p.Params = crm.Attrs{{Name: "ip", Value: ip.IP.String()}, {Name: "provider", Value: ip.Provider}}
	set := func(name, value string) {
		if value != "" {
			p.Params.Set(name, value)
		}
	}
	set("token_file", ip.TokenFile)
	set("nic", ip.NIC)
	if ip.Netmask != 0 {
		set("cidr_netmask", strconv.Itoa(ip.Netmask))
	}
	set("api_url", ip.APIURL)
	set("metadata_url", ip.MetadataURL)
	p.Ops = append(monitors(ip.Monitor, floatipMonitor, holderCheck, floatipCheck),
		operation("start", "0s", floatipStart),
		operation("stop", "0s", floatipStop))
	p.Meta = crm.Attrs{{Name: "resource-stickiness", Value: stickiness}, {Name: "failure-timeout", Value: retryAddress}}
	return p
}

// monitors are a monitor and one that looks deeper. If both are due at the same interval, only the deeper one is needed; Pacemaker could not
// tell them apart either.
func monitors(interval, timeout, deepInterval, deepTimeout string) []crm.Op {
	deep := operation("monitor", deepInterval, deepTimeout)
	deep.Params = crm.Attrs{{Name: "OCF_CHECK_LEVEL", Value: "10"}}
	if sameLength(interval, deepInterval) {
		deep.Interval = interval
		return []crm.Op{deep}
	}
	return []crm.Op{operation("monitor", interval, timeout), deep}
}

func operation(name, interval, timeout string) crm.Op {
	return crm.Op{Name: name, Interval: interval, Attrs: crm.Attrs{{Name: "timeout", Value: timeout}}}
}

// atLeast is the time-out, or what the operation is given plus the reserve where that is longer.
func atLeast(timeout, given string, reserve time.Duration) string {
	short, err := ocf.ParseDuration(timeout)
	long, givenErr := ocf.ParseDuration(given)
	if err != nil || givenErr != nil || long+reserve <= short {
		return timeout
	}
	return ocf.FormatDuration(long + reserve)
}

func sameLength(a, b string) bool {
	x, errX := ocf.ParseDuration(a)
	y, errY := ocf.ParseDuration(b)
	return errX == nil && errY == nil && x == y
}
