package inventory

import (
	"slices"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// Declared is what the cluster's configuration demands of every node.
type Declared struct {
	HAProxies []HAProxy
	Addresses []Address
	HostMaps  []HostMap
	// Agents are the resource agents that are used, such as ocf:hawser:haproxy; Fences the fence
	// agents, such as fence_droplet.
	Agents, Fences []string
	// TokenFiles are the files with tokens, each with the resources that need it.
	TokenFiles map[string][]string
	// Watchdog says whether fencing relies on sbd with a watchdog.
	Watchdog bool
}

// HostMap says which droplets a device of stonith:fence_droplet has for which nodes.
type HostMap struct {
	Resource, MetadataURL string
	// Droplets are ids and names by nodes, as crm.HostMap has them.
	Droplets map[string]string
}

// Read returns what the cluster's configuration demands of the nodes.
func Read(cib *crm.CIB) (Declared, error) {
	d := Declared{TokenFiles: map[string][]string{}}
	objects := cib.Effective()
	before := addressesBefore(objects)
	for _, o := range objects {
		p, ok := o.(*crm.Primitive)
		if !ok {
			continue
		}
		agent := p.Agent()
		if file := first(p.Params, contract.ParamTokenFile); file != "" {
			d.TokenFiles[file] = append(d.TokenFiles[file], p.Name)
		}
		switch p.Class {
		case "stonith":
			d.Fences = append(d.Fences, p.Type)
			if hosts := first(
				p.Params,
				"pcmk_host_map",
			); hosts != "" &&
				agent == contract.FenceDropletAgent {
				d.HostMaps = append(d.HostMaps, HostMap{
					Resource: p.Name,
					MetadataURL: first(
						p.Params,
						contract.ParamMetadataURL,
					),
					Droplets: crm.HostMap(hosts),
				})
			}
		case "ocf":
			d.Agents = append(d.Agents, agent)
		}
		switch {
		case IsHAProxy(agent):
			h, err := HAProxyOf(p)
			if err != nil {
				return d, err
			}
			h.After = before[p.Name]
			d.HAProxies = append(d.HAProxies, h)
		case IsFloatIP(agent):
			d.Addresses = append(d.Addresses, AddressOf(p))
		}
	}
	wait, _, ok := cib.WatchdogTimeout()
	d.Watchdog = !ok || wait != 0
	return d, nil
}

// Family lists a resource and what contains it: its group and its clone.
func Family(objects []crm.Object, id string) []string {
	all := []string{id}
	for range 2 { // a group may be in a clone
		for _, o := range objects {
			var inside []string
			switch c := o.(type) {
			case *crm.Group:
				inside = c.Members
			case *crm.Clone:
				inside = []string{c.Resource}
			default:
				continue
			}
			if !slices.Contains(all, o.ID()) &&
				slices.ContainsFunc(
					inside,
					func(in string) bool { return slices.Contains(all, in) },
				) {
				all = append(all, o.ID())
			}
		}
	}
	return all
}

// isIn says whether the resource is in a group or clone of that name.
func isIn(objects []crm.Object, id, name string) bool {
	return slices.Contains(Family(objects, id), name)
}
