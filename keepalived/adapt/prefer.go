package adapt

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// candidate is a node that a bundle may be on.
type candidate struct {
	*model.Instance
	config   *model.Config
	priority int // while all of its checks hold
}

// candidates are the nodes of a bundle, best first. Of equal ones the higher address wins, if the
// files say which they have.
func (a *adapter) candidates(b *bundle) []candidate {
	var all []candidate
	for _, n := range a.nodes {
		if i := b.instance(n.Config); i != nil {
			all = append(all, candidate{i, n.Config, i.Healthy()})
		}
	}
	slices.SortStableFunc(all, func(x, y candidate) int {
		if x.priority == y.priority && x.Source.IsValid() && y.Source.IsValid() {
			return y.Source.Compare(x.Source)
		}
		return cmp.Compare(y.priority, x.priority)
	})
	return all
}

// place decides where a bundle is to be, and whether it goes back there.
func (a *adapter) place(b *bundle) {
	all := a.candidates(b)
	best := all[0]
	if len(all) == 1 {
		a.say(best.config, cmp.Or(best.PriorityAt, best.At), NotNeeded, "the file of one node was "+
			"read: nothing to prefer")
		b.why = append(b.why, "the file of one node has it: no node is preferred")
		return
	}
	a.sameOrder(b, all)
	if best.priority == all[1].priority {
		for _, c := range all {
			if c.priority == best.priority {
				a.say(c.config, cmp.Or(c.PriorityAt, c.At), Remark, "%s have the same priority: "+
					"the higher "+
					"address of the two wins at a start, and nobody takes it back: failback: false",
					nodesOf(all, best.priority))
			}
		}
	}
	b.failback = best.priority > all[1].priority && !best.NoPreempt
	b.prefer = preferred(all)
	for _, c := range all {
		a.placed(b, c, best)
		for _, r := range b.routers {
			if i := r.of(c.config); i != nil && i != c.Instance {
				for _, at := range []*syntax.Statement{i.PriorityAt, i.PreemptAt, i.DelayAt} {
					a.say(c.config, at, Converted, "as that of %s, with which it moves", c.Name)
				}
			}
		}
	}
	switch {
	case b.failback && best.DelayAt != nil:
		b.after = int(math.Ceil(best.Delay))
		b.why = append(b.why, fmt.Sprintf("%s takes it back after preempt_delay", best.config.Node))
	case b.failback:
		b.why = append(b.why, fmt.Sprintf("without nopreempt %s takes it back at once; false "+
			"spares the "+
			"users a second interruption", best.config.Node))
	case best.NoPreempt:
		b.why = append(b.why, "nopreempt: it stays where it is when "+best.config.Node+" returns")
	default:
		b.why = append(b.why, "equal priorities: it stays where it is")
	}
	if b.after == 0 {
		return
	}
	a.say(best.config, best.DelayAt, Converted, "failback_after: %ds", b.after)
}

// placed says what became of what one node has to say about it.
func (a *adapter) placed(b *bundle, c, best candidate) {
	back := "failback: false"
	if b.failback {
		back = "failback: true"
	}
	text := "no prefer"
	if b.prefer != "" {
		text = "prefer: " + b.prefer
	}
	if c.priority != c.Priority {
		back += fmt.Sprintf(" (%d while its checks hold)", c.priority)
	}
	a.say(c.config, cmp.Or(c.PriorityAt, c.At), Converted, "%s, %s", text, back)
	back, _, _ = strings.Cut(back, " (")
	switch {
	case c.PreemptAt == nil:
	case !c.NoPreempt:
		a.say(c.config, c.PreemptAt, Remark, "%s", back)
	case c.config == best.config || !b.failback:
		a.say(c.config, c.PreemptAt, Converted, "%s", back)
	default:
		a.say(c.config, c.PreemptAt, Remark, "it has no effect here: %s has the higher priority, no "+
			"effective nopreempt, and takes the address back", best.config.Node)
	}
	if c.DelayAt != nil && (c.config != best.config || !b.failback) {
		a.say(c.config, c.DelayAt, NotNeeded, "it never takes the address from a better node")
	}
}

// sameOrder says where the routers of a bundle are not to be on the same nodes.
func (a *adapter) sameOrder(b *bundle, all []candidate) {
	for _, r := range b.routers[1:] {
		for n, c := range all {
			i := r.of(c.config)
			if i == nil || n == 0 {
				continue
			}
			before := r.of(all[n-1].config)
			if before != nil && cmp.Compare(before.Healthy(), i.Healthy()) !=
				cmp.Compare(all[n-1].priority, c.priority) {
				a.say(c.config, cmp.Or(i.PriorityAt, i.At), Remark, "%s and %s of one group have "+
					"another "+
					"order of nodes: that of %s counts", c.Name, i.Name, c.Name)
			}
		}
	}
}

func nodesOf(all []candidate, priority int) string {
	var names []string
	for _, c := range all {
		if c.priority == priority {
			names = append(names, c.config.Node)
		}
	}
	return strings.Join(names, " and ")
}

// preferred is the value of prefer: a list, or scores where some are equal and others not.
func preferred(all []candidate) string {
	ties, known := 0, 0
	for i := 1; i < len(all); i++ {
		if all[i].priority == all[i-1].priority {
			ties++
			if all[i].Source.IsValid() && all[i-1].Source.IsValid() {
				known++
			}
		}
	}
	var words []string
	for _, c := range all {
		words = append(words, scalar(c.config.Node))
	}
	switch {
	case ties == known:
		return "[" + strings.Join(words, ", ") + "]"
	case ties == len(all)-1:
		return ""
	}
	for i, c := range all {
		words[i] = fmt.Sprintf("%s: %d", scalar(c.config.Node), c.priority)
	}
	return "{" + strings.Join(words, ", ") + "}"
}
