package crm

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Script is a piece of crmsh's configuration language: objects to set and ids to delete.
type Script struct {
	Objects []Object
	Delete  []string

	// what depends on the configuration, in the order of the statements
	later []later
}

// later completes the objects of a script for a configuration.
type later func(cib *CIB, objects []Object, r *report) []Object

// Empty says whether the script says nothing.
func (s Script) Empty() bool { return len(s.Objects)+len(s.Delete)+len(s.later) == 0 }

// On returns the script's objects for a configuration: some statements say something about objects
// that are there already, or about all nodes.
func (s Script) On(cib *CIB) ([]Object, error) {
	objects := slices.Clone(s.Objects)
	r := &report{}
	for _, complete := range s.later {
		objects = complete(cib, objects, r)
	}
	return objects, r.err()
}

// parseMonitor reads `monitor RESOURCE[:ROLE] INTERVAL[:TIMEOUT]`, one more operation of a
// primitive that is defined elsewhere.
func parseMonitor(p *parser) []Object {
	id, role := p.qualified(roles)
	interval, timeout, timed := strings.Cut(p.next("an interval, such as 10s, or 10s:20s with a timeout"),
		":")
	op := Op{Name: "monitor", Interval: interval, extra: extras{}}
	if role != "" {
		op.Attrs.Set("role", role)
	}
	if timed {
		op.Attrs.Set("timeout", timeout)
	}
	p.later = func(cib *CIB, objects []Object, r *report) []Object {
		at := slices.IndexFunc(objects, func(o Object) bool {
			_, isPrimitive := o.(*Primitive)
			return isPrimitive && o.ID() == id
		})
		if at < 0 {
			there, _ := cib.Object(id)
			if _, isPrimitive := there.(*Primitive); !isPrimitive {
				r.object = "monitor " + id
				r.add("", "", "the configuration has no primitive %s", id)
				return objects
			}
			at, objects = len(objects), append(objects, there)
		}
		with := *objects[at].(*Primitive)
		with.Ops = append(slices.Clone(with.Ops), op)
		objects[at] = &with
		return objects
	}
	return nil
}

// parseTopology reads which devices fence which nodes, and in which order they are tried: `NODE:
// DEVICE[,DEVICE…]…`, with pattern:REGEX or attr:NAME=VALUE in place of a node, or only devices,
// which are those of every node.
func parseTopology(p *parser) []Object {
	type level struct{ target, devices string }
	var levels []level
	target := ""
	for p.more() {
		if label, ok := p.acceptLabel(); ok {
			target = label
			continue
		}
		word := p.next("")
		if strings.HasPrefix(word, "pattern:") || strings.HasPrefix(word, "attr:") {
			target = word
			continue
		}
		if strings.ContainsAny(word, ":=") {
			p.at--
			p.fail(word, "a fencing device, or a node and a colon")
		}
		levels = append(levels, level{target, word})
	}
	if len(levels) == 0 {
		p.fail("", "a node and a colon, and its fencing devices in the order in which they are tried")
	}
	topology := func(levels []level) Object {
		el := etree.NewElement("fencing-topology")
		count := map[string]int{}
		for _, l := range levels {
			count[l.target]++
			c := el.CreateElement("fencing-level")
			if pattern, ok := strings.CutPrefix(l.target, "pattern:"); ok {
				c.CreateAttr("target-pattern", pattern)
			} else if attribute, ok := strings.CutPrefix(l.target, "attr:"); ok {
				name, val, _ := strings.Cut(attribute, "=")
				setAll(c, "target-attribute", name, "target-value", val)
			} else {
				c.CreateAttr("target", l.target)
			}
			setAll(c, "index", itoa(count[l.target]), "devices", l.devices)
		}
		return &XML{element: el}
	}
	if levels[0].target != "" {
		return []Object{topology(levels)}
	}
	p.later = func(cib *CIB, objects []Object, _ *report) []Object {
		var all []level
		for _, node := range cib.Nodes() {
			for _, l := range levels {
				if l.target == "" {
					l.target = node
				}
				all = append(all, l)
			}
		}
		return append(objects, topology(all))
	}
	return nil
}

// topologyText is the statement of a fencing topology: a line for each target.
func topologyText(el *etree.Element) *text {
	t := head("fencing_topology")
	lines := map[string]int{}
	for _, c := range el.ChildElements() {
		target := value(c, "target") + ":"
		switch {
		case value(c, "target-pattern") != "":
			target = quoteWord("pattern:" + value(c, "target-pattern"))
		case value(c, "target-attribute") != "":
			target = "attr:" + pair(value(c, "target-attribute"), value(c, "target-value"))
		}
		at, known := lines[target]
		if !known {
			at = len(t.lines)
			lines[target] = at
			t.lines = append(t.lines, target)
		}
		t.lines[at] += " " + quoteWord(value(c, "devices"))
	}
	return t
}
