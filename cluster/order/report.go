package order

import "github.com/hawser-ha/hawser/cluster/effect"

// Report is an order for a program.
type Report struct {
	Order     string           `json:"order"`
	Arguments []string         `json:"arguments"`
	Changed   bool             `json:"changed"` // false: it was so already
	Settled   bool             `json:"settled"` // false if nobody waited for it
	Seconds   float64          `json:"seconds"`
	Addresses []effect.Address `json:"addresses"`
	HAProxies []effect.HAProxy `json:"haproxies"`
	Also      []string         `json:"also"`
	Unserved  []string         `json:"unserved"` // addresses that nobody serves any more
	Notes     []string         `json:"notes"`
}

// Report is the order for a program, before it is carried out.
func (o Order) Report(name string, arguments []string) Report {
	r := Report{
		Order: name, Arguments: append([]string{}, arguments...),
		Addresses: append([]effect.Address{}, o.Effect.Addresses...),
		HAProxies: append([]effect.HAProxy{}, o.Effect.HAProxies...),
		Also:      []string{}, Unserved: []string{}, Notes: append([]string{}, o.Notes...),
	}
	for _, a := range o.Effect.Others {
		r.Also = append(r.Also, a.String())
	}
	for _, a := range o.Effect.Unserved() {
		r.Unserved = append(r.Unserved, a.Resource)
	}
	return r
}
