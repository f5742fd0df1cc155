package crm

import "github.com/beevik/etree"

// Prefer is a location constraint that gives the resource the score on each node that has the node
// attribute, whatever its value.
func Prefer(name, resource, attribute, score string) *Location {
	rule := etree.NewElement("rule")
	rule.CreateAttr("score", score)
	expression := rule.CreateElement("expression")
	expression.CreateAttr("attribute", attribute)
	expression.CreateAttr("operation", "defined")
	return &Location{Name: name, Resource: resource, extra: extras{rule}}
}
