package deploy

import (
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// Stickiness is that of an address in most configurations.
func Stickiness() int { return contract.ScoresFor(1, 0, 0).Stickiness }

// stickiness is what keeps an address where it is. One that goes where the first of its group goes has
// none of its own: Pacemaker would add it to that of the first.
func stickiness(c *config.File, ip *config.Address) string {
	if !c.Leads(ip) {
		return "0"
	}
	return contract.Score(c.Scores().Stickiness)
}

// whereHAProxyRuns are the constraints that tie an address to HAProxy.
func whereHAProxyRuns(address string) []crm.Object {
	return []crm.Object{
		&crm.Colocation{
			Name: contract.ColocationID(address), Score: crm.InfinityWord, Resource: address,
			With: contract.CloneID,
		},
		// On a planned stop new connections go elsewhere before HAProxy closes its sockets to them.
		// Only for the stop, and optional: a HAProxy that is slow to start on one node must not
		// keep the address off another. See docs/decisions/0015.
		&crm.Order{
			Name: contract.LeavesFirstID(address), Kind: "Optional", First: address,
			FirstAction: "stop", Then: contract.CloneID, ThenAction: "stop", Symmetrical: "false",
		},
	}
}

// constraints are those of all addresses.
func constraints(c *config.File) []crm.Object {
	var all []crm.Object
	scores := c.Scores()
	var before []*config.Address
	for i := range c.Addresses {
		ip := &c.Addresses[i]
		all = append(all, whereHAProxyRuns(ip.Name)...)
		if !c.Leads(ip) {
			all = append(all, together(ip.Name, c.Leader(ip).Name))
			continue
		}
		all = append(all, placing(c, ip, scores)...)
		for _, other := range before {
			if scores.Apart == 0 {
				break
			}
			all = append(all, &crm.Colocation{
				Name: contract.ApartID(other.Name, ip.Name), Score: contract.Score(-scores.Apart),
				Resource: ip.Name, With: other.Name,
			})
		}
		before = append(before, ip)
	}
	for _, b := range c.Resources {
		if b.With != "" {
			all = append(all, together(b.ID, b.With))
		}
		if b.After != "" {
			all = append(all, &crm.Order{
				Name: contract.AfterID(b.ID, b.After), Kind: "Mandatory", First: b.After, Then: b.ID,
			})
		}
	}
	return all
}

// placing are the constraints that say on which of the nodes an address is, and with it those of its
// group. The others of the group have none: Pacemaker would add what they weigh, and the sum could
// reach INFINITY, where it no longer tells nodes apart.
func placing(c *config.File, ip *config.Address, scores contract.Scores) []crm.Object {
	haproxy := contract.ResourceOf(contract.HAProxyID)
	// the agent sets it, and unsets it when it stops
	all := []crm.Object{crm.Prefer(contract.WhereServedID(ip.Name), ip.Name,
		contract.ServersAttribute(haproxy), contract.Score(scores.Serving))}
	all = append(all, preferring(c, ip, scores)...)
	for _, check := range c.ChecksOf(ip) {
		all = append(all, crm.PreferUnless(contract.CheckedID(ip.Name, check.Name), ip.Name,
			contract.CheckAttribute(haproxy, check.Name), contract.CheckFailed,
			contract.Score(scores.Checked)))
	}
	return all
}

// together keeps a resource where an address is.
func together(resource, address string) crm.Object {
	return &crm.Colocation{Name: contract.WithID(resource, address), Score: crm.InfinityWord,
		Resource: resource, With: address}
}

// preferring are the constraints by which an address prefers nodes, and goes back to better ones.
// Where it goes back, that waits until HAProxy serves there: Pacemaker would move the address in the
// same moment in which it starts HAProxy.
func preferring(c *config.File, ip *config.Address, scores contract.Scores) []crm.Object {
	steps := c.Steps(ip)
	if len(steps) == 0 {
		return nil
	}
	haproxy := contract.ResourceOf(contract.HAProxyID)
	after, returns := c.GoesBack(ip)
	var prefers, returning []crm.NodeScore
	for i, s := range steps {
		up := len(steps) - i
		prefers = append(prefers, crm.NodeScore{Nodes: s.Nodes,
			Score: contract.Score(up * scores.Prefer)})
		returning = append(returning, crm.NodeScore{Nodes: s.Nodes,
			Score: contract.Score(up * scores.Return), Attribute: contract.ServersAttribute(haproxy)})
	}
	if after > 0 {
		returning = []crm.NodeScore{{Nodes: steps[0].Nodes, Score: contract.Score(scores.ReturnAfter),
			Attribute: contract.WellAttribute(haproxy, after), Value: contract.WellYes}}
	}
	all := []crm.Object{crm.PreferNodes(contract.PrefersID(ip.Name), ip.Name, prefers)}
	if returns {
		all = append(all, crm.PreferNodes(contract.ReturnsID(ip.Name), ip.Name, returning))
	}
	return all
}
