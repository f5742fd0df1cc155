package rollout

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/words"
)

// Text says which nodes will reload, and which not.
func (l *Reload) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Reloading %s (%s) on %s.\n", l.Report.Resource, l.ConfFile,
		strings.Join(l.Waiting(), ", "))
	if l.Demanded != "" {
		fmt.Fprintf(&b, "The configuration to be served is %s, as on this node.\n", l.Demanded)
	}
	for _, n := range l.Report.Nodes {
		if n.State != NoAnswer {
			fmt.Fprintf(&b, "%s skipped: %s\n", n.Node, n.Reason)
		}
	}
	return b.String()
}

// Text says what has become of the reload on each node. paint returns a text in the colour of a
// state.
func (r ReloadReport) Text(paint func(NodeState, string) string) string {
	r = words.Cleaned(r)
	t := new(words.Table)
	for _, n := range r.Nodes {
		hashes := ""
		switch {
		case n.State == Absent || n.After == "" && n.Before == "":
		case n.State == Taken || n.Before != n.After:
			hashes = cmp.Or(n.Before, "unknown") + " -> " + cmp.Or(n.After, "unknown")
		default:
			hashes = n.Before
		}
		age, old := "", ""
		if n.WorkerSeconds != nil {
			age = "worker " + words.Rough(time.Duration(*n.WorkerSeconds)*time.Second) + " old"
		}
		if n.OldWorkers > 0 {
			old = words.OldWorkers(n.OldWorkers, n.Connections, seconds(n.CutSeconds))
		}
		reason := ""
		if n.State == Left || n.State == Absent {
			reason = n.Reason
		}
		t.Row(n.Node, paint(n.State, string(n.State)), hashes, age, old, reason)
	}
	return fmt.Sprintf("\n%s", t)
}

// seconds returns a number of seconds as a length of time, nil for nil.
func seconds(n *int64) *time.Duration {
	if n == nil {
		return nil
	}
	length := time.Duration(*n) * time.Second
	return &length
}

// Text says where the configuration is going to be pushed, and which nodes will miss it.
func (p *Push) Text(file string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Pushing %s (%.12s) to %s as %s.\n", file, p.Sum,
		strings.Join(p.Targets, ", "), p.ConfFile)
	for _, n := range p.Skipped {
		fmt.Fprintf(&b, "%s skipped: %s\n", n.Node, n.Reason)
	}
	return b.String()
}

// Text says what each node has answered.
func (r PushReport) Text() string {
	var b strings.Builder
	for _, n := range r.Nodes {
		switch {
		case n.Answer == Accepted && n.Serves:
			fmt.Fprintf(&b, "  %-16s serves it\n", n.Node)
		case n.Answer == Accepted:
			fmt.Fprintf(&b, "  %-16s accepts it\n", n.Node)
		case n.Answer == Refused:
			fmt.Fprintf(&b, "  %-16s refuses it: %s\n", n.Node, n.Reason)
		case n.Answer == Unanswered:
			fmt.Fprintf(&b, "  %-16s has not answered\n", n.Node)
		default:
			fmt.Fprintf(&b, "  %-16s %s: %s\n", n.Node, n.Answer, n.Reason)
		}
	}
	if r.Taken {
		fmt.Fprintf(&b, "A node that served another one has kept it as %s%s; `hawser reload --rollback "+
			"%s` brings it back.\n", r.File, contract.PreviousSuffix, r.Resource)
	}
	return b.String()
}
