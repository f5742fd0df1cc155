package crm

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// scoreOf is Pacemaker's word for a score in crmsh's: inf is INFINITY, mandatory too, advisory is
// 0.
func scoreOf(s string) string {
	sign, rest := "", s
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		sign, rest = s[:1], s[1:]
	}
	switch strings.ToLower(rest) {
	case "inf", "infinity":
		if sign == "+" {
			sign = ""
		}
		return sign + InfinityWord
	case "mandatory":
		if sign == "" {
			return InfinityWord
		}
	case "advisory":
		if sign == "" {
			return "0"
		}
	}
	return s
}

// shellScore is crmsh's word for a score in Pacemaker's.
func shellScore(s string) string { return strings.Replace(s, InfinityWord, "inf", 1) }

func (p *parser) score() string {
	label, ok := p.acceptLabel()
	if !ok {
		p.fail(p.peek(), "a score and a colon, such as inf:")
	}
	score := scoreOf(label)
	if !scoreRE.MatchString(score) {
		p.at--
		p.fail(p.peek(), "a score: a number, inf or -inf, and a colon")
	}
	return score
}

// acceptTail takes a last word of the form name=value.
func (p *parser) acceptTail(name string) (string, bool) {
	if len(p.words) == p.at {
		return "", false
	}
	last := p.words[len(p.words)-1].text
	n, val, ok := strings.Cut(last, "=")
	if !ok || !strings.EqualFold(n, name) {
		return "", false
	}
	p.words = p.words[:len(p.words)-1]
	return val, true
}

func parseColocation(p *parser) Object {
	o := &Colocation{Name: p.id("colocation"), extra: extras{}}
	o.Score = p.score()
	for taken := true; taken; {
		taken = false
		if v, ok := p.acceptTail("node-attribute"); ok {
			o.NodeAttribute, taken = v, true
		} else if v, ok := p.acceptTail("influence"); ok {
			o.Influence, taken = p.oneOf(v, bools), true
		}
	}
	if len(p.words)-p.at == 2 && !strings.ContainsAny(p.peek()[:min(1, len(p.peek()))], "([_") {
		o.Resource, o.Role = p.qualified(roles)
		o.With, o.WithRole = p.qualified(roles)
		return o
	}
	o.Sets = p.resourceSets("role", roles)
	return o
}

func parseOrder(p *parser) Object {
	o := &Order{Name: p.id("order"), extra: extras{}}
	if label, ok := p.acceptLabel(); ok {
		score := scoreOf(label)
		switch {
		case slices.ContainsFunc(kinds, func(k string) bool { return strings.EqualFold(k, label) }):
			o.Kind = p.oneOf(label, kinds)
		case score == "0":
			o.Kind = "Optional"
		case scoreRE.MatchString(score): // as crmsh reads the older form
			o.Kind = "Mandatory"
		default:
			p.at--
			p.fail(p.peek(), "a kind and a colon: "+orList(kinds))
		}
	}
	for taken := true; taken; {
		taken = false
		if v, ok := p.acceptTail("symmetrical"); ok {
			o.Symmetrical, taken = p.boolean(v), true
		} else if len(p.words)-p.at == 3 { // of more resources it is the set's
			if v, ok := p.acceptTail("require-all"); ok {
				o.RequireAll, taken = p.boolean(v), true
			}
		}
	}
	if len(p.words)-p.at == 2 && !strings.ContainsAny(p.peek()[:min(1, len(p.peek()))], "([_") {
		o.First, o.FirstAction = p.qualified(actions)
		o.Then, o.ThenAction = p.qualified(actions)
		return o
	}
	o.Sets = p.resourceSets("action", actions)
	return o
}

func (p *parser) boolean(word string) string {
	switch strings.ToLower(word) {
	case "true", "yes", "on", "y", "1":
		return "true"
	case "false", "no", "off", "n", "0":
		return "false"
	}
	p.fail(word, "true or false")
	return ""
}

// qualified reads RESOURCE or RESOURCE:QUALIFIER.
func (p *parser) qualified(choices []string) (id, qualifier string) {
	text := p.next("a resource")
	id, qualifier, ok := strings.Cut(text, ":")
	if !isNCName(id) {
		p.at--
		p.fail(text, "the id of a resource")
	}
	if ok {
		qualifier = p.oneOf(qualifier, choices)
	}
	return id, qualifier
}

