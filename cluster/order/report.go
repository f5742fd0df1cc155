package order

import "github.com/hawser-ha/hawser/cluster/effect"

// Report is `hawser standby --json`, and what the commands beside it print.
type Report struct {
	// Order is the command: standby, online, maintenance, cleanup, stop or start.
	Order string `json:"order"`
	// Arguments are the command's.
	Arguments []string `json:"arguments"`
	// Changed says whether the order was carried out; false if it was so already. With an error it
	// is false unless that is certain.
	Changed bool `json:"changed"`
	// Settled says whether the cluster had nothing left to do at the end: false with --no-wait, if it
	// took too long, and where there was nothing to wait for.
	Settled bool `json:"settled"`
	// Seconds is how long it took.
	Seconds float64 `json:"seconds"`
	// Addresses is what becomes of each address.
	Addresses []effect.Address `json:"addresses"`
	// HAProxies is what becomes of each HAProxy.
	HAProxies []effect.HAProxy `json:"haproxies"`
	// Also says what happens to other resources and to nodes.
	Also []string `json:"also"`
	// Unserved lists the resources of the addresses that nobody serves any more.
	Unserved []string `json:"unserved"`
	// Notes are what an administrator should know beside it.
	Notes []string `json:"notes"`
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
