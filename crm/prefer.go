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

// byAttribute makes a constraint with one rule of one expression, whose attributes are given as
// names and values.
func byAttribute(name, resource, score string, expression ...string) *Location {
	rule := etree.NewElement("rule")
	rule.CreateAttr("score", score)
	e := rule.CreateElement("expression")
	for i := 0; i+1 < len(expression); i += 2 {
		e.CreateAttr(expression[i], expression[i+1])
	}
	return &Location{Name: name, Resource: resource, extra: extras{rule}}
}
