package main

import (
	"strconv"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/param"
)

// The names in the cluster's configuration, those of the tutorial.
const (
	haproxyID = contract.HAProxyID
	cloneID   = contract.CloneID
	tagID     = contract.TagID
	beforeID  = contract.BeforeID
)

func constraintID(ip string) string { return contract.ColocationID(ip) }

func apartID(a, b string) string { return contract.ApartID(a, b) }

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
	holderCheck = "5min"
	// checkReserve is what the monitor takes beyond the time that the check through the balancer is given.
	checkReserve = 15 * time.Second
)

// objects is what the file asks for, in the cluster's terms. cur decides about fencing, and keeps what reloads have written.
func (c *config) objects(cur *crm.CIB) []crm.Object {
	all := []crm.Object{
		keepGeneration(cur, c.haproxy.primitive()),
		&crm.Clone{Name: cloneID, Resource: haproxyID, Meta: crm.Attrs{{Name: "interleave", Value: "true"}}},
	}
	matters := c.priorities(cur)
	for i, ip := range c.ips {
		p := ip.primitive()
		if matters != nil {
			p.Meta = append(p.Meta, crm.Attr{Name: "priority", Value: matters[i]})
		}
		all = append(all, p)
	}
	for i, ip := range c.ips {
		all = append(all, &crm.Colocation{Name: constraintID(ip.name), Score: contract.Infinity, Resource: ip.name, With: cloneID})
		// On a planned stop new connections go elsewhere before HAProxy closes its sockets to them. Only for the stop, and optional:
		// a HAProxy that takes long to start on one node must not keep the address from another. See docs/decisions/0015.
		all = append(all, &crm.Order{Name: contract.LeavesFirstID(ip.name), Kind: "Optional", First: ip.name, FirstAction: "stop", Then: cloneID, ThenAction: "stop", Symmetrical: "false"})
		all = append(all, crm.Prefer(contract.WhereServedID(ip.name), ip.name, contract.ServersAttribute(contract.ResourceOf(haproxyID)), serving)) // the agent sets it, and unsets it with its stop
		for _, other := range c.ips[:i] {
			all = append(all, &crm.Colocation{Name: apartID(other.name, ip.name), Score: apart, Resource: ip.name, With: other.name})
		}
	}
	return append(all, c.fencingObjects(cur)...)
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
	p := &crm.Primitive{Name: haproxyID, Class: "ocf", Provider: contract.Provider, Type: contract.HAProxyType}
	set := func(name, value string) {
		if value != "" {
			p.Params.Set(name, value)
		}
	}
	set(contract.ParamConffile, h.config)
	set(contract.ParamBinpath, h.binary)
	set(contract.ParamExtraconf, h.extra)
	set(contract.ParamCheckURL, h.check.url)
	set(contract.ParamCheckTimeout, h.check.timeout)
	if h.minServersGiven {
		set(contract.ParamMinServers, strconv.Itoa(h.minServers))
	}
	set(contract.ParamStopGrace, h.stopGrace)
	set(contract.ParamKeeper, h.keeper)
	if h.maxCrashes != 0 {
		set(contract.ParamMaxCrashes, strconv.Itoa(h.maxCrashes))
	}
	set(contract.ParamCrashWindow, h.crashWindow)
	set(contract.ParamUnit, h.unit)
	set(contract.ParamAnchorIP, h.anchorIP)
	set(contract.ParamPrivateIP, h.privateIP)
	set(contract.ParamMetadataURL, h.metadataURL)

	if h.check.url == "" {
		p.Ops = []crm.Op{operation("monitor", h.monitor, param.FormatDuration(contract.HAProxyMonitorTimeout))}
	} else {
		every := h.check.every
		if every == "" {
			every = h.monitor
		}
		p.Ops = monitors(h.monitor, param.FormatDuration(contract.HAProxyMonitorTimeout), every, atLeast(contract.HAProxyMonitorTimeout, h.check.timeout, checkReserve))
	}
	p.Ops = append(p.Ops,
		operation("start", "0s", param.FormatDuration(contract.HAProxyStartTimeout)),
		operation("stop", "0s", atLeast(contract.HAProxyStopTimeout, h.stopGrace, stopReserve)),
		operation("reload-agent", "0s", param.FormatDuration(contract.HAProxyReloadTimeout)))
	p.Meta = crm.Attrs{{Name: "failure-timeout", Value: retryHAProxy}, {Name: "migration-threshold", Value: tries}}
	return p
}

func (ip *floatingIP) primitive() *crm.Primitive {
	p := &crm.Primitive{Name: ip.name, Class: "ocf", Provider: contract.Provider, Type: contract.FloatIPType}
	p.Params = crm.Attrs{{Name: contract.ParamIP, Value: ip.ip.String()}, {Name: contract.ParamProvider, Value: ip.provider}}
	set := func(name, value string) {
		if value != "" {
			p.Params.Set(name, value)
		}
	}
	set(contract.ParamTokenFile, ip.tokenFile)
	set(contract.ParamNIC, ip.nic)
	if ip.netmask != 0 {
		set(contract.ParamNetmask, strconv.Itoa(ip.netmask))
	}
	set(contract.ParamAPIURL, ip.apiURL)
	set(contract.ParamMetadataURL, ip.metadataURL)
	p.Ops = append(monitors(ip.monitor, param.FormatDuration(contract.FloatIPMonitorTimeout), holderCheck, param.FormatDuration(contract.FloatIPHolderTimeout)),
		operation("start", "0s", param.FormatDuration(contract.FloatIPStartTimeout)),
		operation("stop", "0s", param.FormatDuration(contract.FloatIPStopTimeout)))
	p.Meta = crm.Attrs{{Name: "resource-stickiness", Value: stickiness}, {Name: "failure-timeout", Value: retryAddress}}
	return p
}

// monitors are a monitor and one that looks deeper. If both are due at the same interval, only the deeper one is needed; Pacemaker could not
// tell them apart either.
func monitors(interval, timeout, deepInterval, deepTimeout string) []crm.Op {
	deep := operation("monitor", deepInterval, deepTimeout)
	deep.Params = crm.Attrs{{Name: "OCF_CHECK_LEVEL", Value: strconv.Itoa(contract.LevelDeep)}}
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
func atLeast(timeout time.Duration, given string, reserve time.Duration) string {
	if long, err := param.ParseDuration(given); err == nil {
		timeout = max(timeout, long+reserve)
	}
	return param.FormatDuration(timeout)
}

func sameLength(a, b string) bool {
	x, errX := param.ParseDuration(a)
	y, errY := param.ParseDuration(b)
	return errX == nil && errY == nil && x == y
}
