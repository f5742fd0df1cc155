// Package plantext has the text of a plan for people: each object that is created, changed or deleted,
// in crmsh's language, and what Pacemaker would do. It imports crm, contract and words. Start with
// Changes.
package plantext

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/words"
)

// Kind is what becomes of an object.
type Kind int

// Kinds.
const (
	Created Kind = iota
	Changed
	Deleted
)

// Changes lists the objects of a plan, without secrets. paint returns a text in the colour of what
// becomes of an object.
func Changes(p crm.Plan, paint func(Kind, string) string) string {
	if p.Empty() {
		return "Nothing to do: the cluster's configuration is as it should be.\n"
	}
	var b strings.Builder
	var count [Deleted + 1]int
	for _, c := range p.Changes {
		switch {
		case c.Old == nil:
			count[Created]++
			b.WriteString(paint(Created,
				mark("+ ", c.New)) + "\n")
		case c.New == nil:
			count[Deleted]++
			b.WriteString(paint(Deleted,
				mark("- ", c.Old)) + "\n")
		default:
			count[Changed]++
			b.WriteString(paint(Changed, "~ "+crm.Title(c.New)) + "\n")
			for _, f := range c.WithoutSecrets() {
				if isPushed(c.New) {
					f.Old, f.New = pushedSize(f.Old), pushedSize(f.New)
				}
				b.WriteString(words.Lines("      "+f.Describe(c.New)+"\n", words.Screen, 2))
			}
		}
	}
	fmt.Fprintf(&b, "\n%d to create, %d to change, %d to delete.\n", count[Created], count[Changed],
		count[Deleted])
	return b.String()
}

// isPushed is whether an object is a configuration of HAProxy on its way through the cluster, which
// nobody can read in this form.
func isPushed(o crm.Object) bool {
	p, ok := o.(*crm.Property)
	return ok && p.Name == contract.PushedConfig && strings.HasPrefix(p.Set, contract.PushSetPrefix)
}

func pushedSize(value string) string {
	if value == "" {
		return ""
	}
	return words.Count(len(value), "byte") + " of a pushed haproxy.cfg"
}

// unpacked is the object as it can be shown.
func unpacked(o crm.Object) crm.Object {
	if !isPushed(o) {
		return o
	}
	p := *o.(*crm.Property)
	p.Value = pushedSize(p.Value)
	return &p
}

// mark is the definition of an object with a sign before its first line, with which the others are
// aligned.
func mark(sign string, o crm.Object) string {
	text := words.Continued(crm.WithoutSecrets(unpacked(o)).String(), words.Screen-len(sign), "\t",
		words.Quotes)
	return sign + strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", len(sign)))
}

// Forecast says what the scheduler would do.
func Forecast(f crm.Forecast) string {
	if len(f.Actions) == 0 {
		return "\nPacemaker will start and stop nothing.\n"
	}
	text := "\nPacemaker will:\n"
	for _, line := range f.Lines() {
		text += words.Lines("  "+line+"\n", words.Screen, 2)
	}
	if slices.ContainsFunc(f.Actions, func(a crm.Action) bool { return a.Task == "reload" }) {
		text += words.Lines("A reload makes changed parameters take effect. HAProxy loads its files "+
			"only if the parameter generation changes, as `hawser reload` changes it.\n", words.Screen, 0)
	}
	return text
}

// Interruptions says first of all what visitors will notice, a paragraph for each.
func Interruptions(all []string, paint func(string) string) string {
	var b strings.Builder
	for _, what := range all {
		for _, line := range words.Wrap("INTERRUPTS: "+what, words.Screen) {
			b.WriteString(paint(line) + "\n")
		}
	}
	if len(all) > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// Places says where addresses will be, a line for each.
func Places[P fmt.Stringer](all []P) string {
	if len(all) == 0 {
		return ""
	}
	text := "\nWhere addresses will be:\n"
	for _, p := range all {
		text += words.Lines("  "+p.String()+"\n", words.Screen, 2)
	}
	return text
}

// Protection says what keeps an address from being held by two nodes, now and with the plan.
func Protection(now, then string) string {
	text := "Split-brain protection: " + now + "."
	if now != then {
		text = fmt.Sprintf("Split-brain protection: now %s; after apply %s.", now, then)
	}
	return words.Lines("\n"+text+"\n", words.Screen, 0)
}