// resourceSets reads sets of resources: ( … ) is not sequential, [ … ] needs any one of them, a
// change of role or action begins a new set. sequential= and require-all= hold for the set in which
// they stand, with brackets or without.
func (p *parser) resourceSets(attr string, choices []string) []ResourceSet {
	p.unglue()
	var sets []ResourceSet
	var cur ResourceSet
	qualifier, open := "", ""
	sequential, requireAll, marked := true, true, false
	flush := func() {
		if len(cur.Resources) == 0 {
			return
		}
		if !requireAll {
			cur.Attrs = append(cur.Attrs, Attr{"require-all", "false"})
		}
		if !sequential {
			cur.Attrs = append(cur.Attrs, Attr{"sequential", "false"})
		}
		if qualifier != "" {
			cur.Attrs = append(cur.Attrs, Attr{attr, qualifier})
		}
		sets = append(sets, cur)
		cur, qualifier = ResourceSet{}, ""
	}
	for p.more() && p.peek() != "}" {
		switch text := p.peek(); {
		case text == "_rsc_set_":
			marked = true
			p.at++
		case text == "(" || text == "[":
			if open != "" {
				p.fail(text, "the end of the set that is open; sets do not nest")
			}
			flush()
			open, sequential, requireAll = text, false, text == "("
			p.at++
		case text == ")" || text == "]":
			if open == "" || (open == "(") != (text == ")") {
				p.fail(text, "a resource, or the bracket that closes the open set")
			}
			if len(cur.Resources) == 0 {
				p.fail(text, "a resource")
			}
			flush()
			open, sequential, requireAll = "", true, true
			p.at++
		case strings.HasPrefix(text, "sequential="):
			sequential = p.setFlag("sequential")
		case strings.HasPrefix(text, "require-all="):
			requireAll = p.setFlag("require-all")
		default:
			id, q := p.qualified(choices)
			if q != qualifier {
				flush()
				qualifier = q
			}
			cur.Resources = append(cur.Resources, id)
		}
	}
	if open != "" {
		p.fail("", "the bracket that closes the set")
	}
	flush()
	if len(sets) == 0 ||
		!marked && p.peek() != "}" && len(sets) == 1 && len(sets[0].Resources) == 1 {
		p.fail(p.peek(), "two resources, or sets of them")
	}
	return sets
}

// setFlag takes name=true or name=false.
func (p *parser) setFlag(name string) bool {
	word, _ := p.acceptPair(name)
	return p.boolean(word) == "true"
}

// unglue separates brackets from adjacent words.
func (p *parser) unglue() {
	var out statement
	for _, w := range p.words[p.at:] {
		text := w.text
		if len(text) > 1 && strings.ContainsAny(text[:1], "([") {
			out = append(out, word{text[:1], w.line})
			text = text[1:]
		}
		tail := ""
		if len(text) > 1 && strings.ContainsAny(text[len(text)-1:], ")]") {
			text, tail = text[:len(text)-1], text[len(text)-1:]
		}
		out = append(out, word{text, w.line})
		if tail != "" {
			out = append(out, word{tail, w.line})
		}
	}
	p.words = append(slices.Clone(p.words[:p.at]), out...)
}

func parseLocation(p *parser) Object {
	o := &Location{Name: p.id("location")}
	subject := p.next("a resource, /pattern/ or { resources }")
	switch {
	case len(subject) > 2 && strings.HasPrefix(subject, "/") && strings.HasSuffix(subject, "/"):
		o.Pattern = subject[1 : len(subject)-1]
	case subject == "{":
		o.Sets = p.resourceSets("role", roles)
		if p.peek() != "}" {
			p.fail(p.peek(), "} after the resources")
		}
		p.at++
	case isNCName(subject):
		o.Resource = subject
	default:
		p.at--
		p.fail(subject, "a resource, /pattern/ or { resources }")
	}
	p.locationAttrs(o)
	if label, ok := p.acceptLabel(); ok {
		o.Score = scoreOf(label)
		if !scoreRE.MatchString(o.Score) {
			p.at--
			p.fail(p.peek(), "a score: a number, inf or -inf, and a colon")
		}
		o.Node = p.next("the name of a node")
		p.locationAttrs(o)
		return o
	}
	for _, r := range p.rules() {
		o.extra = append(o.extra, r)
	}
	if len(o.extra) == 0 {
		p.fail(p.peek(), "a score and a node, such as `100: lb-1`, or a rule")
	}
	return o
}

func (p *parser) locationAttrs(o *Location) {
	for {
		if v, ok := p.acceptPair("role", "$role"); ok {
			o.Role = p.oneOf(v, roles)
		} else if v, ok := p.acceptPair("resource-discovery"); ok {
			o.Discovery = p.oneOf(v, []string{"always", "never", "exclusive"})
		} else {
			return
		}
	}
}

// parseTicket reads a constraint that lets resources run only where a ticket is granted.
func parseTicket(p *parser) Object {
	el := etree.NewElement("rsc_ticket")
	el.CreateAttr("id", p.id("rsc_ticket"))
	ticket, ok := p.acceptLabel()
	if !ok {
		p.fail(p.peek(), "the name of a ticket and a colon")
	}
	if policy, ok := p.acceptTail("loss-policy"); ok {
		el.CreateAttr("loss-policy", p.oneOf(policy, []string{"stop", "demote", "fence", "freeze"}))
	}
	if len(p.words)-p.at == 1 {
		id, role := p.qualified(roles)
		setAll(el, "rsc", id, "rsc-role", role)
	} else {
		b := &builder{ids: idPool{}}
		b.putSets(el, p.resourceSets("role", roles), value(el, "id"))
	}
	el.CreateAttr("ticket", ticket)
	return &XML{element: el}
}
