package crm

import (
	"strconv"
	"strings"
)

// ScoreOf reads a score as Pacemaker does: what is beyond INFINITY is INFINITY.
func ScoreOf(text string) (score int, ok bool) {
	switch strings.ToUpper(strings.TrimPrefix(text, "+")) {
	case InfinityWord, "INF":
		return Infinity, true
	case "-" + InfinityWord, "-INF":
		return -Infinity, true
	}
	n, err := strconv.Atoi(strings.TrimPrefix(text, "+"))
	if err != nil {
		return 0, false
	}
	return max(-Infinity, min(n, Infinity)), true
}

// Preference returns the one node and the score that a location constraint is about, said with a node or
// with a rule that compares nothing but the node's name; false if it is about anything else, or about
// more than that.
func (o *Location) Preference() (node string, score int, ok bool) {
	if o.Resource == "" || o.Pattern != "" || len(o.Sets) > 0 || o.Role != "" && o.Role != "Started" ||
		o.Discovery != "" && o.Discovery != "always" {
		return "", 0, false
	}
	if len(o.extra) == 0 {
		score, ok = ScoreOf(o.Score)
		return o.Node, score, ok && o.Node != ""
	}
	rule := o.extra[0]
	if len(o.extra) > 1 || o.Node != "" || rule.Tag != "rule" || len(rule.ChildElements()) != 1 {
		return "", 0, false
	}
	for _, a := range rule.Attr {
		if a.Key != "id" && a.Key != "score" && a.Key != "boolean-op" {
			return "", 0, false
		}
	}
	by := rule.ChildElements()[0]
	if by.Tag != "expression" || value(by, "attribute") != nodeName || value(by, "operation") != "eq" ||
		value(by, "value-source") != "" || value(by, "value") == "" {
		return "", 0, false
	}
	score, ok = ScoreOf(value(rule, "score"))
	return value(by, "value"), score, ok
}

// Together returns the resource and the one that it has to be where that is, if the constraint says
// this and nothing else.
func (o *Colocation) Together() (resource, with string, ok bool) {
	score, read := ScoreOf(o.Score)
	started := func(role string) bool { return role == "" || role == "Started" }
	return o.Resource, o.With, read && score == Infinity && o.Resource != "" && o.With != "" &&
		len(o.Sets) == 0 && len(o.extra) == 0 && len(o.more) == 0 && started(o.Role) &&
		started(o.WithRole) && (o.NodeAttribute == "" || o.NodeAttribute == nodeName) &&
		(o.Influence == "" || IsTrue(o.Influence))
}

// Follows returns the resource that starts first and the one that starts after it and stops before it,
// if the constraint says this and nothing else.
func (o *Order) Follows() (first, then string, ok bool) {
	must := o.Kind == "Mandatory" || o.Kind == ""
	if o.Score != "" {
		score, read := ScoreOf(o.Score)
		must = must && read && score == Infinity
	}
	either := func(word string, likewise ...string) bool {
		for _, l := range likewise {
			if strings.EqualFold(word, l) {
				return true
			}
		}
		return word == ""
	}
	return o.First, o.Then, must && o.First != "" && o.Then != "" && len(o.Sets) == 0 &&
		len(o.extra) == 0 && len(o.more) == 0 && either(o.FirstAction, "start") &&
		either(o.ThenAction, "start") && either(o.Symmetrical, "true", "on", "yes", "1") &&
		either(o.RequireAll, "true", "on", "yes", "1")
}
