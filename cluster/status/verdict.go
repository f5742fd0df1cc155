package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/words"
)

// cause is one reason for the report's state.
type cause struct {
	state State
	what  string
}

// Verdict is the state in one sentence: its word, where and when that was seen, and the reasons, the
// gravest first; or who serves what.
func (r *Report) Verdict() string {
	word := map[State]string{
		OK: "OK", Degraded: "ATTENTION", Failed: "FAILED", Unavailable: "UNKNOWN",
	}[r.State]
	seen := r.Now.Local().Format("15:04:05")
	if r.Node != "" {
		seen = r.Node + ", " + seen
	}
	return fmt.Sprintf("%s (%s): %s", word, seen, r.Summary())
}

// Summary is the verdict without its word.
func (r *Report) Summary() string {
	all := r.causes()
	if len(all) == 0 && r.State == OK {
		return r.serving()
	}
	slices.SortStableFunc(all, func(a, b cause) int { return rank(b.state) - rank(a.state) })
	const most = 4
	var parts []string
	for i, c := range all {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(all)-most))
			break
		}
		parts = append(parts, c.what)
	}
	if len(parts) == 0 {
		parts = append(parts, "something needs attention, see below")
	}
	return r.served() + strings.Join(parts, "; ")
}

// served begins the sentence where visitors do not notice what is wrong.
func (r *Report) served() string {
	if r.State != Degraded || !r.Pacemaker.Quorum || len(r.FloatingIPs) == 0 {
		return ""
	}
	var parts []string
	for _, ip := range r.FloatingIPs {
		if ip.Node == "" || ip.State == Failed || ip.Is != Running {
			return ""
		}
		parts = append(parts, ip.address()+" is served by "+ip.Node)
	}
	return strings.Join(parts, ", ") + ", but "
}

// serving says who serves what where all is well.
func (r *Report) serving() string {
	var parts []string
	for _, ip := range r.FloatingIPs {
		on := ip.address() + " on " + ip.Node
		if ip.Since != nil {
			on += " for " + words.Rough(r.Now.Sub(*ip.Since))
		}
		parts = append(parts, on)
	}
	ready, all := 0, 0
	for _, h := range r.HAProxy {
		if h.Is == KeptOff {
			continue
		}
		all++
		if accepts(h) {
			ready++
		}
	}
	if all > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s ready", ready, words.Count(all, "node")))
	}
	if len(parts) == 0 {
		return "nothing is configured: write hawser.yaml, then `hawser apply`"
	}
	return strings.Join(parts, ", ")
}

// address names the address, or its resource if only that is known.
func (ip FloatingIP) address() string {
	if ip.IP == "" {
		return ip.Resource
	}
	return ip.IP
}

func (r *Report) causes() []cause {
	p := r.Pacemaker
	var all []cause
	add := func(state State, format string, a ...any) {
		all = append(all, cause{state, fmt.Sprintf(format, a...)})
	}
	switch {
	case r.Denied:
		add(Unavailable, "permission denied: run this as root, or as a member of the group haclient")
		return all
	case !p.Available:
		add(Unavailable, "Pacemaker does not answer on this node, and the other nodes may be serving: "+
			"ask there")
		return all
	case !p.Quorum:
		add(r.State, "%s", r.withoutQuorum()) // it explains the others
	}
	if len(r.HAProxy) == 0 && len(r.FloatingIPs) == 0 && len(r.Others) == 0 {
		add(OK, "nothing is configured: write hawser.yaml, then `hawser apply`")
	}
	switch {
	case p.Unfenced:
		add(Degraded, "fencing is on without a fence device: Pacemaker starts nothing")
	case p.Fencing && len(p.Fencers) == 0 && r.State != OK:
		add(Degraded, "fencing is on without a usable fence device: a failed node's resources are not "+
			"recovered")
	}
	if p.Maintenance {
		add(Degraded, "maintenance mode is on, nothing is recovered: "+endsMaintenance)
	}
	for _, c := range r.Checks {
		if c.FailsEverywhere() { // which visitors notice, and nothing moves
			add(c.State, "the check %s fails on every node%s: HAProxy goes on, the addresses stay where "+
				"they are", c.Name, words.Since(" since ", c.FailingSince(), r.Now))
		}
	}
	r.causesInAddresses(add)
	r.causesInHAProxy(add)
	for _, n := range p.Nodes {
		if n.State != OK {
			add(n.State, "%s", n.sentence())
		}
	}
	for _, c := range r.Checks {
		if c.State != OK && !c.FailsEverywhere() {
			add(c.State, "the check %s fails on some nodes", c.Name)
		}
	}
	for _, l := range r.Leftovers {
		add(Degraded, "%s is bound to %s by the constraint %s, which a command left behind: "+
			"`crm_resource --clear --resource %s`", l.Resource, l.Node, l.Constraint, l.Resource)
	}
	for _, f := range p.Fencers {
		if f.State != OK {
			add(Degraded, "the fence device %s is %s", f.Device, f.Is)
		}
	}
	if len(p.NotFenced) > 0 {
		add(Degraded, "no device fences %s", strings.Join(p.NotFenced, ", "))
	}
	for _, o := range r.Others {
		if o.State != OK {
			add(o.State, "%s is %s", o.Resource, o.Is)
		}
	}
	if !r.Configuration.Available {
		add(Degraded, "the configuration cannot be read")
	}
	if n := len(r.Failures); n > 0 {
		add(Degraded, "%s, see below", words.Count(n, "failed action"))
	}
	return all
}

