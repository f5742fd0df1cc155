package deploy

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

// resolveTime is how long resolving the names in corosync.conf may take.
const resolveTime = 5 * time.Second

// checkTaken refuses addresses that something else has: another resource of the cluster, or a node
// as its own. Two nodes would have them, and each would answer some of the visitors. The error is
// *config.Faults.
func (d *Deployer) checkTaken(ctx context.Context, file *config.File, plan crm.Plan) (
	warnings []string, err error,
) {
	c := taken{file: file, faults: &config.Faults{Path: file.Path}}
	now, then := plan.Base.Effective(), plan.New.Effective()
	holders := inventory.Holders(then)
	for i := range file.Addresses {
		c.others(&file.Addresses[i], then, holders)
	}
	if d.Node.Live && len(file.Addresses) > 0 {
		d.nodesOwn(ctx, &c, inventory.Holders(now))
	}
	return c.warnings, c.faults.Err()
}

// taken is what was found out about the addresses of a file.
type taken struct {
	file     *config.File
	faults   *config.Faults
	warnings []string
}

func (c *taken) warn(ip *config.Address, format string, args ...any) {
	c.warnings = append(c.warnings,
		fmt.Sprintf("%s:%d: ", c.file.Path, ip.IPAt.Line)+fmt.Sprintf(format, args...))
}

// others compares an address with those of the cluster's other resources.
func (c *taken) others(
	ip *config.Address, objects []crm.Object, holders map[netip.Addr][]*crm.Primitive,
) {
	for _, p := range holders[ip.IP] {
		switch {
		case p.Name == ip.Name:
		case inventory.KeptStopped(objects, p.Name):
			c.warn(ip, "%s is the address of %s (%s) too, which is kept stopped: started as well, "+
				"it would put the address on two nodes; delete it when it is no longer wanted", ip.IP,
				p.Name, p.Agent())
		default:
			c.faults.Add(ip.IPAt, "%s is the address of %s (%s), which is in the cluster already: "+
				"both together would put it on two nodes at once. Give %s another address, or "+
				"stop %s first: `hawser stop %s`", ip.IP, p.Name, p.Agent(), ip.Name, p.Name, p.Name)
		}
	}
}

// nodesOwn compares the addresses with those at which Corosync reaches the nodes, and with those
// that this node has and no resource of the cluster has put there.
func (d *Deployer) nodesOwn(
	ctx context.Context, c *taken, holders map[netip.Addr][]*crm.Primitive,
) {
	var own []preflight.Interface
	if d.Node.Interfaces != nil {
		var err error
		if own, err = d.Node.Interfaces(); err != nil {
			c.warnings = append(c.warnings, fmt.Sprintf("whether a floating IP is an address of "+
				"this node's own was not checked: %v", err))
		}
	}
	nodes, err := d.links(ctx)
	if err != nil {
		c.warnings = append(c.warnings, fmt.Sprintf("whether a floating IP is an address of the "+
			"nodes was not checked: %v", err))
	}
	for i := range c.file.Addresses {
		ip := &c.file.Addresses[i]
		if node, ok := nodes[ip.IP]; ok {
			c.faults.Add(ip.IPAt, "%s is the address at which Corosync reaches %s: a floating IP "+
				"must be an address that no machine has as its own", ip.IP, node)
			continue
		}
		if len(holders[ip.IP]) > 0 {
			continue // which is why it may be here
		}
		for _, nic := range own {
			switch {
			case nic.Loopback || !slices.Contains(nic.Addresses, ip.IP):
			case nic.Main(ip.IP):
				c.faults.Add(ip.IPAt, "%s is the address of %s on this node, %s: a floating IP "+
					"must be an address that no machine has as its own", ip.IP, nic.Name, d.Node.Name)
			default:
				c.warn(ip, "%s is on %s of this node, %s, and the cluster has not put it there: if "+
					"keepalived or the network's configuration keeps it there, two nodes will have "+
					"it. Take it away there first", ip.IP, nic.Name, d.Node.Name)
			}
		}
	}
}

// links returns the nodes by the addresses at which Corosync reaches them.
func (d *Deployer) links(ctx context.Context) (map[netip.Addr]string, error) {
	nodes := map[netip.Addr]string{}
	if d.Trial.Nodes == nil {
		return nodes, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	members, err := d.Trial.Nodes(ctx)
	for _, m := range members {
		for _, a := range slices.Concat(m.Links(ctx)...) {
			nodes[a] = m.Label()
		}
	}
	return nodes, err
}
