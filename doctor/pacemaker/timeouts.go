package pacemaker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// defaultTimeout is Pacemaker's, for an operation without a time-out.
const defaultTimeout = 20 * time.Second

// room is how many times longer a time-out should be than the longest run seen.
const room = 3

// checkTimeouts compares the operations' time-outs with how long operations took, and with what the
// agents ask for.
func checkTimeouts(ctx context.Context, v *view) ([]doctor.Finding, error) {
	var found []doctor.Finding
	var unread []error
	advertised := map[string][]crm.AgentAction{}
	for _, p := range v.primitives() {
		if !inventory.RunsHAProxy(p.Agent()) && !inventory.IsAddress(p.Agent()) &&
			p.Class != "stonith" {
			continue
		}
		agent := p.Agent()
		if _, asked := advertised[agent]; !asked {
			actions, err := v.Pacemaker.Advertised(ctx, agent)
			if err != nil {
				unread = append(unread, err)
			}
			advertised[agent] = actions
		}
		if f, short := v.tooShort(p, advertised[agent]); short {
			found = append(found, f)
		}
	}
	return found, errors.Join(unread...)
}

// tooShort lists a resource's operations whose time-outs are too short, and the resource with
// longer ones.
func (v *view) tooShort(p *crm.Primitive, advertised []crm.AgentAction) (doctor.Finding, bool) {
	better := *p
	better.Ops = slices.Clone(p.Ops)
	f := doctor.Finding{
		Severity: doctor.Note, Subject: p.Name,
		Why: "the agent's author expects an action to take that long when things are slow; one " +
			"that is cut short counts as failed",
	}
	var short []string
	for _, name := range []string{"start", "stop", "monitor"} {
		ops := indexes(better.Ops, name)
		if len(ops) == 0 {
			if name == "monitor" {
				continue // another check reports its absence
			}
			better.Ops = append(better.Ops, crm.Op{Name: name, Interval: "0s"})
			ops = []int{len(better.Ops) - 1}
		}
		longest, where := v.longest(p.Name, name)
		for _, i := range ops {
			op := &better.Ops[i]
			has := v.timeoutOf(*op)
			wants, said := advertisedFor(advertised, name, value(op.Params, "OCF_CHECK_LEVEL"))
			label := name
			if name == "monitor" {
				label += " every " + op.Interval
			}
			need := time.Duration(0)
			if has < room*longest {
				f.Severity = doctor.Warning
				f.Why = "if it is ever slower than that, the action counts as failed: a " +
					"monitor or start moves the resource, a failed stop gets the node fenced"
				short = append(short,
					fmt.Sprintf("%s has %v, and took %v on %s", label, has, longest, where))
				need = (room*longest + time.Second - 1).Truncate(time.Second)
			}
			if said && has < wants {
				if f.Severity == doctor.Note && name == "stop" {
					f.Severity = doctor.Warning // a stop that is cut short gets the node fenced
				}
				if need == 0 {
					short = append(short,
						fmt.Sprintf("%s has %v, and the agent asks for %v", label, has, wants))
				}
				need = max(need, wants)
			}
			if need > 0 {
				op.Attrs = slices.Clone(op.Attrs)
				op.Attrs.Set("timeout", fmt.Sprintf("%ds", int(need.Seconds())))
			}
		}
	}
	if len(short) == 0 {
		return f, false
	}
	// Drop those that were added above only for the comparison.
	better.Ops = slices.DeleteFunc(better.Ops, func(op crm.Op) bool {
		return len(op.Attrs) == 0 && len(indexes(p.Ops, op.Name)) == 0
	})
	f.What = "time-outs of " + p.Name + " are short: " + strings.Join(short, "; ")
	f.Fix = []string{doctor.Define(&better)}
	return f, true
}

func indexes(ops []crm.Op, name string) []int {
	var all []int
	for i, op := range ops {
		if op.Name == name {
			all = append(all, i)
		}
	}
	return all
}

// timeoutOf returns the time-out in effect.
func (v *view) timeoutOf(op crm.Op) time.Duration {
	word := value(op.Attrs, "timeout")
	if word == "" {
		word = value(op.Meta, "timeout")
	}
	for _, o := range v.objects {
		if p, ok := o.(*crm.Property); ok && word == "" && p.Section == crm.OpDefaults &&
			p.Name == "timeout" {
			word = p.Value
		}
	}
	if word == "" {
		word, _ = v.cib.Property("default-action-timeout")
	}
	d, err := crm.ParseInterval(cmp.Or(word, defaultTimeout.String()))
	if err != nil {
		return 1 << 62 // a time that Pacemaker can parse and this program cannot
	}
	return d
}

// longest returns the longest time that an operation took, as far as the cluster remembers.
func (v *view) longest(resource, operation string) (time.Duration, string) {
	var most time.Duration
	var where string
	for _, t := range v.history.took {
		if t.resource == resource && t.operation == operation && t.took > most {
			most, where = t.took, t.node
		}
	}
	return most, where
}

// advertisedFor returns what the agent asks for, for an operation and its depth.
func advertisedFor(all []crm.AgentAction, name, depth string) (time.Duration, bool) {
	for _, want := range []string{cmp.Or(depth, "0"), ""} {
		for _, a := range all {
			if a.Name != name || want != "" && cmp.Or(a.Depth, "0") != want {
				continue
			}
			if d, err := crm.ParseInterval(a.Timeout); err == nil {
				return d, true
			}
		}
	}
	return 0, false
}
