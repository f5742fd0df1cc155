package crm

import (
	"fmt"
	"strings"
)

// ref is an id that an object needs.
type ref struct{ field, id string }

func (o *Primitive) validate(r *report) {
	r.checkID("id", o.Name)
	r.checkText("description", o.Description)
	if o.Template == "" {
		if o.Class == "" || o.Type == "" {
			r.add("agent", agentName(o),
				"must be class:provider:type, or class:type where the class has no providers")
		}
		if o.Class == "ocf" && o.Provider == "" {
			r.add("agent", agentName(o),
				"an agent of the class ocf needs a provider: ocf:PROVIDER:TYPE")
		}
		for _, part := range []string{o.Class, o.Provider, o.Type} {
			if part == o.Type {
				part = strings.TrimPrefix(part, "/") // it may be named by its path
			}
			if part != "" && (!nameRE.MatchString(part) || strings.Contains(part, ":")) {
				r.add("agent", agentName(o),
					"is not class:provider:type, each of letters, digits and _.@-")
				break
			}
		}
	} else if o.Class+o.Provider+o.Type != "" {
		r.add("agent", agentName(o), "cannot be given together with the template %s", o.Template)
	}
	r.checkAttrs("params", o.Params)
	r.checkAttrs("meta", o.Meta)
	r.checkAttrs("utilization", o.Utilization)
	seen := map[string]bool{}
	for i := range o.Ops {
		o.Ops[i].validate(r, seen)
	}
}

// validate reports an operation without a name, with invalid times, or one that Pacemaker would
// confuse with another: name and interval tell operations apart, roles do not.
func (op *Op) validate(r *report, seen map[string]bool) {
	if op.Name == "" {
		r.add("op", "", "an operation needs a name, such as monitor")
		return
	}
	field := op.label()
	if !nameRE.MatchString(op.Name) {
		r.add("op", op.Name, "is not the name of an operation")
	}
	interval, err := parseInterval(op.interval())
	if err != nil {
		r.add(field+" interval", op.Interval, "%v", err)
	} else if key := fmt.Sprint(op.Name, interval); interval >= 0 {
		if seen[key] {
			r.add(field, "",
				"there is another %s with the same interval; they must differ, if only by a second",
				op.Name)
		}
		seen[key] = true
	}
	for _, a := range op.Attrs {
		if a.Value == "" {
			r.add(field+" "+a.Name, "", "has no value")
		}
		switch a.Name {
		case "id", "name", "interval":
			r.add(field+" "+a.Name, a.Value, "is not an attribute that can be given here")
		case "timeout", "start-delay":
			if _, err := parseInterval(a.Value); err != nil {
				r.add(field+" "+a.Name, a.Value, "%v", err)
			}
		}
	}
	r.checkAttrs(field, op.Attrs)
	r.checkAttrs(field+" op_params", op.Params)
	r.checkAttrs(field+" op_meta", op.Meta)
}

func (o *Clone) validate(r *report) {
	r.checkID("id", o.Name)
	r.checkText("description", o.Description)
	if o.Resource == "" {
		r.add("resource", "", "a clone needs the id of a primitive or group")
	}
	r.checkAttrs("params", o.Params)
	r.checkAttrs("meta", o.Meta)
}

func (o *Group) validate(r *report) {
	r.checkID("id", o.Name)
	r.checkText("description", o.Description)
	if len(o.Members) == 0 {
		r.add("members", "", "a group needs at least one primitive")
	}
	seen := map[string]bool{}
	for _, m := range o.Members {
		if seen[m] {
			r.add("members", m, "is listed more than once")
		}
		seen[m] = true
	}
	r.checkAttrs("params", o.Params)
	r.checkAttrs("meta", o.Meta)
}

func (o *Colocation) validate(r *report) {
	r.checkID("id", o.Name)
	// One that was read may have none, which to Pacemaker is a score of its own.
	if o.Score != "" || len(o.Sets) == 0 && o.extra == nil {
		r.checkScore("score", o.Score)
	}
	r.checkPair("resource", o.Resource, "with", o.With, o.Sets, false)
	r.checkOneOf("role", o.Role, roles...)
	r.checkOneOf("with-role", o.WithRole, roles...)
	r.checkOneOf("influence", o.Influence, bools...)
	r.checkText("node-attribute", o.NodeAttribute)
}

func (o *Order) validate(r *report) {
	r.checkID("id", o.Name)
	r.checkOneOf("kind", o.Kind, kinds...)
	if o.Score != "" {
		r.checkScore("score", o.Score)
		if o.Kind != "" {
			r.add("score", o.Score, "cannot be given together with the kind %s", o.Kind)
		}
	}
	r.checkPair("first", o.First, "then", o.Then, o.Sets, o.FirstAction != o.ThenAction)
	r.checkOneOf("first-action", o.FirstAction, actions...)
	r.checkOneOf("then-action", o.ThenAction, actions...)
	r.checkOneOf("symmetrical", o.Symmetrical, bools...)
	r.checkOneOf("require-all", o.RequireAll, bools...)
}

