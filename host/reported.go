package host

import (
	"context"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// Report reports the findings on this node to the others, unless they have had the same report
// within the hour.
func (d *Doctor) Report(ctx context.Context, found []doctor.Finding) error {
	now := doctor.NodeReport{At: d.host.Now(), Facts: d.node().Facts(ctx), Findings: found}
	packed, err := now.Pack()
	if err != nil {
		return err
	}
	fresh, err := doctor.Unpack(packed) // as the others will read it
	if err != nil {
		return err
	}
	before, err := d.reports(ctx)
	if err != nil {
		return err
	}
	for name, value := range before {
		if !crm.SameHost(name, d.host.Node) {
			continue
		}
		old, err := doctor.Unpack(value)
		if err == nil && old.Same(fresh) && now.At.Sub(old.At) < doctor.Refresh {
			return nil
		}
	}
	return d.host.Cluster.SetPrivate(ctx, doctor.Attribute, packed)
}

// reports returns what each node has reported about itself, packed.
func (d *Doctor) reports(ctx context.Context) (map[string]string, error) {
	return d.host.Cluster.Private(ctx, doctor.Attribute)
}

// facts returns the facts that the nodes have reported about themselves; nil if there are no nodes
// to ask because the configuration is in a file, a shadow, or another machine's.
func (d *Doctor) facts(ctx context.Context) (map[string]map[string]string, error) {
	if !d.host.Live() {
		return nil, nil
	}
	reports, err := d.reports(ctx)
	return doctor.FactsOf(reports, d.host.Now()), err
}
