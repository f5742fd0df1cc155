package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

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
	floatipStart, floatipStop, floatipMonitor = "90s", "60s", "20s"
)

// objects is what the file asks for, in the cluster's terms. cur decides about fencing only.
func (c *config) objects(cur *crm.CIB) []crm.Object {
	all := []crm.Object{
		keepGeneration(cur, c.haproxy.primitive()),
		&crm.Clone{Name: cloneID, Resource: haproxyID, Meta: crm.Attrs{{Name: "interleave", Value: "true"}}},
	}
	for _, ip := range c.ips {
		all = append(all, ip.primitive())
	}
	for i, ip := range c.ips {
		all = append(all, &crm.Colocation{Name: constraintID(ip.name), Score: "INFINITY", Resource: ip.name, With: cloneID})
		// On a planned stop new connections go elsewhere before HAProxy closes its sockets to them. Only for the stop, and optional:
		// a HAProxy that takes long to start on one node must not keep the address from another. See docs/decisions/0015.
		all = append(all, &crm.Order{Name: leavesID(ip.name), Kind: "Optional", First: ip.name, FirstAction: "stop", Then: cloneID, ThenAction: "stop", Symmetrical: "false"})
		all = append(all, crm.Prefer(servedID(ip.name), ip.name, "hawser-"+haproxyID, serving)) // the agent sets it, and unsets it with its stop
		for _, other := range c.ips[:i] {
			all = append(all, &crm.Colocation{Name: apartID(other.name, ip.name), Score: apart, Resource: ip.name, With: other.name})
		}
	}
	if c.disablesFencing(cur) {
		all = append(all, &crm.Property{Section: crm.ClusterProperty, Name: "stonith-enabled", Value: "false"})
	}
	return all
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

func (h *haproxyConfig) primitive() *crm.Primitive {
	p := &crm.Primitive{Name: haproxyID, Class: "ocf", Provider: "hawser", Type: "haproxy"}
	set := func(name, value string) {
		if value != "" {
			p.Params.Set(name, value)
		}
	}
	set("conffile", h.config)
	set("binpath", h.binary)
	set("extraconf", h.extra)
	set("check_url", h.check.url)
	set("check_timeout", h.check.timeout)
	if h.minServersGiven {
		set("min_servers", strconv.Itoa(h.minServers))
	}
	set("stop_grace", h.stopGrace)
	set("anchor_ip", h.anchorIP)
	set("private_ip", h.privateIP)
	set("metadata_url", h.metadataURL)

	if h.check.url == "" {
		p.Ops = []crm.Op{operation("monitor", h.monitor, haproxyMonitor)}
	} else {
		every := h.check.every
		if every == "" {
			every = h.monitor
		}
		p.Ops = monitors(h.monitor, haproxyMonitor, every, atLeast(haproxyMonitor, h.check.timeout, checkReserve))
	}
	p.Ops = append(p.Ops,
		operation("start", "0s", haproxyStart),
		operation("stop", "0s", atLeast(haproxyStop, h.stopGrace, stopReserve)))
	p.Meta = crm.Attrs{{Name: "failure-timeout", Value: retryHAProxy}, {Name: "migration-threshold", Value: tries}}
	return p
}

func (ip *floatingIP) primitive() *crm.Primitive {
	p := &crm.Primitive{Name: ip.name, Class: "ocf", Provider: "hawser", Type: "floatip"}
	p.Params = crm.Attrs{{Name: "ip", Value: ip.ip.String()}, {Name: "provider", Value: ip.provider}}
	set := func(name, value string) {
		if value != "" {
			p.Params.Set(name, value)
		}
	}
	set("token_file", ip.tokenFile)
	set("nic", ip.nic)
	if ip.netmask != 0 {
		set("cidr_netmask", strconv.Itoa(ip.netmask))
	}
	set("api_url", ip.apiURL)
	set("metadata_url", ip.metadataURL)
	p.Ops = append(monitors(ip.monitor, floatipMonitor, holderCheck, floatipCheck),
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

// disablesFencing says whether `fencing: off` has to switch Pacemaker's fencing off. A fencing device that somebody configured and that
// is in use stays in use: the file accepts that there is none, it does not ask for less safety than there is.
func (c *config) disablesFencing(cur *crm.CIB) bool {
	return c.fencing == fencingOff && (!fencingEnabled(cur) || len(fencingDevices(cur)) == 0)
}

func fencingEnabled(cib *crm.CIB) bool {
	value, ok := cib.Property("stonith-enabled")
	if !ok {
		return true
	}
	switch strings.ToLower(value) { // crm_str_to_boolean() of Pacemaker
	case "false", "off", "no", "n", "0":
		return false
	}
	return true
}

// watchdog says whether Pacemaker takes the nodes' watchdogs (sbd without a disk) for a fencing device, and whether lost nodes are really
// left to them: unpack_config() of Pacemaker asks for the first before it starts anything, and for the second when it has to fence.
func watchdog(cib *crm.CIB) (there, used bool) {
	have, _ := cib.Property("have-watchdog")
	wait, _ := cib.Property("stonith-watchdog-timeout")
	there = strings.EqualFold(have, "true")
	return there, there && strings.Trim(wait, "0 smin") != ""
}

// startsNothing says whether Pacemaker starts nothing for want of fencing.
func startsNothing(cib *crm.CIB) bool {
	there, _ := watchdog(cib)
	return fencingEnabled(cib) && !there && len(fencingDevices(cib)) == 0
}

// fencingDevices lists what can fence a node: the ids of resources, and the watchdogs.
func fencingDevices(cib *crm.CIB) []string {
	var ids []string
	for _, o := range cib.Objects() {
		if p, ok := o.(*crm.Primitive); ok && p.Class == "stonith" {
			ids = append(ids, p.Name)
		}
	}
	if _, used := watchdog(cib); used {
		ids = append(ids, "watchdog")
	}
	return ids
}

// checkFencing refuses a plan after which Pacemaker would start nothing, or that lacks the fencing which the file demands. Otherwise it
// returns what an administrator should know about it.
func (c *config) checkFencing(p crm.Plan) (warning string, err error) {
	devices := fencingDevices(p.New)
	enabled := fencingEnabled(p.New)
	switch {
	case startsNothing(p.New):
		return "", usagef("%s: the cluster has no fencing: Pacemaker starts nothing while stonith-enabled is true and no stonith resource is configured. "+
			"Configure a fencing device (`crm configure primitive fence stonith:…`), or accept a cluster without one: write `fencing: off` into the file", c.file)
	case c.fencing == fencingOn && !enabled:
		return "", usagef("%s: the file says `fencing: on`, but the cluster's property stonith-enabled is false: "+
			"configure a fencing device and `hawser configure property stonith-enabled=true`", c.file)
	case enabled && len(devices) == 0:
		return "fencing is on and left to the nodes' watchdogs, but stonith-watchdog-timeout is not set: a lost node cannot be fenced, and what ran there starts nowhere else", nil
	case c.fencing == fencingOff && enabled:
		return fmt.Sprintf("the file says `fencing: off`, but the cluster has the fencing device %s: it stays in use", strings.Join(devices, ", ")), nil
	case !enabled && c.hasLAN():
		return "without fencing a node that hangs or is cut off may go on holding a lan address while another node takes it: both then answer", nil
	case !enabled:
		return "without fencing nobody makes sure that a lost node is down; the provider keeps each floating IP at one node at a time all the same", nil
	}
	return "", nil
}

func (c *config) hasLAN() bool {
	for _, ip := range c.ips {
		if ip.provider == lan {
			return true
		}
	}
	return false
}
