package status

import (
	"slices"
)

// judge finds what only several parts together show: that visitors are not served although each
// part is as it should be.
func (r *Report) judge() {
	r.judgeServing()
	for i := range r.HAProxy {
		if h := &r.HAProxy[i]; h.Configuration.Drifted() {
			r.State = worst(r.State, Degraded) // what is edited and not loaded is forgotten otherwise
		}
	}
	if len(r.Leftovers) > 0 {
		r.State = worst(r.State, Degraded)
	}
}

// judgeServing compares each address with the HAProxy on its node.
func (r *Report) judgeServing() {
	if len(r.HAProxy) == 0 {
		return
	}
	for i := range r.FloatingIPs {
		ip := &r.FloatingIPs[i]
		if ip.Node == "" || ip.State == Failed {
			continue
		}
		var here []HAProxy
		for _, h := range r.HAProxy {
			if h.Node == ip.Node {
				here = append(here, h)
			}
		}
		switch {
		case !slices.ContainsFunc(here, accepts):
			ip.Unserved = "HAProxy does not run there: every visitor is refused"
			if len(here) > 0 && !passing(here[0]) {
				ip.Unserved = "HAProxy is " + string(here[0].Is) + " there: every visitor is refused"
			} else if len(here) > 0 {
				continue // it is about to serve, or the address is about to leave
			}
		case !slices.ContainsFunc(here, func(h HAProxy) bool { return accepts(h) && !h.onlyErrors() }):
			ip.Unserved = "no server behind its HAProxy is up: every visitor gets an error (503)"
		default:
			continue
		}
		ip.State = Failed
		r.State = worst(r.State, Failed)
	}
}

// accepts reports whether a HAProxy accepts connections, as far as is known. One that has just
// answered does, whatever Pacemaker thinks of it, such as after a stop that failed.
func accepts(h HAProxy) bool {
	if h.Socket != nil && h.Socket.Available {
		return true
	}
	return !h.dead && h.State != Failed && h.Is != Stopped && !passing(h) &&
		h.Is != StoppedOnPurpose && h.Is != KeptOff && h.Is != NodeOffline &&
		h.Is != NodeStandby
}

// passing reports whether Pacemaker starts or stops a HAProxy at the moment.
func passing(h HAProxy) bool { return h.Is == Starting || h.Is == Stopping }

// onlyErrors reports whether a HAProxy answers every request with an error.
func (h HAProxy) onlyErrors() bool {
	return h.Servers != nil && h.Servers.Up == 0 && h.Servers.Down > 0
}
