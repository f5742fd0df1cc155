package config

import "github.com/hawser-ha/hawser/contract"

// Scores returns what the constraints of the addresses weigh.
func (c *File) Scores() contract.Scores {
	steps, returning := c.most()
	return contract.ScoresFor(len(c.Leaders()), steps, returning)
}

// Leaders returns the addresses that decide where they are: one of each group, and those in none.
func (c *File) Leaders() []*Address {
	var all []*Address
	for i := range c.Addresses {
		if ip := &c.Addresses[i]; c.Leads(ip) {
			all = append(all, ip)
		}
	}
	return all
}

// most returns the most steps that an address prefers, and that one prefers which goes back at once.
func (c *File) most() (steps, returning int) {
	for _, ip := range c.Leaders() {
		n := len(c.Steps(ip))
		steps = max(steps, n)
		if after, yes := c.GoesBack(ip); yes && after == 0 {
			returning = max(returning, n)
		}
	}
	return steps, returning
}

// checkScores refuses more than Pacemaker can weigh.
func (c *File) checkScores(d *document) {
	steps, returning := c.most()
	checks := 0
	var at *Address
	for _, ip := range c.Leaders() {
		checks = max(checks, len(c.ChecksOf(ip)))
		if after, yes := c.GoesBack(ip); yes && after == 0 && len(c.Steps(ip)) == returning {
			at = ip
		}
	}
	if at == nil && len(c.Addresses) > 0 {
		at = &c.Addresses[0]
	}
	if at == nil || c.Scores().Fit(checks, steps, returning) {
		return
	}
	d.Add(at.At, "addresses prefer up to %d nodes or sites (%d with failback), and have up to %d checks: "+
		"together they weigh more than Pacemaker can count. Name fewer of them, or give nodes the same "+
		"score", steps, returning, checks)
}
