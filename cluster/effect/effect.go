// Package effect says what a change does to what visitors reach: where each address goes, on which
// nodes HAProxy runs then, and which address nobody serves any more.
//
// Of takes what is there now and what Pacemaker's scheduler would do; text.go says it in plain words.
// It imports inventory and crm, asks nobody and writes nothing. Open this file first.
package effect

import (
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// Effect is what becomes of the addresses and of HAProxy.
type Effect struct {
	Addresses []Address
	HAProxies []HAProxy
	Others    []crm.Action // what happens to other resources and to nodes
}

// Address is what becomes of an address.
type Address struct {
	// Resource is the resource's name.
	Resource string `json:"resource"`
	// IP is the address.
	IP string `json:"ip,omitempty"`
	// From is the node that has it now, "" if none.
	From string `json:"from"`
	// To is the node that has it then, "" if none.
	To string `json:"to"`
	// Restarts says that it is released and taken again by the same node.
	Restarts bool `json:"restarts"`
	// Served says whether HAProxy runs then on the node that has it.
	Served bool `json:"served"`
	// Reason is why it moves or stops, in Pacemaker's words.
	Reason string `json:"reason,omitempty"`
}

// HAProxy is what becomes of a HAProxy.
type HAProxy struct {
	// Resource is the resource's name, without a clone's.
	Resource string `json:"resource"`
	// Before are the nodes on which it runs now.
	Before []string `json:"before"`
	// After are the nodes on which it runs then.
	After []string `json:"after"`
	// Restarts are the nodes on which it is stopped and started.
	Restarts []string `json:"restarts"`
	// Reloads are the nodes on which it loads its configuration again.
	Reloads []string `json:"reloads"`
}

// Of returns what becomes of what is there now. then is the configuration after the change.
func Of(now crm.Snapshot, then *crm.CIB, forecast crm.Forecast) Effect {
	var e Effect
	said := map[string]bool{} // the resources whose actions the addresses and HAProxies tell
	for _, cib := range []*crm.CIB{now.CIB, then} {
		for _, p := range inventory.Primitives(cib.Effective(), inventory.RunsHAProxy) {
			if !said[p.Name] {
				said[p.Name] = true
				e.HAProxies = append(e.HAProxies, haproxyOf(now.Status, p.Name, forecast))
			}
		}
	}
	for _, cib := range []*crm.CIB{now.CIB, then} {
		for _, p := range inventory.Primitives(cib.Effective(), inventory.IsAddress) {
			if !said[p.Name] && !cloned(cib, p.Name) {
				said[p.Name] = true
				a := addressOf(now.Status, p, forecast)
				a.Served = a.To != "" && (len(e.HAProxies) == 0 || e.servesOn(a.To))
				e.Addresses = append(e.Addresses, a)
			}
		}
	}
	for _, a := range forecast.Actions {
		if !said[crm.ResourceOf(a.Resource)] {
			e.Others = append(e.Others, a)
		}
	}
	return e
}

// Unserved lists the addresses that are reached now, and that nobody serves then.
func (e Effect) Unserved() []Address {
	var all []Address
	for _, a := range e.Addresses {
		reached := a.From != "" && (len(e.HAProxies) == 0 ||
			slices.ContainsFunc(e.HAProxies, func(h HAProxy) bool {
				return slices.Contains(h.Before, a.From)
			}))
		if reached && !a.Served {
			all = append(all, a)
		}
	}
	return all
}

// Address returns what becomes of the address of that resource.
func (e Effect) Address(resource string) (Address, bool) {
	for _, a := range e.Addresses {
		if a.Resource == resource {
			return a, true
		}
	}
	return Address{}, false
}

func (e Effect) servesOn(node string) bool {
	return slices.ContainsFunc(e.HAProxies, func(h HAProxy) bool {
		return slices.Contains(h.After, node)
	})
}

// cloned says whether the resource has instances, whose places are no single address's.
func cloned(cib *crm.CIB, id string) bool {
	objects := cib.Objects()
	return slices.ContainsFunc(inventory.Family(objects, id), func(id string) bool {
		return slices.ContainsFunc(objects, func(o crm.Object) bool {
			c, ok := o.(*crm.Clone)
			return ok && c.Name == id
		})
	})
}

func addressOf(status *crm.Status, p *crm.Primitive, forecast crm.Forecast) Address {
	a := Address{Resource: p.Name, IP: ipOf(p)}
	for _, r := range status.Resources {
		if r.ID == p.Name && r.Active {
			a.From = r.Node
		}
	}
	a.To = a.From
	for _, act := range forecast.Actions {
		if act.Resource != p.Name || act.Blocked {
			continue
		}
		switch act.Task {
		case "stop":
			a.To = ""
		case "start", "move", "restart", "recover", "migrate":
			a.Restarts = a.From != "" && act.Node == a.From
			a.To = act.Node
		default:
			continue
		}
		a.Reason = act.Reason
	}
	return a
}

// ipOf returns the address of a resource of any agent for addresses.
func ipOf(p *crm.Primitive) string {
	for _, name := range []string{contract.ParamIP, contract.ParamOldIP, "ipv6addr"} {
		if ip, ok := p.Params.Get(name); ok {
			ip, _, _ = strings.Cut(ip, "/")
			return ip
		}
	}
	return ""
}

func haproxyOf(status *crm.Status, id string, forecast crm.Forecast) HAProxy {
	h := HAProxy{Resource: id, Before: []string{}, After: []string{}, Restarts: []string{},
		Reloads: []string{}}
	for _, r := range status.Resources {
		if crm.ResourceOf(r.ID) == id && r.Active && !r.Failed && r.Node != "" {
			h.Before = append(h.Before, r.Node)
		}
	}
	after := slices.Clone(h.Before)
	gone := func(node string) {
		after = slices.DeleteFunc(after, func(n string) bool { return n == node })
	}
	var stopped, started []string // Pacemaker calls an exchange of agents a stop and a start
	for _, act := range forecast.Actions {
		if crm.ResourceOf(act.Resource) != id || act.Blocked {
			continue
		}
		switch act.Task {
		case "stop":
			gone(act.Node)
			stopped = append(stopped, act.Node)
		case "start", "recover", "move":
			if act.From != "" {
				gone(act.From)
			}
			started = append(started, act.Node)
		case "restart":
			h.Restarts = append(h.Restarts, act.Node)
		case "reload":
			h.Reloads = append(h.Reloads, act.Node)
		}
	}
	for _, node := range started {
		if !slices.Contains(after, node) {
			after = append(after, node)
		}
		if slices.Contains(stopped, node) {
			h.Restarts = append(h.Restarts, node)
		}
	}
	slices.Sort(h.Before)
	slices.Sort(after)
	slices.Sort(h.Restarts)
	slices.Sort(h.Reloads)
	h.After = after
	return h
}
