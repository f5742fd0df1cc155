package model

import (
	"fmt"
	"slices"
)

// settle does what keepalived does when it has read everything: settings that exclude each other are
// cleared, groups are filled, and what nobody uses is left out.
func (c *Config) settle() {
	for _, g := range c.Groups {
		c.fill(g)
	}
	for _, i := range c.Instances {
		c.complete(i)
		c.weights(i)
	}
	c.unique()
	for _, g := range c.Groups {
		for _, i := range g.Members {
			i.Scripts = append(i.Scripts, g.trackings.Scripts...)
			i.Interfaces = append(i.Interfaces, g.trackings.Interfaces...)
			i.Processes = append(i.Processes, g.trackings.Processes...)
			i.Files = append(i.Files, g.trackings.Files...)
			i.BFD = append(i.BFD, g.trackings.BFD...)
		}
	}
	for _, v := range c.Scripts {
		if !v.Used {
			c.note(v.At, "no instance tracks it, so keepalived never runs it")
		}
	}
}

// fill gives a group its members.
func (c *Config) fill(g *Group) {
	for _, s := range g.names {
		for _, name := range s.Words {
			at := slices.IndexFunc(c.Instances, func(i *Instance) bool { return i.Name == name })
			switch {
			case at < 0:
				c.note(s, "keepalived passes over %s: there is no such vrrp_instance", name)
			case c.Instances[at].Sync != nil:
				c.note(s, "keepalived passes over %s: it is in the group %s", name,
					c.Instances[at].Sync.Name)
			default:
				c.Instances[at].Sync = g
				g.Members = append(g.Members, c.Instances[at])
			}
		}
	}
	switch len(g.Members) {
	case 0:
		c.note(g.At, "it has no instance, so keepalived leaves it out")
	case 1:
		c.note(g.At, "it has one instance, so nothing moves together")
	}
}

// complete clears what excludes each other within an instance.
func (c *Config) complete(i *Instance) {
	if i.VRID == 0 {
		c.refuse(i.At, "it has no virtual_router_id")
	}
	if i.Interface == "" && !i.Source.IsValid() {
		c.refuse(i.At, "it has no interface")
	}
	c.versions(i)
	if i.NoPreempt && i.Priority == Owner {
		c.note(i.PreemptAt, "keepalived clears nopreempt with priority %d: it does take the address "+
			"back", Owner)
		i.NoPreempt = false
	}
	if i.NoPreempt && i.Master {
		c.note(i.PreemptAt, "keepalived clears nopreempt beside state MASTER: it does take the "+
			"address "+
			"back")
		i.NoPreempt = false
	}
	if i.DelayAt != nil && i.Master {
		c.note(i.DelayAt, "keepalived clears preempt_delay beside state MASTER: it takes the address "+
			"back at once")
		i.Delay, i.DelayAt = 0, nil
	}
	if i.DelayAt != nil && i.NoPreempt {
		c.note(i.DelayAt, "keepalived clears preempt_delay beside nopreempt")
		i.Delay, i.DelayAt = 0, nil
	}
}

// versions settles which VRRP is spoken, and what that and strict mode clear.
func (c *Config) versions(i *Instance) {
	switch {
	case i.IPv6:
		i.Version = 3
	case i.Version == 0:
		i.Version = max(c.version, 2)
	}
	if i.Version == 3 || i.strict {
		i.Auth, i.AuthAt = "", nil
	}
	if !i.strict {
		return
	}
	if i.Master && i.Priority != Owner {
		c.note(i.At, "vrrp_strict: with state MASTER and another priority than %d keepalived "+
			"begins as BACKUP",
			Owner)
	}
	i.Master = i.Priority == Owner
	if i.DelayAt != nil {
		c.note(i.DelayAt, "vrrp_strict: keepalived clears preempt_delay")
		i.Delay, i.DelayAt = 0, nil
	}
}

// weights leaves out what an instance may not track with a weight.
func (c *Config) weights(i *Instance) {
	why := ""
	switch {
	case i.Priority == Owner:
		why = fmt.Sprintf("with priority %d a weight means nothing", Owner)
	case i.Sync != nil && !i.Sync.Weights:
		why = "in a vrrp_sync_group a weight means nothing"
	default:
		return
	}
	drop := func(t *Track) bool {
		if t.Weight != 0 {
			c.note(t.At, "%s: keepalived passes over %s", why, t.Name)
		}
		return t.Weight != 0
	}
	i.Scripts = slices.DeleteFunc(i.Scripts, drop)
	i.BFD = slices.DeleteFunc(i.BFD, drop)
	if i.Priority == Owner {
		i.Interfaces = slices.DeleteFunc(i.Interfaces, drop)
		return
	}
	for _, t := range i.Interfaces {
		if t.Weight != 0 {
			c.note(t.At, "%s: keepalived takes %s without it, and gives the addresses up if it fails",
				why, t.Name)
			t.Weight = 0
		}
	}
}

// unique finds two instances that are one virtual router.
func (c *Config) unique() {
	for n, i := range c.Instances {
		for _, before := range c.Instances[:n] {
			if i.VRID == before.VRID && i.VRID > 0 && i.Interface == before.Interface &&
				i.IPv6 == before.IPv6 && len(i.Peers) == 0 && !i.vmac {
				c.refuse(i.At, "%s and %s have the same virtual_router_id %d on "+
					"%s", before.Name, i.Name,
					i.VRID, i.Interface)
			}
		}
	}
}
