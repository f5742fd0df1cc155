package deploy

import (
	"strconv"
	"time"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/param"
)

const (
	// retryAddress and retryHAProxy make Pacemaker forget a failure, which by default keeps a
	// resource off the node until an administrator says otherwise: after an API outage of some
	// minutes an address would not run on any node until then.
	retryAddress, retryHAProxy = "60s", "10s"
	// tries is the number of failures after which HAProxy leaves the node, and the address with it.
	// The agent's keeper restarts a crashed HAProxy in place; Pacemaker sees only what the keeper
	// could not fix, and another node's HAProxy is already serving.
	tries = "1"
	// stopReserve is the time to stop HAProxy on top of the time that open connections are given.
	stopReserve = 15 * time.Second
	// holderCheck is how often the provider is asked who holds an address; it shows an expired
	// token before a failover needs it.
	holderCheck = "5min"
	// checkReserve is the monitor's time on top of the time that the checks are given.
	checkReserve = 15 * time.Second
	// oftenest is how often Pacemaker is to run a monitor that does the checks, at most: it starts
	// the agent each time.
	oftenest = 5 * time.Second
)

// Objects returns what the file asks for as objects of the cluster. cur is the current
// configuration: it decides about fencing, and what reloads have written there is kept.
func Objects(c *config.File, cur *crm.CIB) []crm.Object {
	all := []crm.Object{
		keepGeneration(cur, primitiveOfHAProxy(&c.HAProxy)),
		&crm.Clone{
			Name: contract.CloneID, Resource: contract.HAProxyID,
			Meta: crm.Attrs{{Name: "interleave", Value: "true"}},
		},
	}
	matters := priorities(c, cur)
	for i, ip := range c.Addresses {
		p := primitiveOfAddress(&ip, stickiness(c, &ip))
		if matters != nil {
			p.Meta = append(p.Meta, crm.Attr{Name: "priority", Value: matters[i]})
		}
		all = append(all, p)
	}
	all = append(all, constraints(c)...)
	return keepMeaning(cur, append(all, fencingObjects(c, cur)...))
}

// parameters returns the parameters of an agent as the cluster has them.
func parameters(given []config.Param) crm.Attrs {
	var out crm.Attrs
	for _, p := range given {
		out.Set(p.Name, p.Value)
	}
	return out
}

// keepGeneration keeps what reloads and pushes have written: the file does not own it.
func keepGeneration(cur *crm.CIB, p *crm.Primitive) *crm.Primitive {
	if o, ok := cur.Object(p.Name); ok {
		if now, ok := o.(*crm.Primitive); ok {
			for _, name := range []string{contract.ParamGeneration, contract.ParamPush} {
				if word, ok := now.Params.Get(name); ok {
					p.Params.Set(name, word)
				}
			}
		}
	}
	return p
}

func primitiveOfHAProxy(h *config.HAProxy) *crm.Primitive {
	p := &crm.Primitive{
		Name: contract.HAProxyID, Class: "ocf", Provider: contract.Provider,
		Type: contract.HAProxyType,
	}
	p.Params = parameters(h.Params())
	p.Ops = monitorsOfHAProxy(h)
	p.Ops = append(p.Ops,
		operation("start", "0s", given(h.StartTimeout, contract.HAProxyStartTimeout)),
		operation("stop", "0s", atLeast(contract.HAProxyStopTimeout, h.StopGrace, stopReserve)),
		operation("reload-agent", "0s", given(h.ReloadTimeout, contract.HAProxyReloadTimeout)))
	p.Meta = crm.Attrs{
		{Name: "failure-timeout", Value: retryHAProxy}, {Name: "migration-threshold", Value: tries},
	}
	return p
}

// monitorsOfHAProxy are a monitor and, where there are checks and no keeper that does them, one
// that does.
func monitorsOfHAProxy(h *config.HAProxy) []crm.Op {
	checks := h.AllChecks()
	if len(checks) == 0 || h.Keeper != "false" {
		return []crm.Op{operation("monitor", h.Monitor, contract.HAProxyMonitorTimeout)}
	}
	every, most := checks[0].Every, time.Duration(0)
	for _, c := range checks {
		every, most = min(every, c.Every), most+c.Timeout
	}
	return monitors(h.Monitor, contract.HAProxyMonitorTimeout,
		param.FormatDuration(max(every, oftenest)),
		max(contract.HAProxyMonitorTimeout, most+checkReserve))
}

func primitiveOfAddress(ip *config.Address, stickiness string) *crm.Primitive {
	p := &crm.Primitive{
		Name: ip.Name, Class: "ocf", Provider: contract.Provider, Type: contract.FloatIPType,
	}
	p.Params = parameters(ip.Params())
	p.Ops = append(
		monitors(ip.Monitor, contract.FloatIPMonitorTimeout, holderCheck,
			contract.FloatIPHolderTimeout),
		operation("start", "0s", contract.FloatIPStartTimeout),
		operation("stop", "0s", contract.FloatIPStopTimeout))
	p.Meta = crm.Attrs{
		{Name: "resource-stickiness", Value: stickiness},
		{Name: "failure-timeout", Value: retryAddress},
	}
	return p
}

// monitors returns a monitor and a deeper one. If both are due at the same interval, only the
// deeper one is needed; Pacemaker could not tell them apart either.
func monitors(interval string, timeout time.Duration, deepInterval string,
	deepTimeout time.Duration) []crm.Op {
	deep := operation("monitor", deepInterval, deepTimeout)
	deep.Params = crm.Attrs{{Name: "OCF_CHECK_LEVEL", Value: strconv.Itoa(contract.LevelDeep)}}
	if sameLength(interval, deepInterval) {
		deep.Interval = interval
		return []crm.Op{deep}
	}
	return []crm.Op{operation("monitor", interval, timeout), deep}
}

func operation(name, interval string, timeout time.Duration) crm.Op {
	return crm.Op{
		Name: name, Interval: interval,
		Attrs: crm.Attrs{{Name: "timeout", Value: param.FormatDuration(timeout)}},
	}
}

// atLeast returns the timeout, or the time given to the operation plus the reserve if that is
// longer.
func atLeast(timeout time.Duration, given string, reserve time.Duration) time.Duration {
	long, err := param.ParseDuration(given)
	if err != nil {
		return timeout
	}
	return max(timeout, long+reserve)
}

// given returns the time that is given, or else the default.
func given(text string, otherwise time.Duration) time.Duration {
	if long, err := param.ParseDuration(text); err == nil {
		return long
	}
	return otherwise
}

func sameLength(a, b string) bool {
	x, errX := param.ParseDuration(a)
	y, errY := param.ParseDuration(b)
	return errX == nil && errY == nil && x == y
}
