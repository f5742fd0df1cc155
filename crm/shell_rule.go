package crm

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// The words of crmsh's rules.
var (
	compareOps   = []string{"lt", "gt", "lte", "gte", "eq", "ne"}
	compareTypes = []string{"string", "integer", "number", "version"}
	presenceOps  = []string{"defined", "not_defined"}
	dateParts    = []string{
		"hours", "monthdays", "weekdays", "yeardays", "yearsdays", "months", "weeks", "years",
		"weekyears", "moon", "seconds", "minutes",
	}
)

// ruleText is the rule in crmsh's grammar, after the word "rule"; false if the grammar cannot
// express it.
func ruleText(rule *etree.Element) (string, bool) {
	if ref := value(rule, "id-ref"); ref != "" {
		return pair("$id-ref", ref), len(rule.Attr) == 1 && len(rule.ChildElements()) == 0
	}
	var parts []string
	score, boolOp := "", "and"
	for _, a := range rule.Attr {
		switch a.Key {
		case "id":
			if referredIn(rule) {
				parts = append(parts, pair("$id", a.Value))
			}
		case "role":
			parts = append(parts, pair("$role", a.Value))
		case "score", "score-attribute":
			score = shellScore(a.Value)
		case "boolean-op":
			boolOp = a.Value
		default:
			return "", false
		}
	}
	if value(rule, "score") != InfinityWord {
		if score == "" || strings.ContainsAny(score, ": \t") {
			return "", false
		}
		parts = append(parts, score+":")
	}
	var exprs []string
	for _, c := range rule.ChildElements() {
		text, ok := "", false
		switch c.Tag {
		case "expression":
			text, ok = expressionText(c)
		case "date_expression":
			text, ok = dateText(c)
		}
		if !ok {
			return "", false
		}
		exprs = append(exprs, text)
	}
	if len(exprs) == 0 {
		return "", false
	}
	return strings.Join(append(parts, strings.Join(exprs, " "+boolOp+" ")), " "), true
}

func expressionText(el *etree.Element) (string, bool) {
	attr, op, val := value(el, "attribute"), value(el, "operation"), value(el, "value")
	if typ := value(el, "type"); typ != "" {
		op = typ + ":" + op
	}
	if source := value(el, "value-source"); source != "" && source != "literal" {
		val = source + "{" + val + "}"
	}
	if slices.Contains(presenceOps, op) {
		return op + " " + quoteWord(attr), val == ""
	}
	return quoteWord(attr) + " " + op + " " + quoteWord(val), val != "" && attr != ""
}

// quoteWord quotes only what would not be read as one word.
func quoteWord(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\"'\\") {
		return s
	}
	return quote(s)
}

func dateText(el *etree.Element) (string, bool) {
	op := value(el, "operation")
	children := el.ChildElements()
	switch {
	case op == "lt" && len(children) == 0:
		return "date lt " + quote(value(el, "end")), value(el, "start") == ""
	case op == "gt" && len(children) == 0:
		return "date gt " + quote(value(el, "start")), value(el, "end") == ""
	}
	word := map[string]string{"in_range": "in", "date_spec": "spec"}[op]
	if word == "" {
		return "", false
	}
	parts := []string{"date", word}
	for _, name := range []string{"start", "end"} {
		if v := value(el, name); v != "" {
			parts = append(parts, pair(name, v))
		}
	}
	for _, c := range children {
		if want := map[string]string{
			"in_range": "duration", "date_spec": "date_spec",
		}[op]; c.Tag != want {
			return "", false
		}
		for _, a := range c.Attr {
			if a.Key != "id" {
				parts = append(parts, pair(a.Key, a.Value))
			}
		}
	}
	least := 3
	if op == "in_range" {
		least = 4 // crmsh wants two ends, or one and a duration
	}
	return strings.Join(parts, " "), len(parts) >= least
}

