package crm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

func parsePrimitive(p *parser) Object {
	o := &Primitive{Name: p.id("primitive")}
	agent := p.next("an agent: class:provider:type, or @template")
	if t, ok := strings.CutPrefix(agent, "@"); ok {
		o.Template = t
	} else {
		o.Class, o.Provider, o.Type = p.agent(agent)
	}
	o.Description = p.description()
	var shared extras // operations of another primitive
	sets := p.sets("instance_attributes", map[string]string{
		"params": "instance_attributes", "meta": "meta_attributes", "utilization": "utilization",
	}, func() bool {
		switch {
		case p.accept("operations"):
			if ref, ok := p.acceptPair("$id-ref"); ok {
				el := etree.NewElement("operations")
				el.CreateAttr("id-ref", ref)
				shared = append(shared, el)
			} else if o.opsID, ok = p.acceptPair("$id"); !ok {
				p.fail(p.peek(), "$id=ID or $id-ref=ID")
			}
		case p.accept("op"):
			o.Ops = append(o.Ops, p.op())
		default:
			return false
		}
		return true
	})
	o.extra = append(takeSets(sets, map[string]*Attrs{
		"instance_attributes": &o.Params, "meta_attributes": &o.Meta, "utilization": &o.Utilization,
	}), shared...)
	if p.more() {
		p.fail(p.peek(), "params, meta, utilization or op")
	}
	return o
}

// parseTemplate reads a template for primitives.
func parseTemplate(p *parser) Object {
	o := parsePrimitive(p).(*Primitive)
	b := &builder{config: etree.NewElement("configuration"), ids: idPool{}}
	b.putPrimitive(o)
	el := b.find("resources", "primitive", o.Name)
	el.Tag = "template"
	return &XML{element: el}
}

// opAttrs lists the attributes of an operation itself; others among them are its parameters.
var opAttrs = []string{
	"interval", "timeout", "role", "on-fail", "start-delay", "interval-origin", "enabled",
	"record-pending", "description",
}

func (p *parser) op() Op {
	op := Op{Name: p.next("an operation, such as monitor")}
	if strings.Contains(op.Name, "=") {
		p.at--
		p.fail(op.Name, "an operation, such as monitor, before its attributes")
	}
	into := etree.NewElement("sets")
	var params *etree.Element
	for _, a := range p.attrs() {
		switch {
		case a.Name == "interval":
			op.Interval = a.Value
		case slices.Contains(opAttrs, a.Name):
			op.Attrs = append(op.Attrs, a)
		default:
			if params == nil {
				params = into.CreateElement("instance_attributes")
			}
			addPairs(params, Attrs{a})
		}
	}
	for _, c := range p.sets("", map[string]string{
		"op_params": "instance_attributes", "op_meta": "meta_attributes",
	}, nil).ChildElements() {
		into.AddChild(c)
	}
	op.extra = takeSets(into, map[string]*Attrs{
		"instance_attributes": &op.Params, "meta_attributes": &op.Meta,
	})
	return op
}

// ocfRoot is where OCF agents are installed.
const ocfRoot = "/usr/lib/ocf/resource.d"

// agent completes an agent's name as crmsh does: the class defaults to ocf, the provider to
// heartbeat, pacemaker, or else any that has an agent of that name.
func (p *parser) agent(name string) (class, provider, typ string) {
	parts := strings.Split(name, ":")
	if slices.Contains(parts, "") || len(parts) > 3 {
		p.at--
		p.fail(name, "an agent: class:provider:type, such as ocf:hawser:haproxy")
	}
	switch len(parts) {
	case 3:
		return parts[0], parts[1], parts[2]
	case 1:
		parts = []string{"ocf", parts[0]}
	}
	if parts[0] != "ocf" {
		return parts[0], "", parts[1]
	}
	return "ocf", providerOf(parts[1]), parts[1]
}

func providerOf(typ string) string {
	if strings.ContainsAny(typ, `/\*?[`) {
		return "heartbeat"
	}
	found, err := filepath.Glob(filepath.Join(ocfRoot, "*", typ))
	if err != nil {
		return "heartbeat"
	}
	var providers []string
	for _, path := range found {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			providers = append(providers, filepath.Base(filepath.Dir(path)))
		}
	}
	for _, first := range []string{"heartbeat", "pacemaker"} {
		if slices.Contains(providers, first) {
			return first
		}
	}
	if len(providers) > 0 {
		return providers[0]
	}
	return "heartbeat"
}

func parseClone(p *parser) Object {
	o := &Clone{Name: p.id("clone")}
	o.Resource = p.id("primitive or group")
	o.Description = p.description()
	o.extra = p.container(&o.Params, &o.Meta)
	return o
}

// promotableMeta are the meta attributes of a promotable clone, by the names that they had when it
// was a resource of its own kind.
var promotableMeta = map[string]string{
	"master-max": "promoted-max", "master-node-max": "promoted-node-max",
}

// parsePromotable reads `ms`, as a promotable clone was called until Pacemaker 2.0.
func parsePromotable(p *parser) Object {
	o := parseClone(p).(*Clone)
	meta := Attrs{{"promotable", "true"}}
	for _, a := range o.Meta {
		if name := promotableMeta[a.Name]; name != "" {
			a.Name = name
		}
		meta.Set(a.Name, a.Value)
	}
	o.Meta = meta
	return o
}

func parseGroup(p *parser) Object {
	o := &Group{Name: p.id("group")}
	for n := 0; n == 0 ||
		p.more() && !strings.Contains(p.peek(), "=") &&
			!slices.Contains(enders, strings.ToLower(p.peek())); n++ {
		o.Members = append(o.Members, p.id("primitive"))
	}
	o.Description = p.description()
	o.extra = p.container(&o.Params, &o.Meta)
	return o
}

// container reads the attribute sets of a clone or group.
func (p *parser) container(params, meta *Attrs) extras {
	sets := p.sets("instance_attributes", map[string]string{
		"params": "instance_attributes", "meta": "meta_attributes",
	}, nil)
	if p.more() {
		p.fail(p.peek(), "params or meta")
	}
	return takeSets(sets, map[string]*Attrs{"instance_attributes": params, "meta_attributes": meta})
}

func parseTag(p *parser) Object {
	o := &Tag{}
	if label, ok := p.acceptLabel(); ok {
		if !isNCName(label) {
			p.at--
			p.fail(label, "the id of the tag")
		}
		o.Name = label
	} else {
		o.Name = p.id("tag")
	}
	for n := 0; n == 0 || p.more(); n++ {
		o.Refs = append(o.Refs, p.next("the id of an object"))
	}
	return o
}

func parseNode(p *parser) Object {
	o := &Node{}
	if id, ok := p.acceptPair("$id"); ok {
		o.NodeID = id
	} else if id, ok := p.acceptLabel(); ok {
		o.NodeID = id
	}
	o.Uname = p.next("the name of the node")
	if name, typ, ok := strings.Cut(o.Uname, ":"); ok {
		o.Uname, o.Type = name, p.oneOf(typ, []string{"normal", "member", "ping", "remote"})
	}
	o.Description = p.description()
	sets := p.sets("instance_attributes", map[string]string{
		"attributes": "instance_attributes", "utilization": "utilization",
	}, nil)
	o.extra = takeSets(sets, map[string]*Attrs{
		"instance_attributes": &o.Attributes, "utilization": &o.Utilization,
	})
	if p.more() {
		p.fail(p.peek(), "attributes or utilization")
	}
	return o
}
