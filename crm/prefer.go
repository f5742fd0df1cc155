package crm

import "github.com/beevik/etree"

// Prefer is a location constraint that gives the resource the score on each node that has the node
// attribute, whatever its value.
func Prefer(name, resource, attribute, score string) *Location {
	return byAttribute(name, resource, score, "attribute", attribute, "operation", "defined")
}

// PreferUnless is a location constraint that gives the resource the score on each node whose node
// attribute has another value, or that does not have it (Pacemaker Explained, "Node Attribute
// Expressions": ne is true of an attribute that is not set).
//
// The score is to be positive. A negative one for the nodes that have the value would keep the
// resource from running anywhere once all of them have it: a node with a negative score runs
// nothing.
func PreferUnless(name, resource, attribute, value, score string) *Location {
	return byAttribute(name, resource, score,
		"attribute", attribute, "operation", "ne", "value", value)
}

// NodeScore is what nodes are worth to a resource.
type NodeScore struct {
	Nodes []string
	Score string
	// Attribute and Value, where given, are a node attribute that the nodes must have; without a
	// Value any will do.
	Attribute, Value string
}

// PreferNodes is a location constraint that gives the resource each score on its nodes.
func PreferNodes(name, resource string, scores []NodeScore) *Location {
	l := &Location{Name: name, Resource: resource}
	for _, s := range scores {
		if s.Attribute == "" {
			op := "or"
			if len(s.Nodes) == 1 {
				op = "and"
			}
			rule := newRule(s.Score, op)
			for _, node := range s.Nodes {
				addExpression(rule, "attribute", nodeName, "operation", "eq", "value", node)
			}
			l.extra = append(l.extra, rule)
			continue
		}
		// a rule for each node: crmsh has no way to write one with both "and" and "or"
		for _, node := range s.Nodes {
			rule := newRule(s.Score, "and")
			addExpression(rule, "attribute", nodeName, "operation", "eq", "value", node)
			if s.Value == "" {
				addExpression(rule, "attribute", s.Attribute, "operation", "defined")
			} else {
				addExpression(rule, "attribute", s.Attribute, "operation", "eq", "value", s.Value)
			}
			l.extra = append(l.extra, rule)
		}
	}
	return l
}

// nodeName is the node attribute that Pacemaker itself has for the node's name.
const nodeName = "#uname"

func newRule(score, boolOp string) *etree.Element {
	rule := etree.NewElement("rule")
	rule.CreateAttr("score", score)
	if boolOp != "and" { // which is what Pacemaker takes without
		rule.CreateAttr("boolean-op", boolOp)
	}
	return rule
}

// addExpression adds an expression, whose attributes are given as names and values.
func addExpression(rule *etree.Element, attrs ...string) {
	e := rule.CreateElement("expression")
	for i := 0; i+1 < len(attrs); i += 2 {
		e.CreateAttr(attrs[i], attrs[i+1])
	}
}

// byAttribute makes a constraint with one rule of one expression, whose attributes are given as
// names and values.
func byAttribute(name, resource, score string, expression ...string) *Location {
	rule := newRule(score, "and")
	addExpression(rule, expression...)
	return &Location{Name: name, Resource: resource, extra: extras{rule}}
}
