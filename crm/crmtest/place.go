package crmtest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/crm"
)

// places is where resources that are not cloned run.
type places map[string]string

// placement is one instance of a primitive and where the fake cluster runs it.
type placement struct {
	id, parent, agent, node string
	number                  int // of the instance, -1 outside clones
	stopped                 bool
}

// instance is a running instance as the scheduler names it.
type instance struct{ name, node string }

func (f *Fake) placements(cib *crm.CIB, at places) []placement {
	nodes := cib.Nodes()
	if !slices.ContainsFunc(nodes, func(n string) bool { return !f.down[n] }) {
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
		p := placement{id: prim.Name, agent: prim.Agent(), node: at[prim.Name], number: -1,
			stopped: isStopped(prim.Meta)}
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
		for i, n := range nodes { // an instance keeps its number, whichever others there are
			if !f.idle(cib, n) {
				p.node, p.number = n, i
				out = append(out, p)
			}
		}
	}
	return out
}

func isStopped(meta crm.Attrs) bool {
	role, _ := meta.Get(crm.TargetRole)
	return crm.IsStopped(role)
}

// idle says whether the node runs nothing: it is down, or in standby and not in maintenance.
func (f *Fake) idle(cib *crm.CIB, node string) bool {
	return f.down[node] || isSet(cib, node, "standby") && !maintained(cib, node)
}

// maintained says whether the node, or the whole cluster, is in maintenance.
func maintained(cib *crm.CIB, node string) bool {
	whole, _ := cib.Property("maintenance-mode")
	return crm.IsTrue(whole) || isSet(cib, node, "maintenance")
}

// isSet says whether the node has an attribute that is true.
func isSet(cib *crm.CIB, node, attribute string) bool {
	for _, o := range cib.Objects() {
		if n, ok := o.(*crm.Node); ok && n.Uname == node {
			word, _ := n.Attributes.Get(attribute)
			return crm.IsTrue(word)
		}
	}
	return false
}

// settled is where things run once the plan has been carried out.
func (f *Fake) settled(p crm.Plan) places { return f.place(p.New, f.at[p.Base]) }

// place finds the node for each resource, given where it is: the one with the best score, the first
// of equal ones. Cloned resources are placed too, but run everywhere anyway.
func (f *Fake) place(cib *crm.CIB, now places) places {
	next := places{}
	for _, o := range cib.Objects() {
		p, ok := o.(*crm.Primitive)
		if !ok {
			continue
		}
		if at := now[p.Name]; at != "" && maintained(cib, at) {
			next[p.Name] = at
			continue
		}
		best := -crm.Infinity
		for _, node := range cib.Nodes() {
			if f.idle(cib, node) {
				continue
			}
			if score := f.score(cib, p, node, now[p.Name]); score > best {
				best, next[p.Name] = score, node
			}
		}
	}
	return next
}

// score is a node's score for a resource that runs there or on another node.
func (f *Fake) score(cib *crm.CIB, p *crm.Primitive, node, now string) int {
	score := 0
	if node == now {
		stickiness, _ := p.Meta.Get("resource-stickiness")
		score, _ = strconv.Atoi(stickiness)
	}
	for _, o := range cib.Objects() {
		l, ok := o.(*crm.Location)
		if !ok || l.Resource != p.Name {
			continue
		}
		worth, at := scoreOf(l)
		switch {
		case at != node:
		case worth <= -crm.Infinity:
			return -crm.Infinity // whatever else is said (Pacemaker Explained, "Infinity Math")
		default:
			score += worth
		}
	}
	return max(-crm.Infinity, min(score, crm.Infinity))
}

// scoreOf returns the constraint's score, and for which node it is.
func scoreOf(l *crm.Location) (score int, node string) {
	worth, node := l.Score, l.Node
	if found := ruleOfNode.FindStringSubmatch(l.String()); found != nil {
		worth, node = cmp.Or(found[1], "inf"), found[2]
	}
	return number(worth), node
}

// bans lists the constraints with a negative score for a node.
func (f *Fake) bans(cib *crm.CIB) []crm.Ban {
	var all []crm.Ban
	for _, o := range cib.Objects() {
		l, ok := o.(*crm.Location)
		if !ok {
			continue
		}
		if score, node := scoreOf(l); score < 0 && slices.Contains(cib.Nodes(), node) {
			all = append(all, crm.Ban{ID: l.Name, Resource: l.Resource, Node: node, Score: score})
		}
	}
	return all
}

// changes says whether the plan changes the object.
func changes(p crm.Plan, id string) bool {
	return slices.ContainsFunc(p.Changes, func(c crm.Change) bool { return c.Object().ID() == id })
}

// ruleOfNode is a rule about the node's name. Anything else in the rule, such as an expiry, is
// ignored.
var ruleOfNode = regexp.MustCompile(`rule (?:([-+0-9a-zA-Z]+): )?#uname eq (\S+)`)

// number reads a score.
func number(score string) int {
	switch strings.ToUpper(strings.TrimPrefix(score, "+")) {
	case "INF", crm.InfinityWord:
		return crm.Infinity
	case "-INF", "-INFINITY":
		return -crm.Infinity
	}
	n, _ := strconv.Atoi(score)
	return n
}

// running lists what the cluster runs with that configuration.
func (f *Fake) running(cib *crm.CIB, at places) []instance {
	if unfenced(cib) {
		return nil
	}
	var out []instance
	for _, p := range f.placements(cib, at) {
		if p.stopped || p.node == "" {
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

// unfenced says whether Pacemaker would start nothing: fencing is on, and there are resources but
// no fencing device.
func unfenced(cib *crm.CIB) bool {
	if on, _ := cib.Property(crm.StonithEnabled); on == "false" {
		return false
	}
	if watchdog, _ := cib.Property(crm.HaveWatchdog); watchdog == "true" ||
		len(cib.FencingDevices()) > 0 {
		return false
	}
	resources := false
	for _, o := range cib.Objects() {
		_, primitive := o.(*crm.Primitive)
		resources = resources || primitive
	}
	return resources
}

func find(list []instance, name string) (instance, bool) {
	for _, i := range list {
		if i.name == name {
			return i, true
		}
	}
	return instance{}, false
}
