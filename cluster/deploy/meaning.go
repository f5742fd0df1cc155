package deploy

import (
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

// keepMeaning keeps the text that a primitive's parameter has in the cluster if it means the same
// as the wanted one: a default may be written out or not, a time may be 120s or 2min. Pacemaker
// compares texts, and would restart a resource for a change that means nothing.
func keepMeaning(cur *crm.CIB, objects []crm.Object) []crm.Object {
	for _, o := range objects {
		p, ok := o.(*crm.Primitive)
		if !ok {
			continue
		}
		if now, ok := cur.Object(p.Name); ok {
			if now, ok := now.(*crm.Primitive); ok && now.Agent() == p.Agent() {
				p.Params = sameMeaning(p.Type, now.Params, p.Params)
			}
		}
	}
	return objects
}

// sameMeaning returns the wanted parameters of an agent, keeping the current texts of those that
// mean the same.
func sameMeaning(agent string, now, want crm.Attrs) crm.Attrs {
	var out crm.Attrs
	for _, w := range want {
		text, ok := now.Get(w.Name)
		switch {
		case !config.Same(agent, w.Name, text, w.Value):
			out = append(out, w)
		case ok:
			out.Set(w.Name, text)
		}
	}
	for _, n := range now {
		if _, ok := want.Get(n.Name); !ok && config.Same(agent, n.Name, n.Value, "") {
			out.Set(n.Name, n.Value)
		}
	}
	return out
}