func (r *Report) causesInAddresses(add func(State, string, ...any)) {
	for _, ip := range r.FloatingIPs {
		switch {
		case ip.Unserved != "":
			add(Failed, "%s is on %s, and %s", ip.address(), ip.Node, ip.Unserved)
		case ip.State == Failed && ip.Node == "" && !r.Pacemaker.Quorum:
			add(Failed, "%s is not served from here", ip.address())
		case ip.State == Failed && ip.Node == "":
			add(Failed, "%s is %s: nobody is served there", ip.address(), ip.Is)
		case ip.State != OK && ip.Node != "":
			add(ip.State, "%s is %s on %s", ip.address(), ip.Is, ip.Node)
		case ip.starts() != "":
			add(ip.State, "%s is %s: %s", ip.address(), ip.Is, ip.starts())
		case ip.State != OK:
			add(ip.State, "%s is %s", ip.address(), ip.Is)
		}
	}
}

func (r *Report) causesInHAProxy(add func(State, string, ...any)) {
	offline := map[string]bool{} // their own lines say so
	for _, n := range r.Pacemaker.Nodes {
		offline[n.Name] = n.State != OK
	}
	for _, h := range r.HAProxy {
		switch {
		case h.onlyErrors():
			add(Degraded, "no server is up behind HAProxy on %s", h.Node)
		case h.State == OK || offline[h.Node] && h.State == Degraded:
		case h.Is == Running && h.Socket != nil && !h.Socket.Available:
			add(h.State, "HAProxy on %s cannot be asked", h.Node)
		case h.Is == Running:
			add(h.State, "HAProxy on %s: %s", h.Node, h.Reason)
		default:
			add(h.State, "HAProxy is %s on %s", h.Is, h.Node)
		}
		switch {
		case !h.Configuration.Drifted():
		case h.Configuration.Serves == "":
			add(Degraded, "%s", unknownOn+h.Node)
		default:
			add(Degraded, "HAProxy's files were changed and not loaded on %s", h.Node)
		}
	}
	for _, d := range r.Drift {
		add(Degraded, "%s serves different configurations", d.Resource)
	}
}

// withoutQuorum says that this is the view of a part of the cluster only.
func (r *Report) withoutQuorum() string {
	seen := 0
	var others []string
	for _, n := range r.Pacemaker.Nodes {
		if slices.Contains(n.Is, Online) {
			seen++
		} else {
			others = append(others, n.Name)
		}
	}
	text := fmt.Sprintf("no quorum HERE: this node sees %d of %s", seen,
		words.Count(len(r.Pacemaker.Nodes), "node"))
	if r.Pacemaker.WaitsForAll {
		return text + "; it waits for " + strings.Join(others, ", ") + " since it booted " +
			"(wait_for_all). Only if that is switched off: `" + corosync.StopWaiting + "`"
	}
	if len(others) > 0 {
		text += "; " + strings.Join(others, ", ") + " may be serving, ask there"
	}
	return text
}

// sentence says what a node is, and which command ends that if somebody wanted it.
func (n Node) sentence() string {
	switch {
	case slices.Contains(n.Is, InStandby):
		return n.Name + " is in standby: " + n.ends()
	case slices.Contains(n.Is, InMaintenance):
		return n.Name + " is in maintenance: " + n.ends()
	}
	return n.Name + " is " + joined(n.Is)
}
