package pacemaker

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// positive reports whether an operation is repeated.
func positive(interval string) bool {
	d, err := crm.ParseInterval(cmp.Or(interval, "0"))
	return err != nil || d > 0 // one that cannot be parsed here is still some time
}

func disabled(op crm.Op) bool {
	value, ok := op.Attrs.Get("enabled")
	return ok && crm.IsFalse(value)
}

// checkMonitors checks how soon a failure of HAProxy, or of an address, is noticed.
func checkMonitors(v *view) []doctor.Finding {
	var found []doctor.Finding
	if value, ok := v.cib.Property("enable-startup-probes"); ok && crm.IsFalse(value) {
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Subject: "enable-startup-probes",
			What: "a node that starts is not probed for what runs there " +
				"(enable-startup-probes=false)",
			Why: "a HAProxy or an address that is already there is started a second time, or on " +
				"two nodes",
			Fix: []string{unset("enable-startup-probes")},
		})
	}
	for _, p := range v.primitives() {
		if inventory.RunsHAProxy(p.Agent()) || inventory.IsAddress(p.Agent()) {
			if f, ok := v.monitored(p); !ok {
				found = append(found, f)
			}
		}
	}
	return found
}

// monitored finds what is wrong with a resource's monitors, if anything is.
func (v *view) monitored(p *crm.Primitive) (doctor.Finding, bool) {
	var soonest time.Duration
	var soon *crm.Op
	var off, ignored *crm.Op
	for i := range p.Ops {
		op := &p.Ops[i]
		if op.Name != "monitor" || !positive(op.Interval) {
			continue
		}
		if disabled(*op) {
			off = op
			continue
		}
		if value, _ := op.Attrs.Get("on-fail"); value == "ignore" {
			ignored = op
			continue
		}
		if d, err := crm.ParseInterval(op.Interval); err == nil && (soon == nil || d < soonest) {
			soonest, soon = d, op
		}
	}
	f := doctor.Finding{
		Severity: doctor.Error, Subject: p.Name,
		Why: "when it fails Pacemaker does not notice, and neither restarts nor moves anything",
	}
	better := *p
	better.Ops = slices.Clone(p.Ops)
	set := func(op crm.Op) {
		for i := range better.Ops {
			if o := &better.Ops[i]; o.Name == "monitor" && positive(o.Interval) &&
				o.Interval == op.Interval {
				*o = op
				return
			}
		}
		better.Ops = append(better.Ops, op)
	}
	interval := fmt.Sprintf("%ds", int(v.promise().Seconds()))
	switch {
	case soon != nil && soonest <= v.promise():
		return doctor.Finding{}, true
	case soon != nil:
		f.Severity, f.What = doctor.Warning, fmt.Sprintf("%s is monitored only every %s", p.Name,
			soon.Interval)
		f.Why = fmt.Sprintf("a failure may go unnoticed for %s; it should be noticed within %v",
			soon.Interval, v.promise())
		old := soon.Interval
		for i := range better.Ops {
			if better.Ops[i].Name == "monitor" && better.Ops[i].Interval == old {
				better.Ops[i].Interval = interval
			}
		}
	case off != nil:
		f.What = p.Name + " has a monitor that is switched off (enabled=" +
			value(off.Attrs, "enabled") + ")"
		op := *off
		op.Attrs = op.Attrs.Without("enabled")
		set(op)
	case ignored != nil:
		f.What = p.Name + " has a monitor whose failures are ignored (on-fail=ignore)"
		op := *ignored
		op.Attrs = op.Attrs.Without("on-fail")
		set(op)
	default:
		f.What = p.Name + " has no recurring monitor"
		better.Ops = append(
			slices.DeleteFunc(better.Ops,
				func(op crm.Op) bool { return op.Name == "monitor" && !positive(op.Interval) }),
			crm.Op{
				Name: "monitor", Interval: interval,
				Attrs: crm.Attrs{{Name: "timeout", Value: "20s"}},
			})
	}
	f.Fix = []string{doctor.Define(&better)}
	return f, false
}

// promise returns how soon a failure has to be noticed.
func (c *Cluster) promise() time.Duration { return cmp.Or(c.Promise, 15*time.Second) }

func value(attrs crm.Attrs, name string) string {
	v, _ := attrs.Get(name)
	return v
}
