package crmtest

import (
	"fmt"

	"github.com/hawser-ha/hawser/crm"
)

// placement is one instance of a primitive and where the fake cluster runs it: a clone on every node, everything else on the first.
type placement struct {
	id, parent, agent, node string
	number                  int // of the instance, -1 outside clones
	stopped                 bool
}

// instance is a running instance as the scheduler names it.
type instance struct{ name, node string }

func placements(cib *crm.CIB) []placement {
	nodes := cib.Nodes()
	if len(nodes) == 0 {
		return nil
	}
	parents := map[string]crm.Object{}
	for _, o := range cib.Objects() {
		switch o := o.(type) {
		case *crm.Clone:
			parents[o.Resource] = o
		case *crm.Group:
			for _, m := range o.Members {
				parents[m] = o
			}
		}
	}
	var out []placement
	for _, o := range cib.Objects() {
		prim, ok := o.(*crm.Primitive)
		if !ok {
			continue
		}
		p := placement{id: prim.Name, agent: prim.Agent(), node: nodes[0], number: -1, stopped: isStopped(prim.Meta)}
		cloned := false
		for parent := parents[prim.Name]; parent != nil; parent = parents[parent.ID()] {
			p.parent = parent.ID()
			switch parent := parent.(type) {
			case *crm.Clone:
				cloned = true
				p.stopped = p.stopped || isStopped(parent.Meta)
			case *crm.Group:
				p.stopped = p.stopped || isStopped(parent.Meta)
			}
		}
		if !cloned {
			out = append(out, p)
			continue
		}
		for i, n := range nodes {
			p.node, p.number = n, i
			out = append(out, p)
		}
	}
	return out
}

func isStopped(meta crm.Attrs) bool {
	role, _ := meta.Get("target-role")
	return role == "Stopped"
}

// running lists what the cluster runs with that configuration.
func running(cib *crm.CIB) []instance {
	if unfenced(cib) {
		return nil
	}
	var out []instance
	for _, p := range placements(cib) {
		if p.stopped {
			continue
		}
		name := p.id
		if p.number >= 0 {
			name = fmt.Sprintf("%s:%d", p.id, p.number)
		}
		out = append(out, instance{name, p.node})
	}
	return out
}

// unfenced says whether Pacemaker would start nothing: fencing is on, and there are resources but no fencing device.
func unfenced(cib *crm.CIB) bool {
	if on, _ := cib.Property("stonith-enabled"); on == "false" {
		return false
	}
	if watchdog, _ := cib.Property("have-watchdog"); watchdog == "true" || len(cib.FencingDevices()) > 0 {
		return false
	}
	resources := false
	for _, o := range cib.Objects() {
		_, primitive := o.(*crm.Primitive)
		resources = resources || primitive
	}
	return resources
}

func contains(list []instance, want instance) bool {
	for _, i := range list {
		if i == want {
			return true
		}
	}
	return false
}
