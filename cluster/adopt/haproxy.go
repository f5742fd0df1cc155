package adopt

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func (r *reader) readHAProxy() error {
	p := r.haproxy
	if err := r.checkContainers(); err != nil {
		return err
	}
	switch {
	case inventory.IsHAProxy(p.Agent()):
		left := r.file.HAProxy.TakeParams(paramsOf(p, contract.ParamGeneration, contract.ParamPush))
		r.dropped(p.Name, left)
	default: // systemd's unit, or another agent: what it is given is not hawser's
		r.dropped(p.Name, paramsOf(p))
		r.found.Unit = p.Class == "systemd" || p.Class == "service"
		r.remark("HAProxy is run with %s, and not with the command line of %s: what that has besides "+
			"(CONFIG and EXTRAOPTS in /etc/default/haproxy) goes into haproxy.config and "+
			"haproxy.extra of hawser.yaml, then `hawser apply`", contract.DefaultConffile, p.Agent())
	}
	r.readMonitor(p, r.file.HAProxy.SetMonitor)
	switch {
	case p.Name != contract.HAProxyID:
		// Pacemaker would order nothing between two resources of different names, and the new
		// HAProxy would find its addresses in use.
		r.found.StopFirst = []string{r.family[len(r.family)-1]}
		r.found.Exchanged = append(r.found.Exchanged, fmt.Sprintf("%s (%s) is stopped on every "+
			"node, and when it has stopped everywhere %s (%s) starts in its place: open connections "+
			"are cut, and no new one is answered meanwhile", p.Name, p.Agent(), contract.HAProxyID,
			contract.HAProxyAgent))
	case p.Agent() != contract.HAProxyAgent:
		r.found.Exchanged = append(r.found.Exchanged, fmt.Sprintf("%s (%s) is stopped and started "+
			"again as %s, on every node at the same time: open connections are cut, and no new one "+
			"is answered meanwhile", p.Name, p.Agent(), contract.HAProxyAgent))
	default:
		r.keeps(p)
	}
	return nil
}

// keeps says that a resource goes on as it is.
func (r *reader) keeps(p *crm.Primitive) {
	r.found.Kept = append(r.found.Kept, p.Name+" ("+p.Agent()+")")
}

// checkContainers refuses what a clone of HAProxy alone cannot take the place of.
func (r *reader) checkContainers() error {
	cloned := false
	for _, o := range r.objects {
		if !slices.Contains(r.family, o.ID()) {
			continue
		}
		switch o := o.(type) {
		case *crm.Clone:
			cloned, r.found.clone = true, o.Name
		case *crm.Group:
			for _, id := range o.Members {
				m, _ := r.cib.Primitive(id)
				if id != r.haproxy.Name && (m == nil || !adoptable(m)) {
					return outcome.Usagef("%s is in the group %s together with %s, which hawser has "+
						"nothing to do with: take it out of the group first; nothing was changed",
						r.haproxy.Name, o.Name, id)
				}
			}
		case *crm.XML:
			return outcome.Usagef("%s is in %s, which hawser does not know: nothing was changed",
				r.haproxy.Name, o.ID())
		}
	}
	if !cloned {
		r.remark("%s has been running on one node at a time, and runs on every node from now on, "+
			"also where the addresses are not: it must bind more than the addresses "+
			"(`bind :::80 v4v6`), or the kernel must let it (net.ipv4.ip_nonlocal_bind=1)",
			r.haproxy.Name)
	}
	return nil
}

// paramsOf returns the parameters of a resource but for some.
func paramsOf(p *crm.Primitive, but ...string) []config.Param {
	var all []config.Param
	for _, a := range p.Params.Without(but...) {
		all = append(all, config.Param{Name: a.Name, Value: a.Value})
	}
	return all
}

// dropped says which parameters hawser.yaml has no place for. Their values may be secret.
func (r *reader) dropped(resource string, left []config.Param) {
	if len(left) == 0 {
		return
	}
	var names []string
	for _, p := range left {
		names = append(names, p.Name)
	}
	r.remark("of %s, hawser.yaml cannot say %s: the new agent goes without", resource,
		strings.Join(names, ", "))
}

// readMonitor takes how often the resource is monitored: its shallowest and most frequent monitor.
func (r *reader) readMonitor(p *crm.Primitive, set func(string) error) {
	best, every := time.Duration(0), ""
	for _, op := range p.Ops {
		length, err := crm.ParseInterval(op.Interval)
		if op.Name != "monitor" || err != nil || length <= 0 {
			continue
		}
		if every == "" || length < best {
			best, every = length, op.Interval
		}
	}
	if every != "" && set(every) != nil {
		r.remark("the interval %s of the monitor of %s is none that hawser.yaml has: 15s is taken",
			every, p.Name)
	}
}
