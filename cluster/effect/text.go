package effect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
)

// Headline says what is grave about it, "" if nothing is: which addresses nobody serves any more, and
// where HAProxy is away for a moment on all nodes at once.
func (e Effect) Headline() string {
	var names []string
	for _, a := range e.Unserved() {
		names = append(names, inventory.Called(a.Resource, a.IP))
	}
	if len(names) > 0 {
		return "NOBODY WILL SERVE " + strings.Join(names, ", ") + " any more."
	}
	for _, h := range e.HAProxies {
		if len(h.Before) > 0 && len(h.Restarts) > 0 &&
			!slices.ContainsFunc(h.Before, func(n string) bool {
				return !slices.Contains(h.Restarts, n)
			}) {
			return "THIS INTERRUPTS SERVICE: " + h.Resource + " restarts on " +
				strings.Join(h.Restarts, ", ") + " at the same time, and open connections are cut."
		}
	}
	for _, a := range e.Addresses {
		if a.Restarts {
			names = append(names, inventory.Called(a.Resource, a.IP))
		}
	}
	if len(names) > 0 {
		return "THIS INTERRUPTS SERVICE: " + strings.Join(names, ", ") +
			" cannot be reached while it is released and taken again."
	}
	return ""
}

// Lines says what becomes of each address, of HAProxy and of everything else, a line each.
func (e Effect) Lines() []string {
	var lines []string
	for _, a := range e.Addresses {
		lines = append(lines, a.String())
	}
	for _, h := range e.HAProxies {
		if line := h.String(); line != "" {
			lines = append(lines, line)
		}
	}
	for _, a := range e.Others {
		lines = append(lines, a.String())
	}
	return lines
}

// String says what becomes of the address.
func (a Address) String() string {
	name, reason := inventory.Called(a.Resource, a.IP), ""
	if a.Reason != "" {
		reason = ": " + a.Reason
	}
	switch {
	case a.Restarts:
		return fmt.Sprintf("%s is released on %s and taken again there%s", name, a.From, reason)
	case a.From == "" && a.To == "":
		return name + " is not running on any node, and stays so"
	case a.To == "":
		return fmt.Sprintf("%s stops on %s, and no node takes it%s", name, a.From, reason)
	case a.From == "":
		return fmt.Sprintf("%s starts on %s", name, a.To)
	case a.From != a.To:
		return fmt.Sprintf("%s moves from %s to %s", name, a.From, a.To)
	case !a.Served:
		return fmt.Sprintf("%s stays on %s, where HAProxy will not be running", name, a.To)
	}
	return fmt.Sprintf("%s stays on %s", name, a.To)
}

// String says what becomes of the HAProxy, "" if nothing.
func (h HAProxy) String() string {
	var stops, starts, stays, parts []string
	for _, n := range h.Before {
		switch {
		case !slices.Contains(h.After, n):
			stops = append(stops, n)
		case !slices.Contains(h.Restarts, n) && !slices.Contains(h.Reloads, n):
			stays = append(stays, n)
		}
	}
	for _, n := range h.After {
		if !slices.Contains(h.Before, n) {
			starts = append(starts, n)
		}
	}
	for _, part := range []struct {
		what  string
		nodes []string
	}{{"stops", stops}, {"starts", starts}, {"restarts", h.Restarts}, {"reloads", h.Reloads},
		{"keeps running", stays}} {
		if len(part.nodes) > 0 {
			parts = append(parts, part.what+" on "+strings.Join(part.nodes, ", "))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return h.Resource + " " + strings.Join(parts, ", ")
}
