package adapt

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/keepalived/syntax"
	"github.com/hawser-ha/hawser/param"
)

// tracked says what became of what the instances of a bundle track, and whether it ever moved
// anything.
func (a *adapter) tracked(b *bundle) {
	all := a.candidates(b)
	for _, r := range b.routers {
		for _, m := range r.members {
			for _, t := range slices.Concat(m.Scripts, m.Processes) {
				name, watched := a.checkOf(t)
				if name != "" && !t.Reverse && !slices.Contains(b.needs, name) {
					b.needs = append(b.needs, name)
				}
				switch {
				case t.Reverse:
					a.say(m.config, t.At, LeftOut, "reverse: it is well while the script fails, "+
						"and a check of "+
						"hawser while its program exits with 0: write one that does")
					continue
				case name != "":
					a.say(m.config, t.At, Converted, "needs: %s", name)
				case watched:
					a.say(m.config, t.At, Converted, "")
				default:
					a.say(m.config, t.At, LeftOut, "no check was made of it")
					continue
				}
				a.moves(m, t, all, name == "")
			}
			for _, t := range m.Interfaces {
				if t.Reverse {
					a.say(m.config, t.At, LeftOut, "reverse: hawser watches for a carrier that "+
						"is there")
					continue
				}
				a.carrier(b, m, t.Name, t.At)
				a.moves(m, t, all, false)
			}
			for _, t := range m.Files {
				a.say(m.config, t.At, LeftOut, "hawser reads no number from a file: write a "+
					"program that does, "+
					"and exec of a check")
			}
			for _, t := range m.BFD {
				a.say(m.config, t.At, LeftOut, "hawser knows no BFD")
			}
			for _, address := range m.Addresses {
				if address.Dev != "" && address.Dev != m.Interface && m.Primary && m.Interface != "" {
					a.carrier(b, m, m.Interface, nil)
				}
			}
		}
	}
}

// carrier adds an interface whose carrier the addresses need, unless they are on it.
func (a *adapter) carrier(b *bundle, m member, name string, at *syntax.Statement) {
	if _, err := param.ParseNIC(name); err != nil || !plainText(name) {
		a.say(m.config, at, LeftOut, "%q is no interface's name", name)
		return
	}
	if slices.ContainsFunc(b.addresses, func(x *address) bool { return x.nic != name }) {
		if a.links[name] = true; len(a.checks)+len(a.links) > param.MostChecks {
			delete(a.links, name)
			a.say(m.config, at, LeftOut, "there are more checks and interfaces than the %d that "+
				"hawser takes",
				param.MostChecks)
			return
		}
		if !slices.Contains(b.interfaces, name) {
			b.interfaces = append(b.interfaces, name)
		}
		a.say(m.config, at, Converted, "interfaces: its carrier is needed")
		return
	}
	a.say(m.config, at, Converted, "the carrier of its own interface is watched anyway")
}

// moves says whether the address ever went away when this failed on the node where it was.
func (a *adapter) moves(m member, t *model.Track, all []candidate, haproxy bool) {
	if t.Weight == 0 || len(all) < 2 || all[0].config != m.config {
		return
	}
	best, next := all[0], all[1]
	what := "the check"
	switch {
	case haproxy:
		what = "HAProxy"
	case t.Script == nil && t.Process == nil:
		what = "the interface"
	}
	left, _ := m.Failing(t)
	var why string
	switch {
	case next.NoPreempt:
		why = fmt.Sprintf("nopreempt on %s takes nothing from a node that still announces itself",
			next.config.Node)
	case left > next.priority:
		why = fmt.Sprintf("%s still has %d, and %s "+
			"%d", best.config.Node, left, next.config.Node, next.priority)
	case left == next.priority:
		why = fmt.Sprintf("%s and %s are equal then, with %d", best.config.Node, next.config.Node, left)
	default:
		return
	}
	at := t.At
	if t.Script != nil && len(t.At.Words) == 1 {
		for _, s := range t.Script.At.Body {
			if s.Words[0] == "weight" {
				at = s
			}
		}
	}
	a.say(m.config, cmp.Or(at, m.At), Remark, "keepalived never moved the address when %s failed "+
		"(weight %d: "+
		"%s); in hawser it moves", what, t.Weight, why)
}
