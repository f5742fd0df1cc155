package deploy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
)

// Interruptions says in sentences what visitors will notice of a forecast.
func Interruptions(p crm.Plan, f crm.Forecast) []string {
	type kind struct{ id, task, from string }
	var order []kind
	nodes := map[kind][]string{}
	for _, a := range exchanged(f.Actions) {
		if a.Blocked || a.Resource == "" || !slices.Contains(interrupting(), a.Task) {
			continue
		}
		k := kind{crm.ResourceOf(a.Resource), a.Task, a.From}
		if nodes[k] == nil {
			order = append(order, k)
		}
		nodes[k] = append(nodes[k], a.Node)
	}
	var all []string
	for _, k := range order {
		resource, ok := resourceOf(p, k.id)
		on := strings.Join(nodes[k], ", ")
		at := ""
		if len(nodes[k]) > 1 {
			at = ", at the same time"
		}
		switch {
		case !ok:
		case inventory.IsAddress(resource.Agent()):
			all = append(all, addressWill(inventory.Called(k.id, inventory.IPText(resource)), k.task,
				k.from, on))
		case !inventory.RunsHAProxy(resource.Agent()):
		case k.task == "stop":
			all = append(all, fmt.Sprintf("HAProxy (%s) stops on %s: nobody is served there", k.id, on))
		default:
			all = append(all, fmt.Sprintf("HAProxy (%s) restarts on %s%s: open connections are cut",
				k.id, on, at))
		}
	}
	return all
}

// exchanged returns the actions with a stop and a start of one resource as one action: that is how
// Pacemaker has the agent of a resource exchanged for another one.
func exchanged(actions []crm.Action) []crm.Action {
	all := slices.Clone(actions)
	for i, stop := range all {
		if stop.Task != "stop" || stop.Blocked {
			continue
		}
		start := slices.IndexFunc(all, func(a crm.Action) bool {
			return a.Task == "start" && !a.Blocked && a.Node == stop.Node &&
				crm.ResourceOf(a.Resource) == crm.ResourceOf(stop.Resource)
		})
		if start >= 0 {
			all[i].Task = "restart"
		}
	}
	return all
}

// interrupting are the tasks of Pacemaker's scheduler that take something away which runs.
func interrupting() []string {
	return []string{"stop", "restart", "recover", "move", "demote", "migrate"}
}

func addressWill(name, task, from, on string) string {
	switch {
	case task == "stop":
		return fmt.Sprintf("%s stops on %s: nobody reaches it after that", name, on)
	case from != "":
		return fmt.Sprintf("%s moves from %s to %s: its open connections are cut", name, from, on)
	}
	return fmt.Sprintf("%s restarts on %s: nobody reaches it meanwhile", name, on)
}

// resourceOf returns the resource as it runs now, or as it is to be.
func resourceOf(p crm.Plan, id string) (*crm.Primitive, bool) {
	for _, cib := range []*crm.CIB{p.Base, p.New} {
		if cib == nil {
			continue
		}
		if found, ok := cib.Primitive(id); ok {
			return found, true
		}
	}
	return nil, false
}

// touchesRunning reports whether a plan changes or removes anything that may run: what is only
// added interrupts nobody.
func touchesRunning(p crm.Plan) bool {
	return slices.ContainsFunc(p.Changes, func(c crm.Change) bool {
		switch c.Old.(type) {
		case *crm.Primitive, *crm.Clone, *crm.Group, *crm.Colocation, *crm.Location, *crm.Order,
			*crm.Property:
			return true
		}
		return false
	})
}