func (o *Location) validate(r *report) {
	r.checkID("id", o.Name)
	given := 0
	for _, is := range []bool{o.Resource != "", o.Pattern != "", len(o.Sets) > 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		r.add("resource", "", "exactly one of a resource, a /pattern/ or a { set } is expected")
	}
	r.checkText("pattern", o.Pattern)
	r.checkSets(o.Sets)
	switch {
	case o.Node == "" && o.extra.count("rule") == 0:
		r.add("node", "", "a node with a score, or a rule, is expected")
	case o.Node != "" && o.extra.count("rule") > 0:
		r.add("node", o.Node, "cannot be given together with rules")
	case o.Node != "":
		if !nameRE.MatchString(o.Node) {
			r.add("node", o.Node, "is not the name of a node")
		}
		r.checkScore("score", o.Score)
	}
	r.checkOneOf("role", o.Role, roles...)
	r.checkOneOf("resource-discovery", o.Discovery, "always", "never", "exclusive")
}

// checkPair reports constraints that name neither two resources nor sets of them. The same resource
// twice makes sense where the two sides differ in a role or an action.
func (r *report) checkPair(firstField, first, secondField, second string, sets []ResourceSet,
	mayRepeat bool) {
	if len(sets) > 0 {
		if first+second != "" {
			r.add(firstField, first+second, "cannot be given together with resource sets")
		}
		r.checkSets(sets)
		return
	}
	if first == "" {
		r.add(firstField, "", "a resource is expected")
	}
	if second == "" {
		r.add(secondField, "", "a resource is expected")
	}
	if first != "" && first == second && !mayRepeat {
		r.add(secondField, second, "is the same resource twice")
	}
}

func (r *report) checkSets(sets []ResourceSet) {
	for _, s := range sets {
		if s.Name != "" {
			r.checkID("resource set", s.Name)
		}
		if len(s.Resources) == 0 {
			r.add("resource set", s.Name, "is empty")
		}
		r.checkAttrs("resource set", s.Attrs)
	}
}

func (o *Property) validate(r *report) {
	switch o.Section {
	case "", ClusterProperty, RscDefaults, OpDefaults:
	default:
		r.add("section", string(o.Section), "must be property, rsc_defaults or op_defaults")
	}
	r.checkID("set", o.set())
	if o.Name == "" {
		r.add("name", "", "a name is required")
	}
	if o.Name != "" && !nameRE.MatchString(o.Name) {
		r.add("name", o.Name,
			"is not the name of an option: letters, digits and _.:#-/ are accepted")
	}
	r.checkText("value", o.Value)
}

func (o *Tag) validate(r *report) {
	r.checkID("id", o.Name)
	if len(o.Refs) == 0 {
		r.add("refs", "", "a tag names at least one object")
	}
	seen := map[string]bool{}
	for _, id := range o.Refs {
		if !nameRE.MatchString(id) { // a node's id may be a number
			r.add("refs", id, "is not the id of an object")
		}
		if seen[id] {
			r.add("refs", id, "is named more than once")
		}
		seen[id] = true
	}
}

func (o *Node) validate(r *report) {
	if o.NodeID != "" && !nameRE.MatchString(o.NodeID) {
		r.add("id", o.NodeID, "is not the id of a node")
	}
	if o.Uname == "" {
		r.add("uname", "", "a node needs a name")
	} else if !nameRE.MatchString(o.Uname) || strings.Contains(o.Uname, ":") {
		r.add("uname", o.Uname, "is not the name of a node")
	}
	r.checkText("description", o.Description)
	r.checkOneOf("type", o.Type, "member", "remote", "ping", "normal")
	r.checkAttrs("attributes", o.Attributes)
	r.checkAttrs("utilization", o.Utilization)
}

func (o *XML) validate(r *report) {
	if o.element == nil {
		r.add("xml", "", "there is no element")
		return
	}
	if _, ok := sectionOf[o.element.Tag]; !ok && o.section == "" {
		r.add("xml", o.element.Tag, "is not an element that stands in a section of its own")
	}
	r.checkID("id", o.ID())
}

func (o *Primitive) refs() []ref {
	if o.Template == "" {
		return nil
	}
	return []ref{{"template", o.Template}}
}

func (o *Clone) refs() []ref { return []ref{{"resource", o.Resource}} }

func (o *Group) refs() []ref {
	var refs []ref
	for _, m := range o.Members {
		refs = append(refs, ref{"members", m})
	}
	return refs
}

func (o *Colocation) refs() []ref {
	return append(setRefs(o.Sets), nonEmpty(ref{"resource", o.Resource}, ref{"with", o.With})...)
}

func (o *Order) refs() []ref {
	return append(setRefs(o.Sets), nonEmpty(ref{"first", o.First}, ref{"then", o.Then})...)
}

func (o *Location) refs() []ref {
	return append(setRefs(o.Sets), nonEmpty(ref{"resource", o.Resource})...)
}

func (*Property) refs() []ref { return nil }
func (*Tag) refs() []ref      { return nil } // Pacemaker lets a tag name what does not exist
func (*Node) refs() []ref     { return nil }
func (*XML) refs() []ref      { return nil }

func setRefs(sets []ResourceSet) []ref {
	var refs []ref
	for _, s := range sets {
		for _, id := range s.Resources {
			refs = append(refs, ref{"resource set", id})
		}
	}
	return refs
}

func nonEmpty(refs ...ref) []ref {
	var out []ref
	for _, r := range refs {
		if r.id != "" {
			out = append(out, r)
		}
	}
	return out
}