// rules reads all the rules that follow.
func (p *parser) rules() []*etree.Element {
	var out []*etree.Element
	for p.accept("rule") {
		rule := etree.NewElement("rule")
		if ref, ok := p.acceptPair("$id-ref"); ok {
			rule.CreateAttr("id-ref", ref)
			out = append(out, rule)
			continue
		}
		for {
			if v, ok := p.acceptPair("$id"); ok {
				rule.CreateAttr("id", v)
			} else if v, ok := p.acceptPair("$role", "role"); ok {
				rule.CreateAttr("role", p.oneOf(v, roles))
			} else {
				break
			}
		}
		rule.CreateAttr("score", InfinityWord)
		if s, ok := p.acceptLabel(); ok {
			if score := scoreOf(s); scoreRE.MatchString(score) {
				rule.CreateAttr("score", score)
			} else {
				rule.RemoveAttr("score")
				rule.CreateAttr("score-attribute", s)
			}
		}
		p.expressions(rule)
		out = append(out, rule)
	}
	return out
}

func (p *parser) expressions(rule *etree.Element) {
	boolOp := ""
	for {
		p.expression(rule)
		op := strings.ToLower(p.peek())
		if op != "and" && op != "or" {
			break
		}
		if boolOp != "" && op != boolOp {
			p.fail(p.peek(), "the same of `and` and `or` throughout a rule")
		}
		boolOp = op
		p.next("")
	}
	if boolOp == "or" {
		rule.CreateAttr("boolean-op", "or")
	}
}

func (p *parser) expression(rule *etree.Element) {
	if p.accept("date") {
		p.date(rule.CreateElement("date_expression"))
		return
	}
	el := rule.CreateElement("expression")
	if slices.Contains(presenceOps, strings.ToLower(p.peek())) {
		el.CreateAttr("operation", strings.ToLower(p.next("")))
		el.CreateAttr("attribute", p.next("the name of a node attribute"))
		return
	}
	el.CreateAttr("attribute",
		p.next("an expression: ATTRIBUTE OPERATION VALUE, `defined ATTRIBUTE` or `date …`"))
	op := p.next("an operation: " + orList(compareOps))
	typ, bare, typed := strings.Cut(op, ":")
	if typed {
		if !slices.Contains(compareTypes, strings.ToLower(typ)) {
			p.fail(op, "a type of "+orList(compareTypes)+" before the colon")
		}
		el.CreateAttr("type", strings.ToLower(typ))
	} else {
		bare = op
	}
	if !slices.Contains(compareOps, strings.ToLower(bare)) {
		p.fail(op, "an operation: "+orList(compareOps))
	}
	el.CreateAttr("operation", strings.ToLower(bare))
	val := p.next("a value")
	if source, rest, ok := strings.Cut(val, "{"); ok && strings.HasSuffix(rest, "}") &&
		source != "" && len(rest) > 1 {
		el.CreateAttr("value", strings.TrimSuffix(rest, "}"))
		el.CreateAttr("value-source", source)
		return
	}
	el.CreateAttr("value", val)
}

func (p *parser) date(el *etree.Element) {
	op := strings.ToLower(p.next("a date operation: lt, gt, in or spec"))
	switch op {
	case "lt":
		el.CreateAttr("operation", op)
		el.CreateAttr("end", p.next("a date"))
	case "gt":
		el.CreateAttr("operation", op)
		el.CreateAttr("start", p.next("a date"))
	case "in", "in_range":
		el.CreateAttr("operation", "in_range")
		p.datePairs(el, "duration", append([]string{"start", "end"}, dateParts...))
	case "spec", "date_spec":
		el.CreateAttr("operation", "date_spec")
		p.datePairs(el, "date_spec", dateParts)
	default:
		p.fail(op, "a date operation: lt, gt, in or spec")
	}
}

func (p *parser) datePairs(el *etree.Element, tag string, names []string) {
	for n := 0; ; n++ {
		name, val, ok := strings.Cut(p.peek(), "=")
		if !ok || !slices.Contains(names, name) {
			if n == 0 {
				p.fail(p.peek(), "at least one of "+orList(names)+", as NAME=VALUE")
			}
			return
		}
		p.next("")
		if name == "start" || name == "end" {
			el.CreateAttr(name, val)
			continue
		}
		child := el.SelectElement(tag)
		if child == nil {
			child = el.CreateElement(tag)
		}
		child.CreateAttr(name, val)
	}
}
