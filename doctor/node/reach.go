package node

import (
	"context"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/reach"
	"github.com/hawser-ha/hawser/doctor"
)

// reachCheck finds addresses at which HAProxy does not listen: everything runs, and nobody is served
// there.
func (n Node) reachCheck() doctor.Check {
	return doctor.Check{
		Name:  "address-not-served",
		Short: "a floating address at which no `bind` of HAProxy's configuration listens",
		Worst: doctor.Error,
		Why:   "everything runs, and whoever connects to the address is refused",
		Remedy: "bind :::80 v4v6 listens at every address, bind \"${HAWSER_ANCHOR_IP}:80\" at a " +
			"cloud's IPv4 ones; then hawser reload",
		Run: n.demands(func(ctx context.Context, d inventory.Declared) ([]doctor.Finding, error) {
			var all []reach.Configuration
			for _, h := range d.HAProxies {
				env, err := n.Environment(ctx, h)
				if err != nil {
					env = nil // the addresses that only the agent knows are not needed for this
				}
				c, err := reach.ConfigurationOf(h, env)
				if err != nil {
					return nil, nil //nolint:nilerr // haproxy-config reports it
				}
				all = append(all, c)
			}
			var found []doctor.Finding
			for _, m := range reach.Unserved(reach.Addresses(d), all) {
				f := n.found(doctor.Error, m.Resource, m.What,
					"HAProxy and the address run, and whoever connects to it is refused")
				f.Todo = []string{
					m.Instead + "; then `hawser reload --push " + doctor.Quote(m.File) + "`",
				}
				found = append(found, f)
			}
			return found, nil
		}),
	}
}
